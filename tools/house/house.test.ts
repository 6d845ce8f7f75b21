/** The rules of the house, each with what breaks it and what does not. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { checkPackages, checkRooms } from './arrows.ts';
import { checkCodes } from './codes.ts';
import { exceptions } from './exceptions.ts';
import { describe as tell, withoutExceptions } from './finding.ts';
import { checkDocComments, checkTypeNames } from './names.ts';
import { floors } from './plan.ts';
import { checkFolders, checkWidths } from './size.ts';
import { parseSource, type Source } from './source.ts';

const house = 'packages/inn/src';

/** Sources of a package by their paths within it. */
function sources(texts: Readonly<Record<string, string>>): readonly Source[] {
  return Object.entries(texts).map(([path, text]) => parseSource(`${house}/${path}`, text));
}

describe('rooms', () => {
  const plan = { [house]: 'cellar < kitchen bar < host < .' };
  const check = (texts: Readonly<Record<string, string>>) => checkRooms(sources(texts), plan).map(tell);

  test('a room uses those below it, and a file beside the rooms that the plan does not name uses all', () => {
    expect(
      check({
        'kitchen/cook.ts': "import { wine } from '../cellar/wine.ts';",
        'bar/pour.ts': "export { wine } from '../cellar/wine.ts';",
        'host.ts': "import { cook } from './kitchen/cook.ts';\nimport undici from 'undici';",
        'index.ts': "export * from './host.ts';\nimport '../../barn/src/hay.ts';",
      }),
    ).toEqual([]);
  });

  test.each([
    ['above it', 'kitchen/cook.ts', "\nimport { host } from '../host.ts';", 'kitchen must not use host'],
    ['beside it', 'bar/pour.ts', "\nimport type { Cook } from '../kitchen/cook.ts';", 'bar must not use kitchen'],
    ['above it while it runs', 'cellar/wine.ts', "\nawait import('../bar/pour.ts');", 'cellar must not use bar'],
    ['above it for others', 'cellar/wine.ts', "\nexport * from '../index.ts';", 'cellar must not use .'],
    ['that the plan does not name', 'bar/pour.ts', "\nimport '../stable/horse.ts';", 'bar must not use stable'],
  ])('no room uses one %s', (_, path, text, words) => {
    const remedy = 'move what both need down, or change the floors in tools/house/plan.ts';
    expect(check({ [path]: text })).toEqual([`${house}/${path}:2 arrows: ${words}: ${remedy}`]);
  });

  test('a new room needs a floor', () => {
    expect(check({ 'stable/horse.ts': '' })).toEqual([expect.stringContaining('the room stable stands on no floor')]);
  });

  test('tests use everything', () => {
    const text = "import '../index.ts';";
    expect(check({ 'cellar/wine.test.ts': text, 'testing/guest.ts': text })).toEqual([]);
  });

  test('the plan names folders that are there', () => {
    const root = dirname(dirname(import.meta.dirname));
    for (const folder of Object.keys(floors)) expect(existsSync(join(root, folder)), folder).toBe(true);
  });
});

describe('packages', () => {
  const folder = mkdtempSync(join(tmpdir(), 'amends-house-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('a package depends on what the plan allows; its tests on anything', () => {
    const write = (name: string, text: object) => {
      mkdirSync(join(folder, 'packages', name), { recursive: true });
      writeFileSync(join(folder, 'packages', name, 'package.json'), JSON.stringify(text));
    };
    write('inn', { dependencies: { '@amends/barn': '1', zod: '1' }, devDependencies: { '@amends/town': '1' } });
    write('barn', { peerDependencies: { '@amends/inn': '1' } });
    expect(checkPackages(folder, { inn: ['barn'], barn: [] }).map(tell)).toEqual([
      'packages/barn/package.json arrows: barn must not use @amends/inn: ask for it by a port, or change tools/house/plan.ts',
    ]);
  });
});

