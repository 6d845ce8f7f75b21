/** What would be published, and what it asks of those who install it. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const manifest = JSON.parse(read('package.json')) as {
  exports: Record<string, Record<string, string>>;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, { optional: boolean }>;
};

/** Packages that a built file imports. */
function importsOf(file: string): string[] {
  const specifiers = [...read(file).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g)].map((match) => match[1]!);
  return specifiers.filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'));
}

function built(ending: string): string[] {
  return readdirSync(join(root, 'dist'), { encoding: 'utf8', recursive: true })
    .filter((name) => name.endsWith(ending))
    .map((name) => join('dist', name));
}

describe('the published package', () => {
  it('consists of the built files, the page that explains it and the licence', async () => {
    const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root });
    const packed = JSON.parse(stdout) as
      | readonly { files: readonly { path: string }[] }[]
      | Record<string, { files: { path: string }[] }>;
    const paths = Object.values(packed).flatMap(({ files }) => files.map(({ path }) => path));
    expect(paths.filter((path) => !/^dist\/([a-z-]+\/)*[a-z-]+(\.d\.ts|\.js)$/.test(path)).sort()).toEqual([
      'LICENSE',
      'README.md',
      'package.json',
    ]);
    expect(paths).toEqual(
      expect.arrayContaining(
        Object.values(manifest.exports).flatMap((entry) => Object.values(entry).map((file) => file.slice(2))),
      ),
    );
    expect(paths.filter((path) => path.includes('test'))).toEqual([]);
  });

  it('needs undici at run time and nothing else; frameworks and drivers are for its types', () => {
    expect(Object.keys(manifest.dependencies)).toEqual(['undici']);
    expect(new Set(built('.js').flatMap(importsOf))).toEqual(new Set(['undici']));
    expect(new Set(built('.d.ts').flatMap(importsOf))).toEqual(
      new Set(['express', 'fastify', 'hono', 'ioredis', 'mongodb', 'mysql2/promise', 'pg']),
    );
    for (const peer of Object.keys(manifest.peerDependencies))
      expect(manifest.peerDependenciesMeta[peer]).toEqual({ optional: true });
  });

  it('carries the licence of the project', () => {
    expect(read('LICENSE')).toBe(read('../../LICENSE'));
  });
});
