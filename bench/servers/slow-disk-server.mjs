// @ts-check
/**
 * A process: Amends as `amends serve` runs it, on a store whose every commit takes longer. Plain JavaScript, as relay.mjs.
 *
 * Arguments: path of the database file, how much longer in milliseconds.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { resolveConfig, startServer } from '@amends/server';
import { decorated } from '@amends/store';
import { openSqliteStore } from '@amends/store-sql';

const [path = '', fsyncDelayMs] = process.argv.slice(2);
const store = slowDown(await openSqliteStore({ path }), Number(fsyncDelayMs));
const server = await startServer(resolveConfig({ flags: { port: '0', grpcPort: '0' } }).config, { store });
process.once('SIGTERM', () => void server.stop().then(() => process.exit()));
process.send?.({ url: server.url });

/**
 * The store, each of whose commits is answered so much later.
 * @param {import('@amends/store').Store} store
 * @param {number} delayMs
 */
function slowDown(store, delayMs) {
  /** @type {import('@amends/store').Store['commit']} */
  const commit = async (changes) => {
    const answers = await store.commit(changes);
    await pause(delayMs);
    return answers;
  };
  return decorated(store, { commit });
}
