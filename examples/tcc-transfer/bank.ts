/** One bank: money that a transfer may need is set aside when it is tried, and moves when it is confirmed. */
import { parseArgs } from 'node:util';
import { BusinessFailure, barrier } from '@amends/client';
import { participant } from '@amends/client/fastify';
import Database from 'better-sqlite3';
import Fastify from 'fastify';

const { values: options } = parseArgs({
  options: {
    name: { type: 'string', default: 'a' },
    port: { type: 'string', default: '0' },
    db: { type: 'string', default: 'bank.db' },
    // `--account ann=10000` opens an account with so many cents, unless the database has it already.
    account: { type: 'string', multiple: true, default: [] },
  },
});

const db = new Database(options.db);
db.pragma('journal_mode = WAL');
// `cents` can be spent; `leaving` was spent by a transfer that is not confirmed; `coming` may be spent once it is.
db.exec(`CREATE TABLE IF NOT EXISTS account (
  name TEXT PRIMARY KEY,
  cents INTEGER NOT NULL CHECK (cents >= 0),
  leaving INTEGER NOT NULL DEFAULT 0 CHECK (leaving >= 0),
  coming INTEGER NOT NULL DEFAULT 0 CHECK (coming >= 0)
) STRICT`);
const open = db.prepare('INSERT OR IGNORE INTO account (name, cents) VALUES (?, ?)');
const accounts = db.prepare('SELECT name, cents, leaving, coming FROM account ORDER BY name');
for (const account of options.account) open.run(account.split('='));

/** What a transfer asks of a bank. */
interface Posting {
  readonly account: string;
  readonly cents: number;
}

const change = (set: string, where = '') => db.prepare(`UPDATE account SET ${set} WHERE name = :account ${where}`);

/** What each call does, by its path: `withdraw/try` sets money aside, and so on. */
const postings = {
  'withdraw/try': change('cents = cents - :cents, leaving = leaving + :cents', 'AND cents >= :cents'),
  'withdraw/confirm': change('leaving = leaving - :cents'),
  'withdraw/cancel': change('cents = cents + :cents, leaving = leaving - :cents'),
  'deposit/try': change('coming = coming + :cents'),
  'deposit/confirm': change('cents = cents + :cents, coming = coming - :cents'),
  'deposit/cancel': change('coming = coming - :cents'),
};

/** Posts an amount. Only a try is refused: a bank that has agreed to a try can do the rest. */
function post(path: string, statement: Database.Statement, posting: Posting): void {
  const { account, cents } = posting;
  if (!Number.isSafeInteger(cents) || cents <= 0) throw new BusinessFailure(`${cents} is no amount: whole cents, more than none`);
  if (statement.run(posting).changes > 0) return;
  const reason = path === 'withdraw/try' ? `${account} has less than ${cents} cents here` : `${account} has no account here`;
  throw new BusinessFailure(reason);
}

const app = Fastify();
for (const [path, statement] of Object.entries(postings))
  app.post(
    `/${path}`,
    participant((call) => barrier(db, call, () => post(path, statement, call.body as Posting))),
  );
app.get('/accounts', () => accounts.all());

const address = await app.listen({ host: '127.0.0.1', port: Number(options.port) });
console.log(`bank ${options.name} listens on ${address}`);
