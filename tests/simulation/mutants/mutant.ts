/**
 * Mutants: copies of the built product with one line changed, made in a folder of their own. What the simulator is
 * worth shows in how soon it finds them. Production code knows nothing of this.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadProduction, type Production } from '../world/production.ts';

/** One change of one built file. */
export interface Mutation {
  /** Package and file, such as `core/dist/modes/saga.js`. */
  readonly file: string;
  /** Text that occurs exactly once, and what stands there instead. */
  readonly replace: string;
  readonly by: string;
}

const packages = fileURLToPath(new URL('../../../packages/', import.meta.url));
const coordinator = createRequire(join(packages, 'coordinator/package.json'));
/** What the coordinator needs beside the packages that are copied. */
const dependencies = Object.keys((coordinator('./package.json') as { readonly dependencies: object }).dependencies).filter(
  (name) => !name.startsWith('@amends/'),
);

/** A mutated product, and a way to remove its files. @throws Error when the text to replace does not occur exactly once */
export async function loadMutant(mutation: Mutation): Promise<{ production: Production; remove(): void }> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'amends-mutant-')));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    copyProduct(folder);
    mutate(join(folder, 'node_modules/@amends', mutation.file), mutation);
    return { production: await loadProduction(folder), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** How often the text that a mutation replaces stands in the built product; the mutant applies when it is once. */
export function occurrences({ file, replace }: Mutation): number {
  return readFileSync(join(packages, file), 'utf8').split(replace).length - 1;
}

function copyProduct(folder: string): void {
  for (const name of ['core', 'store', 'coordinator']) {
    const copy = join(folder, 'node_modules/@amends', name);
    mkdirSync(copy, { recursive: true });
    for (const part of ['package.json', 'dist']) cpSync(join(packages, name, part), join(copy, part), { recursive: true });
  }
  for (const name of dependencies) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(dirname(coordinator.resolve(`${name}/package.json`)), link, 'junction');
  }
}

function mutate(file: string, { replace, by }: Mutation): void {
  const text = readFileSync(file, 'utf8');
  const times = text.split(replace).length - 1;
  if (times !== 1) throw new Error(`the mutant does not apply any more: ${file} has ${times} times\n${replace}`);
  writeFileSync(
    file,
    text.replace(replace, () => by),
  );
}
