/** Reading what `node --cpu-prof` writes: which functions the time went to. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Time spent in one function itself, its callees not included. */
export interface SelfTime {
  /** `@amends/core`, `undici`, `node:http`, `(garbage collector)`, … */
  readonly owner: string;
  /** Name and place. */
  readonly name: string;
  readonly micros: number;
}

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Reads the only profile in a folder. @returns by function, idle time left out, the longest first */
export function readProfile(folder: string): readonly SelfTime[] {
  const [file] = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'));
  if (file === undefined) throw new Error(`no profile was written to ${folder}`);
  const profile = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile;
  const microsById = new Map<number, number>();
  profile.samples.forEach((id, index) => {
    microsById.set(id, (microsById.get(id) ?? 0) + profile.timeDeltas[index]!);
  });
  const times = profile.nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => ({
    owner: ownerOf(url, functionName),
    name: `${functionName || '(anonymous)'} ${placeOf(url, lineNumber)}`.trim(),
    micros: microsById.get(id) ?? 0,
  }));
  return summed(
    times.filter(({ owner }) => owner !== '(idle)'),
    ({ owner, name }) => `${owner} ${name}`,
  );
}

/** The same by owner. */
export function byOwner(times: readonly SelfTime[]): readonly SelfTime[] {
  return summed(
    times.map(({ owner, micros }) => ({ owner, name: '', micros })),
    ({ owner }) => owner,
  );
}

function summed(times: readonly SelfTime[], keyOf: (time: SelfTime) => string): readonly SelfTime[] {
  const sums = new Map<string, SelfTime>();
  for (const time of times) {
    const key = keyOf(time);
    sums.set(key, { ...time, micros: (sums.get(key)?.micros ?? 0) + time.micros });
  }
  return [...sums.values()].sort((one, other) => other.micros - one.micros);
}

function ownerOf(url: string, functionName: string): string {
  if (url === '') return functionName.startsWith('(') ? functionName : '(native)';
  const [, workspace] = /\/packages\/([\w-]+)\//.exec(url) ?? [];
  if (workspace !== undefined) return `@amends/${workspace}`;
  const [, dependency] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url) ?? [];
  return dependency ?? (url.startsWith('node:') ? moduleOf(url) : url);
}

/** `node:internal/streams/readable` is `node:internal/streams`. */
function moduleOf(url: string): string {
  return url.split('/').slice(0, 2).join('/');
}

function placeOf(url: string, lineNumber: number): string {
  return url === '' ? '' : `${url.split('/').at(-1)}:${lineNumber + 1}`;
}
