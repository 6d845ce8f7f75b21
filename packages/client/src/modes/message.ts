/**
 * A message that is delivered if, and only if, a local transaction is committed. The application prepares it, runs the local
 * transaction, and submits it. When the application dies in between, the coordinator asks its database.
 */
import type { Transaction } from '../api/api-types.ts';
import type { Preparation, TransactionOptions } from '../api/transaction-port.ts';
import { type Barrier, DuplicatedMessage } from '../barriers/barrier-rows.ts';
import { BusinessFailure } from '../participants/verdict.ts';
import { type EndOptions, follow, type Means } from './open-transaction.ts';

/** What holds for the whole message. */
export interface MessageOptions extends TransactionOptions {
  /** How long after its preparation nothing is delivered. Milliseconds, rounded up to seconds; default 0. */
  readonly delayMs?: number;
}

/** One delivery; tried until it succeeds. */
export interface MessageStep {
  /** Absolute http or https address. */
  readonly action: string;
  /** JSON; default `{}`. */
  readonly payload?: unknown;
}

/** What a message is submitted with. */
export interface MessageSubmit extends EndOptions {
  /** Identity chosen by the caller. Default: one is made. */
  readonly gid?: string;
}

/** The address that knows of the local transaction, and the identity of the message. */
export interface MessagePrepare {
  /** Address that says whether the local transaction was committed: a handler around `queryPrepared` of the same barrier. */
  readonly queryPrepared: string;
  readonly gid?: string;
  readonly signal?: AbortSignal;
}

/** A message being built; immutable: each `step` gives a new one. */
export interface Message {
  /** Adds a delivery; they are made in this order. */
  step(step: MessageStep): Message;
  /** Has it delivered, without a local transaction. */
  submit(how?: MessageSubmit): Promise<Transaction>;
  /**
   * Announces it. It is delivered when it is submitted, or when the coordinator hears that the local transaction was committed.
   */
  prepare(how: MessagePrepare): Promise<PreparedMessage>;
  /**
   * Prepares it, runs work in a local transaction of a database, and submits it if that was committed. When the answer to the
   * commit is lost, it looks into the database; after a crash the coordinator does so, through `queryPrepared`.
   * @param db such as `postgresBarrier(pool)`, `redisBarrier(redis)` or `sqliteBarrier(db)`
   * @throws whatever the work throws, when it was not committed; then the message is given up
   */
  doAndSubmit<Tx, Result>(
    db: Barrier<Tx>,
    work: (tx: Tx) => Result | Promise<Result>,
    how: MessagePrepare & EndOptions,
  ): Promise<Transaction>;
}

/** A message that waits for its local transaction. */
export interface PreparedMessage {
  readonly gid: string;
  /** Has it delivered. @throws AmendsClientError `conflict` when it was given up */
  submit(how?: EndOptions): Promise<Transaction>;
  /** Gives it up. @throws AmendsClientError `conflict` when it was submitted */
  abort(reason: string): Promise<void>;
}

/** Makes a message without deliveries. */
export function emptyMessage(means: Means, options: MessageOptions): Message {
  return buildMessage(means, options, []);
}

function buildMessage(means: Means, options: MessageOptions, steps: readonly MessageStep[]): Message {
  const { delayMs = 0, ...shared } = options;
  const preparation = (gid: string, queryPrepared: string): Preparation => {
    const own = { steps: steps.map(({ action, payload = {} }) => ({ action, payload })), queryPrepared, delayMs };
    return { gid, mode: 'msg', options: shared, message: own };
  };

  async function prepare({ queryPrepared, gid = means.port.newGid(), signal }: MessagePrepare): Promise<PreparedMessage> {
    const prepared = preparation(gid, queryPrepared);
    await means.port.prepare(prepared, signal);
    return {
      gid,
      async submit(how = {}) {
        await means.port.submit(prepared, how.signal);
        return follow(means, gid, how);
      },
      abort: (reason) => means.port.abort(gid, 'msg', reason),
    };
  }

  return {
    step: (step) => buildMessage(means, options, [...steps, step]),
    async submit({ gid = means.port.newGid(), ...how } = {}) {
      await means.port.submit(preparation(gid, ''), how.signal);
      return follow(means, gid, how);
    },
    prepare,
    async doAndSubmit(db, work, { queryPrepared, gid, waitMs, signal }) {
      const how = signal === undefined ? {} : { signal };
      const message = await prepare({ queryPrepared, ...(gid === undefined ? {} : { gid }), ...how });
      await commitOrAbort(message, db, work);
      return message.submit(waitMs === undefined ? how : { ...how, waitMs });
    },
  };
}

/** Runs the local transaction. When it is not committed, the message is given up and the error thrown. */
async function commitOrAbort<Tx, Result>(
  message: PreparedMessage,
  db: Barrier<Tx>,
  work: (tx: Tx) => Result | Promise<Result>,
): Promise<void> {
  const call = { gid: message.gid, transType: 'msg', branchId: '00', op: 'msg' };
  try {
    await db.run(call, (tx) => dropResult(work(tx)));
  } catch (error) {
    if (error instanceof BusinessFailure || !(await wasCommitted(() => db.queryPrepared(call), error))) {
      // Where the coordinator does not hear of it, it asks the database later.
      await message.abort(error instanceof Error ? error.message : String(error)).catch(() => {});
      throw error;
    }
  }
}

/** Drops the result of a message's work, which nobody asks for, so that it is not kept. */
function dropResult(result: unknown): undefined | Promise<undefined> {
  const isLater = typeof (result as PromiseLike<unknown> | null | undefined)?.then === 'function';
  return isLater ? Promise.resolve(result).then(() => undefined) : undefined;
}

/** Asks the database after an error, such as a lost answer to the commit. When it gives no verdict, the error is thrown. */
async function wasCommitted(ask: () => Promise<void>, error: unknown): Promise<boolean> {
  try {
    await ask();
    return true;
  } catch (answer) {
    if (answer instanceof BusinessFailure) return false;
    if (error instanceof DuplicatedMessage) throw answer;
    throw error;
  }
}
