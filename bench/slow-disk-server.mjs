/**
 * A process: Amends as `amends serve` runs it, on a store whose every commit takes longer. Plain JavaScript, as relay.mjs.
 *
 * Arguments: path of the database file, how much longer in milliseconds.
 */
import { resolveConfig, startServer } from '@amends/server';
import { openSqliteStore } from '@amends/store-sql';

const [path, fsyncDelayMs] = process.argv.slice(2);
const store = await openSqliteStore({ path, fsyncDelayMs: Number(fsyncDelayMs) });
const server = await startServer(resolveConfig({ flags: { port: '0' } }).config, { store });
process.once('SIGTERM', () => void server.stop().then(() => process.exit()));
process.send({ url: server.url });
