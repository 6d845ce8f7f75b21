/**
 * A process that commits batches and says so: `node committing-process.mjs PATH BATCHES`. Prints `open`, then after each
 * acknowledged batch its number, and ends by itself when it has closed the store. Killed by tests at any moment.
 */
import { writeSync } from 'node:fs';
import { firstChange, gidOf, nextChange, sampleAudit } from '@amends/store/contract';
import { openSqliteStore } from '../dist/index.js';

const [path, batches] = process.argv.slice(2);
const transactionsPerBatch = 8;
const store = await openSqliteStore({ path });
writeSync(1, 'open\n');

let before = [];
for (let batch = 0; batch < Number(batches); batch += 1) {
  const begun = Array.from({ length: transactionsPerBatch }, (_, n) =>
    firstChange(gidOf(`g-${batch}-${n}`), {}, extras('first')),
  );
  const answers = await store.commit([...begun, ...before.map((change) => nextChange(change.row, {}, extras('second')))]);
  if (answers.some((answer) => answer.fate !== 'applied')) throw new Error(JSON.stringify(answers));
  before = begun;
  writeSync(1, `${batch}\n`);
}
await store.close();

function extras(key) {
  const records = [{ kind: 'record', key, content: new TextEncoder().encode(key) }];
  return { records, audit: [sampleAudit(gidOf('any'), { verb: key })] };
}
