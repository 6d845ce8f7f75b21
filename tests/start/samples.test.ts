/** What README.md and `npm start` tell its reader to try, tried word for word while `npm start` stays up. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FreshFolder, makeFreshFolder, readSamples } from './fresh-folder.ts';
import { emptyPlace, type Place } from './starter.ts';

const root = join(import.meta.dirname, '..', '..');
const sections = {
  typescript: 'TypeScript in ten lines',
  go: 'Go in ten lines',
  embedded: 'Inside a process of your own',
  looking: 'Looking at transactions',
} as const;
const cents = 100;
/** Go's first run downloads and compiles the client and all that it needs. Milliseconds. */
const goWithinMs = 300_000;

let place: Place;
let printed: string;
let folder: FreshFolder;

beforeAll(async () => {
  place = await emptyPlace();
  const start = place.start('--story', 'bank-transfer');
  await start.until(/Afterwards: .*\n/);
  printed = start.output().slice(start.output().indexOf('To try next'));
});
afterAll(() => place.clear());
beforeEach(() => {
  folder = makeFreshFolder(place.folder);
});
afterEach(() => folder.remove());

/** The one thing that is different in this run: where the coordinator listens. */
function here(code: string): string {
  return code.replaceAll('36789', String(place.port));
}

function codes(section: keyof typeof sections, language: 'sh' | 'ts' | 'go'): readonly string[] {
  return readSamples('README.md', sections[section])
    .filter((sample) => sample.language === language)
    .map(({ code }) => here(code));
}

async function balance(bank: 'BANK_A' | 'BANK_B', account: string): Promise<number> {
  const accounts = await (await fetch(`${place.addresses('bank-transfer')[bank]}/accounts`)).json();
  return (accounts as { name: string; cents: number }[]).find(({ name }) => name === account)!.cents;
}

/** Expects that some cents go from Ann to Bob meanwhile. */
async function expectTransfer<T>(amount: number, act: () => Promise<T>): Promise<T> {
  const [ann, bob] = [await balance('BANK_A', 'ann'), await balance('BANK_B', 'bob')];
  const result = await act();
  expect([await balance('BANK_A', 'ann'), await balance('BANK_B', 'bob')]).toEqual([ann - amount, bob + amount]);
  return result;
}

describe('README.md', () => {
  it('TypeScript: a transfer, and then one to a bank of the own', async () => {
    const [setUp, install] = codes('typescript', 'sh');
    const [transfer, bank] = codes('typescript', 'ts');
    folder.write('transfer.ts', transfer!);
    folder.write('bank.ts', bank!);
    const first = await expectTransfer(cents, () => folder.shell(`${setUp} node transfer.ts`));
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\S{22} succeeded \n$/m) });

    const installed = await folder.shell(install!);
    expect(installed.code, installed.stderr).toBe(0);
    const [path] = setUp!.split('\n');
    const line = await folder.background(`${path}\nexec node bank.ts`);
    const second = await folder.shell(`${path}\n. ../amends/data/bank-transfer.env\n${line}node transfer.ts`);
    expect(second).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\S{22} succeeded \n$/), stderr: '' });
  });

  it('TypeScript: says why a transfer was refused', async () => {
    const [setUp] = codes('typescript', 'sh');
    folder.write('transfer.ts', codes('typescript', 'ts')[0]!.replace('cents: 100', 'cents: 500_000'));
    const { stdout } = await expectTransfer(0, () => folder.shell(`${setUp} node transfer.ts`));
    expect(stdout).toMatch(/^\S{22} failed step 01: ann has less than 500000 cents here\n$/m);
  });

  it('Go: the same', { timeout: goWithinMs }, async ({ skip }) => {
    if (withoutGo !== null) skip(withoutGo);
    folder.write('main.go', codes('go', 'go')[0]!);
    const said = await expectTransfer(cents, () => folder.shell(codes('go', 'sh')[0]!));
    expect(said.stdout, said.stderr).toMatch(/^\S{22} is done\n$/);
  });

  it('inside a process of your own', async () => {
    folder.write('embedded.ts', codes('embedded', 'ts')[0]!);
    const setUp = [...codes('typescript', 'sh').slice(0, 1), ...codes('embedded', 'sh')];
    await expectEmbedded(`${setUp.join('\n')} node embedded.ts`);
  });

  it('the commands that look at transactions', async () => {
    folder.write('transfer.ts', codes('typescript', 'ts')[0]!);
    const { stdout } = await folder.shell(`${codes('typescript', 'sh')[0]} node transfer.ts`);
    const [gid] = /^\S{22}(?= succeeded)/m.exec(stdout)!;
    const lines = codes('looking', 'sh')[0]!.replaceAll('GID', gid!).split('\n');
    const server = `export AMENDS_SERVER=http://127.0.0.1:${place.port}\n`;
    const looking = lines.filter((line) => /^(npx amends tx|curl) /.test(line));
    const [list, show, retry, audit, curl] = await Promise.all(looking.map((line) => folder.shell(server + line, folder.clone)));
    expect(list).toMatchObject({ code: 0, stderr: '' });
    expect(show!.stdout).toContain(gid);
    expect(retry!.stdout + retry!.stderr).toContain('succeed');
    expect(audit).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(curl!.stdout)).toMatchObject({ transactions: expect.anything() });
  });
});

