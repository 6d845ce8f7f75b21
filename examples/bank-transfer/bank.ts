/** One bank: its accounts in its own database, and the calls by which a transfer moves money out of them and into them. */
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
db.exec(`CREATE TABLE IF NOT EXISTS account (
  name TEXT PRIMARY KEY,
  cents INTEGER NOT NULL CHECK (cents >= 0)
) STRICT`);
const open = db.prepare('INSERT OR IGNORE INTO account (name, cents) VALUES (?, ?)');
const take = db.prepare('UPDATE account SET cents = cents - :cents WHERE name = :account AND cents >= :cents');
const give = db.prepare('UPDATE account SET cents = cents + :cents WHERE name = :account');
const accounts = db.prepare('SELECT name, cents FROM account ORDER BY name');
for (const account of options.account) open.run(account.split('='));

/** What a transfer asks of a bank. */
interface Posting {
  readonly account: string;
  readonly cents: number;
}

const debit = (posting: Posting) => {
  checkAmount(posting);
  if (take.run(posting).changes === 0) throw new BusinessFailure(`${posting.account} has less than ${posting.cents} cents here`);
};

const credit = (posting: Posting) => {
  checkAmount(posting);
  if (give.run(posting).changes === 0) throw new BusinessFailure(`${posting.account} has no account here`);
};

/** Refuses amounts below one cent: a negative debit would add money, and a negative credit would take it. */
function checkAmount({ cents }: Posting): void {
  if (!Number.isSafeInteger(cents) || cents <= 0) throw new BusinessFailure(`${cents} is no amount: whole cents, more than none`);
}

const app = Fastify();
app.post(
  '/debit',
  participant((call) => barrier(db, call, () => debit(call.body as Posting))),
);
app.post(
  '/refund',
  participant((call) => barrier(db, call, () => credit(call.body as Posting))),
);
app.post(
  '/credit',
  participant((call) => barrier(db, call, () => credit(call.body as Posting))),
);
app.get('/accounts', () => accounts.all());

const address = await app.listen({ host: '127.0.0.1', port: Number(options.port) });
console.log(`bank ${options.name} listens on ${address}`);
