/** The snippet of the README, run as it stands; the one of the project's README is the same. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';

const root = join(import.meta.dirname, '..');

function snippetIn(path: string): string {
  const snippets = [...readFileSync(join(root, path), 'utf8').matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1]!);
  return snippets.find((snippet) => snippet.includes('createCoordinator'))!;
}

it('installs, submits, waits and stops', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'amends-readme-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const bank = createServer((_request, response) => response.end('{}'));
  onTestFinished(() => void bank.close());
  await new Promise<void>((resolve) => bank.listen(0, '127.0.0.1', resolve));
  const code = snippetIn('README.md')
    .replace('http://127.0.0.1:4001', `http://127.0.0.1:${(bank.address() as AddressInfo).port}`)
    .replace('amends.db', join(folder, 'amends.db'));
  const run = promisify(execFile)(process.execPath, ['--input-type=module-typescript', '-e', code], { cwd: root });
  expect(await run).toMatchObject({ stdout: expect.stringMatching(/^\w{22} succeed\n$/), stderr: '' });
});

it.each(['../../README.md', '../../README.zh-CN.md'])('is the same in %s', (path) => {
  expect(snippetIn(path)).toBe(snippetIn('README.md'));
});