describe('sizes', () => {
  const many = (count: number, suffix: string) =>
    sources(Object.fromEntries(Array.from({ length: count }, (_, index) => [`bar/pour-${index}${suffix}`, ''])));

  test('a folder holds at most fifteen sources, and any number of tests', () => {
    expect(checkFolders([...many(15, '.ts'), ...many(15, '.test.ts')])).toEqual([]);
    expect(checkFolders(many(16, '.ts')).map(tell)).toEqual([
      `${house}/bar folder-size: 16 sources in one folder, at most 15: give it rooms, folders that each have one topic`,
    ]);
  });

  test.each([
    ['a doc comment', `/** ${'a'.repeat(40)} */`],
    ['a line of a doc comment', `/**\n * ${'a'.repeat(40)}\n */`],
    ['a comment of one line', `\n// ${'a'.repeat(40)}`],
  ])('%s is wrapped', (_, text) => {
    expect(checkWidths(sources({ 'a.ts': text }), 40).map(({ rule }) => rule)).toEqual(['comment-width']);
  });

  test('texts may be wider: the formatter leaves them whole, and so they can be found', () => {
    expect(checkWidths(sources({ 'a.ts': `const a = '// ${'a'.repeat(40)}';` }), 40)).toEqual([]);
  });
});

describe('names', () => {
  test('a type has the name of no other in its package, exported or not', () => {
    const twice = sources({ 'a.ts': 'export interface Answer {}', 'bar/b.test.ts': '\ntype Answer = string;' });
    expect(checkTypeNames([...twice, parseSource('packages/barn/src/a.ts', 'class Answer {}')]).map(tell)).toEqual([
      `packages/inn type-names: Answer is declared 2 times (${house}/a.ts:1, ${house}/bar/b.test.ts:2): share one or rename`,
    ]);
  });

  test.each([
    ['/** How to ask. */\nexport interface AskOptions {}', 'AskOptions'],
    ['/** The answers. */\nconst answer = 1;', 'answer'],
    ['/**\n * Asking for it.\n */\nexport async function ask() {}', 'ask'],
    ['interface A {\n  /** Its name. */\n  readonly name: string;\n}', 'name'],
  ])('a doc comment says more than the name', (text, name) => {
    const found = checkDocComments(sources({ 'a.ts': text }));
    expect(found.map(({ words }) => words)).toEqual([expect.stringContaining(`repeats the name ${name}: say more or nothing`)]);
  });

  test.each([
    '/** Asks at most once in a second. */\nexport function ask() {}',
    '// ask\nask();',
    '/** Milliseconds. */\nconst timeout = 1;',
  ])('what says something stays', (text) => {
    expect(checkDocComments(sources({ 'a.ts': text }))).toEqual([]);
  });
});

describe('codes of invariants', () => {
  const path = `${house}/inn.ts`;
  const tested = { path: 'tests/night.ts', text: "violated('INN-1')" };
  const check = (text: string) => checkCodes([{ path, text }, tested]).map(tell);

  test('a code that is defined and cited by a test is well', () => {
    expect(check('/**\n * INN-1: Guests pay.\n * UTF-8 is no invariant.\n */\n// as INN-1 says')).toEqual([]);
    expect(check('| INN-1 | Guests pay. |')).toEqual([]);
  });

  test('what is cited is defined', () => {
    expect(check('/**\n * INN-1: Guests pay.\n */\n// as INN-3 says')).toEqual([
      `${path}:4 invariants: INN-3 is defined nowhere: cite what is, or define it`,
    ]);
  });

  test('a code is defined once', () => {
    expect(check('/**\n * INN-1: Guests pay.\n * INN-1: Guests sleep.\n */')).toEqual([
      `${path}:3 invariants: INN-1 is defined in ${path}:2 too: take the next free number`,
    ]);
  });

  test('what is defined is cited by a test', () => {
    expect(check('/**\n * INN-1: Guests pay.\n * INN-2: Guests sleep.\n */\n// INN-2')).toEqual([
      `${path}:3 invariants: INN-2 is cited by no test: write one that shows it, and cite it there`,
    ]);
  });
});

describe('exceptions', () => {
  const finding = { rule: 'folder-size', where: 'bar', words: 'too many' };

  test('an exception covers one place of one rule', () => {
    const covered = { rule: 'folder-size', where: 'bar', reason: 'a list' };
    expect(withoutExceptions([finding], [covered])).toEqual([]);
    expect(withoutExceptions([finding, { ...finding, where: 'cellar' }], [covered])).toHaveLength(1);
  });

  test('an exception that nothing needs any more is to go', () => {
    expect(withoutExceptions([], [{ ...finding, reason: 'a list' }]).map(tell)).toEqual([
      'tools/house/exceptions.ts exceptions: bar keeps the rule folder-size now: take its exception out',
    ]);
  });

  test('each has a reason', () => {
    for (const { where, reason } of exceptions) expect(reason, where).not.toBe('');
  });
});

test('what is no program is named', () => {
  expect(() => parseSource('packages/inn/a.ts', 'const = 1;')).toThrow(/^packages\/inn\/a\.ts: /);
});
