/** Preloaded into a service (`node --import …`): boundaries around its database commits and its answers to branch calls. */
import Database from 'better-sqlite3';
import { Redis } from 'ioredis';
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
  const watched = (run: Run): Run =>
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
  return Object.assign(watched(transaction), {
    default: watched(transaction),
    deferred: watched(deferred),
    immediate: watched(immediate),
    exclusive: watched(exclusive),
  });
} as typeof begin;

/** In Redis each write is a commit. */
const writes: ReadonlySet<string> = new Set(['eval', 'set']);
const send = Redis.prototype.sendCommand;
Redis.prototype.sendCommand = function (this: Redis, command, ...rest) {
  const sent = () => Reflect.apply(send, this, [command, ...rest]) as Promise<unknown>;
  if (!writes.has(command.name)) return sent();
  pass('before-commit');
  return sent().then((answer) => {
    pass('after-commit');
    return answer;
  });
};

watchAnswers((request) => request.url?.includes('trans_type=') === true);