it('packages/coordinator/README.md: the same, and nothing else', async () => {
  const [setUp, embedded] = readSamples('packages/coordinator/README.md').map(({ code }) => code);
  expect(embedded).toBe(codes('embedded', 'ts')[0]);
  folder.write('embedded.ts', embedded!);
  await expectEmbedded(`export PATH="$PWD/../amends/node_modules/.bin:$PATH"\n${setUp} node embedded.ts`);
});

/** Expects that it debits Ann by a coordinator of its own, which begins nothing else. */
async function expectEmbedded(lines: string): Promise<void> {
  const before = await balance('BANK_A', 'ann');
  const { stdout, stderr } = await folder.shell(lines);
  expect(stdout, stderr).toMatch(/^\S{22} succeed\n$/m);
  expect(await balance('BANK_A', 'ann')).toBe(before - cents);
}

describe('npm start prints', () => {
  it('the transfer in TypeScript, and commands that show it', async () => {
    const transfer = blockBelow(/npx node try\.ts:\n/);
    const { stdout } = await expectTransfer(cents, () =>
      folder.shell(`cat >try.ts <<'END'\n${transfer}END\nnpx node try.ts`, folder.clone),
    );
    const [gid] = /^\S{22}(?= succeeded)/m.exec(stdout)!;
    const commands = blockBelow(/in this folder:\n/).replaceAll('GID', gid!);
    const looked = await folder.shell(commands, folder.clone);
    expect(looked).toMatchObject({ code: 0, stderr: '' });
    expect(looked.stdout.split(gid!).length).toBeGreaterThan(3);
  });

  it('the transfer in Go', { timeout: goWithinMs }, async ({ skip }) => {
    if (withoutGo !== null) skip(withoutGo);
    folder.write('main.go', blockBelow(/go run \.\n/));
    const [commands] = /go mod init.*/.exec(printed)!;
    const said = await expectTransfer(cents, () => folder.shell(commands));
    expect(said.stdout, said.stderr).toMatch(/^\S{22} is done\n$/);
  });

  it('where the banks listen', async () => {
    const { stdout } = await folder.shell(`${blockBelow(/BANK_A and BANK_B\n/)}\necho $BANK_A $BANK_B`);
    const { BANK_A, BANK_B } = place.addresses('bank-transfer');
    expect(stdout).toBe(`${BANK_A} ${BANK_B}\n`);
    const [, accounts] = /Afterwards: (.*)/.exec(printed)!;
    expect((await folder.shell(accounts!)).stdout).toMatch(/"ann".*"bob"/);
  });
});

/** The indented lines below a sentence. */
function blockBelow(sentence: RegExp): string {
  return new RegExp(`${sentence.source}\\n((?: {4}.*\\n|\\n)+)`).exec(printed)![1]!;
}

/** Why nothing in Go can be tried; null: it can, or must. */
const withoutGo =
  spawnSync('go', ['version']).status === 0 || process.env['CI'] === 'true' ? null : 'the program `go` is not installed';

describe('README.zh-CN.md', () => {
  /** Comments of shells, and what is typed as a reason, are the reader's own words. */
  const samples = (page: string) =>
    readSamples(page).map(({ language, code }) => [
      language,
      language === 'sh' ? code.replaceAll(/ *#.*|(?<=--reason )".*"/g, '') : code,
    ]);

  it('has the same samples as README.md', () => {
    expect(samples('README.zh-CN.md')).toEqual(samples('README.md'));
  });

  it('has a drawing whose lines stand below each other where Chinese characters are twice as wide', () => {
    const [, drawing] = /^```\n([\s\S]*?)^```$/m.exec(readFileSync(join(root, 'README.zh-CN.md'), 'utf8'))!;
    const rows = drawing!.trimEnd().split('\n').slice(1);
    const columns = rows.map((row) => [...row.replaceAll(/[\u3000-\u9fff\uff00-\uff60]/g, '$&~')]);
    expect(columns.map((row) => row[8] + row[37]!).join(' ')).toMatch(/^([│├][│├┤▶] ?)+$/);
  });
});
