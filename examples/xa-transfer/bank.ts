/** One bank: its accounts in Postgres, which prepares a posting and waits with it for the decision. */
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { AmendsClient, BusinessFailure } from '@amends/client';
import { participant } from '@amends/client/fastify';
import { postgresBarrier, postgresXa } from '@amends/client/postgres';
import Fastify from 'fastify';
import pg from 'pg';

const { values: options } = parseArgs({
  options: {
    name: { type: 'string', default: 'a' },
    port: { type: 'string', default: '0' },
    // Names the bank's own schema: banks that are told different files share nothing.
    db: { type: 'string', default: 'bank.db' },
    server: { type: 'string', default: 'http://127.0.0.1:36789' },
    postgres: { type: 'string', default: 'postgres://127.0.0.1/amends' },
    // `--account ann=10000` opens an account with so many cents, unless the database has it already.
    account: { type: 'string', multiple: true, default: [] },
  },
});

const pool = new pg.Pool({ connectionString: options.postgres });
const schema = `bank_${createHash('sha256').update(options.db).digest('hex').slice(0, 12)}`;
const table = `${schema}.barrier`;
await postgresBarrier(pool, { table }).createTable();
await pool.query(
  `CREATE TABLE IF NOT EXISTS ${schema}.account (name text PRIMARY KEY, cents bigint NOT NULL CHECK (cents >= 0))`,
);
// The SELECT comes first: an INSERT would wait for a posting that is prepared for the account, and so this bank for itself.
const { rows: known } = await pool.query<{ name: string }>(`SELECT name FROM ${schema}.account`);
for (const [name, cents] of options.account.map((account) => account.split('=')))
  if (!known.some((account) => account.name === name))
    await pool.query(`INSERT INTO ${schema}.account VALUES ($1, $2)`, [name, cents]);

/** What a transfer asks of a bank. */
interface Posting {
  readonly account: string;
  readonly cents: number;
}

async function post(tx: pg.PoolClient, { account, cents }: Posting, sign: 1 | -1): Promise<void> {
  if (!Number.isSafeInteger(cents) || cents <= 0) throw new BusinessFailure(`${cents} is no amount: whole cents, more than none`);
  const change = `UPDATE ${schema}.account SET cents = cents + $2 WHERE name = $1 AND cents + $2 >= 0`;
  const { rowCount } = await tx.query(change, [account, sign * cents]);
  if (rowCount === 1) return;
  throw new BusinessFailure(sign < 0 ? `${account} has less than ${cents} cents here` : `${account} has no account here`);
}

const amends = new AmendsClient({ server: options.server });
const accounts = postgresXa(pool, { table });
const app = Fastify();
app.post('/withdraw', participant(amends.xaBranch<pg.PoolClient, Posting>(accounts, (tx, { body }) => post(tx, body, -1))));
app.post('/deposit', participant(amends.xaBranch<pg.PoolClient, Posting>(accounts, (tx, { body }) => post(tx, body, 1))));
app.get('/accounts', async () => (await pool.query(`SELECT name, cents::int FROM ${schema}.account ORDER BY name`)).rows);
app.get('/prepared', () => accounts.prepared());

const address = await app.listen({ host: '127.0.0.1', port: Number(options.port) });
console.log(`bank ${options.name} listens on ${address}`);
