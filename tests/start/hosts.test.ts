/**
 * Everything that is downloaded comes by npm, go, pip, Maven and apt, from where they are told to look: no script names a host.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const places = ['.ci/*', '.npmrc', '*.json', 'tools/**/*.{mjs,ts,yaml}', 'packages/*/package.json', 'tests/**/requirements.txt'];
const scripts = globSync([...places, 'tests/conformance/*.ts', 'packages/client/tests/node-versions/*.json'], { cwd: root });

it.each(scripts)('%s names no host but this machine', (script) => {
  const text = readFileSync(join(root, script), 'utf8').replaceAll(/"funding": (\{[^}]*\}|\[[^\]]*\])/g, '');
  const hosts = [...text.matchAll(/[a-z]:\/\/(?:[\w-]+@)?([\w-]+\.[\w.-]+)/gi)].map((match) => match[1]!);
  expect(hosts.filter((host) => host !== '127.0.0.1')).toEqual([]);
});

it('there are scripts to look at', () => {
  expect(scripts).toEqual(expect.arrayContaining([join('.ci', 'run'), join('tools', 'setup.mjs'), 'package-lock.json']));
});
