/** What stands before the command: the file that `npx amends` runs. */
import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { amendsBy, program, scratchFolder } from './testing/amends-command.ts';

const script = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`;

test('in a clone that is not built it says how to build', async () => {
  const copy = join(scratchFolder(), 'bin', 'amends.mjs');
  cpSync(program, copy);
  expect(await amendsBy({ program: copy }, 'version')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'amends: not built yet: run npm start or npm run build first\n',
  });
});

test.each([
  ['20.19.0', 1],
  ['22.17.1', 1],
  ['22.18.0', 0],
  ['24.0.0', 0],
])('on Node %s it ends with %i', async (node, code) => {
  const pretend = script(`Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${node}' } })`);
  const run = await amendsBy({ nodeArgs: ['--import', pretend] }, 'version');
  expect(run.code).toBe(code);
  expect(run.stderr).toBe(code === 0 ? '' : `amends: needs Node 22.18 or newer; this is Node ${node}\n`);
});

test('it can be run by itself', () => {
  expect(spawnSync(program, ['version'], { encoding: 'utf8' })).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^amends /),
  });
});
