/**
 * Preloaded into a service (`node --import …`): boundaries around its database commits, its answers to branch calls and to
 * callers.
 */
import Database from 'better-sqlite3';
import { Redis } from 'ioredis';
import pg from 'pg';
import { watchAnswers } from './answers.ts';
import { pass } from './boundary.ts';

type Transaction = ReturnType<typeof Database.prototype.transaction>;
type Run = (...args: unknown[]) => unknown;

const begin = Database.prototype.transaction;
let depth = 0;

Database.prototype.transaction = function (this: Database.Database, work: Run) {
  const transaction: Transaction = begin.call(this, function (this: unknown, ...args) {
    const result = Reflect.apply(work, this, args);
    if (depth === 1) pass('before-commit');
    return result;
  });
  const watch = (run: Run): Run =>
    function (this: unknown, ...args) {
      depth += 1;
      try {
        const result = Reflect.apply(run, this, args);
        if (depth === 1) pass('after-commit');
        return result;
      } finally {
        depth -= 1;
      }
    };
  const { deferred, immediate, exclusive } = transaction;
  return Object.assign(watch(transaction), {
    default: watch(transaction),
    deferred: watch(deferred),
    immediate: watch(immediate),
    exclusive: watch(exclusive),
  });
} as typeof begin;

/** In Redis each write is a commit. */
const writes: ReadonlySet<string> = new Set(['eval', 'set']);
const send = Redis.prototype.sendCommand;
Redis.prototype.sendCommand = function (this: Redis, command, ...rest) {
  const write = () => Reflect.apply(send, this, [command, ...rest]) as Promise<unknown>;
  if (!writes.has(command.name)) return write();
  pass('before-commit');
  return write().then((answer) => {
    pass('after-commit');
    return answer;
  });
};

/** In Postgres what ends a transaction, or prepares its end, is a commit. */
const commits = /^(PREPARE TRANSACTION|COMMIT|ROLLBACK PREPARED)/;
const { query } = pg.Client.prototype;
pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
  const [statement] = args as [string | { readonly text?: string }];
  const text = typeof statement === 'string' ? statement : (statement.text ?? '');
  if (!commits.test(text)) return Reflect.apply(query, this, args);
  pass('before-commit');
  const last = args.at(-1);
  if (typeof last === 'function')
    return Reflect.apply(query, this, [
      ...args.slice(0, -1),
      (...answer: unknown[]) => {
        pass('after-commit');
        last(...answer);
      },
    ]);
  return (Reflect.apply(query, this, args) as Promise<unknown>).then((answer) => {
    pass('after-commit');
    return answer;
  });
} as typeof query;

watchAnswers(({ method, url }) => method === 'POST' || url?.includes('trans_type=') === true);
