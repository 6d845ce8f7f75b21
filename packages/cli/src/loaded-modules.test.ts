/** What a command loads: whoever looks at a transaction does not wait for a server to be read from the disk. */
import { expect, test } from 'vitest';
import { amendsBy } from './testing/amends-command.ts';

/** Tells on standard error which modules are loaded, one a line. */
const tell = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  import { writeSync } from 'node:fs';
  registerHooks({ load(url, context, next) { writeSync(2, 'loaded ' + url + '\\n'); return next(url, context); } });
`)}`;

async function modulesOf(...args: readonly string[]): Promise<readonly string[]> {
  const { stderr } = await amendsBy({ nodeArgs: ['--import', tell] }, ...args);
  return [...stderr.matchAll(/^loaded (.*)$/gm)].map((match) => match[1]!);
}

/** The server, what it stands on, and its libraries; not the few files of its package that are for commands. */
const ofServer =
  /packages\/(?:core|store|store-sql|wire|coordinator)\/|packages\/server\/dist\/(?:server|index)\.js|node_modules\/(?:fastify|pino|zod|better-sqlite3|@grpc)\//;

test.each([
  [['--version']],
  [['version']],
  [['--help']],
  [['tx', '--help']],
  [['tx', 'list', '--server', 'http://127.0.0.1:1']],
  [['store', '--help']],
  [['bench', '--help']],
])('%j loads no server', async (args) => {
  const loaded = await modulesOf(...args);
  expect(loaded).toContainEqual(expect.stringMatching(/packages\/cli\/dist\/main\.js$/));
  expect(loaded.filter((url) => ofServer.test(url))).toEqual([]);
});

test('serve --help does, for the options are the server’s', async () => {
  expect((await modulesOf('serve', '--help')).filter((url) => ofServer.test(url))).not.toEqual([]);
});
