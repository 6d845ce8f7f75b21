/** What the command says of itself, and how it ends. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { amends } from './testing/amends-command.ts';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };

test.each([
  [[], 2, 'stderr'],
  [['--help'], 0, 'stdout'],
  [['help', 'serve'], 0, 'stdout'],
  [['serve', '--help'], 0, 'stdout'],
  [['bench', '--help'], 0, 'stdout'],
  [['tx', '--help'], 0, 'stdout'],
  [['version', '--help'], 0, 'stdout'],
  [['tx', 'list', '--help'], 0, 'stdout'],
  [['tx', 'show', '--help'], 0, 'stdout'],
  [['tx', 'watch', '--help'], 0, 'stdout'],
  [['tx', 'retry', '--help'], 0, 'stdout'],
  [['tx', 'terminate', '--help'], 0, 'stdout'],
] as const)('%j ends with %i and shows examples of its own verb', async (args, code, where) => {
  const run = await amends(...args);
  expect(run.code).toBe(code);
  expect(run[where]).toMatch(/^Usage: amends/);
  const examples = [...run[where].matchAll(/^ {2}\$ (?:[A-Z_]+=\S+ )?(.*)$/gm)].map((match) => match[1]!);
  const verb = ['amends', ...args.filter((arg) => !/help/.test(arg))].join(' ');
  expect(examples).not.toEqual([]);
  expect(examples.filter((example) => !example.startsWith(verb))).toEqual([]);
});

test.each([
  [['frob'], /unknown command 'frob'\n\(amends --help tells more\)/],
  [['--frob'], /unknown option '--frob'/],
  [['serve', '--frob'], /unknown option '--frob'\n\(amends serve --help tells more\)/],
  [['tx', 'frob'], /unknown command 'frob'\n\(amends tx --help tells more\)/],
  [['tx', 'show'], /missing required argument 'gid'\n\(amends tx show --help tells more\)/],
  [['tx', 'retry'], /missing required argument 'gid'\n\(amends tx retry --help tells more\)/],
  [['tx', 'terminate', '--reason', 'x'], /missing required argument 'gid'/],
  [['tx', 'retry', 'g1'], /required option '--reason <text>' not specified\n\(amends tx retry --help tells more\)/],
  [['tx', 'list', '--limit', '-1'], /must be a whole number from 1/],
  [['tx', 'list', '--limit', '0'], /must be a whole number from 1/],
  [['tx', 'list', '--status', 'lost'], /Allowed choices are prepared, submitted/],
  [['bench', '--seconds', 'x'], /must be a whole number from 1/],
] as const)('%j is a mistake in its use', async (args, said) => {
  expect(await amends(...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(said) });
});

test('the version is told for people and for programs', async () => {
  const { version } = manifest;
  const node = process.versions.node;
  expect(await amends('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  expect(await amends('version')).toEqual({ code: 0, stdout: `amends ${version}, Node ${node}\n`, stderr: '' });
  expect(JSON.parse((await amends('version', '--json')).stdout)).toEqual({ amends: version, node });
});

test('an option that is true by default can be switched off by its flag', async () => {
  expect((await amends('serve', '--help')).stdout).toMatch(/--dtm-run-ahead <true\|false>/);
  expect(await amends('serve', '--dtm-run-ahead', 'perhaps')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/option dtm\.runAhead \(from --dtm-run-ahead\) is "perhaps"; expected: true or false/),
  });
});
