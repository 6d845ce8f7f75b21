/** A SQL session on a SQLite file, as seen from the main thread: requests to the thread that has the file open. */
import { MessageChannel, Worker } from 'node:worker_threads';
import { AmendsError } from '@amends/core';
import type { AnyChange, CommitAnswer } from '@amends/store';
import type { SqlSession } from '../sql-session.ts';
import { type HostClock, hostClock, startClock } from './embedded-clock.ts';
import { applied, conflict, type PackedAnswers } from './thread/apply-changes.ts';
import { type PackedBatch, packChanges } from './thread/pack-changes.ts';
import type { BackupRequest, ThreadReply, ThreadRequest, ThreadValues } from './thread/thread-messages.ts';

export interface SqliteStoreOptions {
  /** Path of the database file; created with its folders, readable by its owner only, when it is not there. */
  readonly path: string;
  /** Called when the thread that has the file open has ended by itself: from then on only a restart of the process helps. */
  readonly onLost?: (error: AmendsError) => void;
  /** Called with the absolute paths of the folder and the file that opening has made, so that a mistyped path is seen. */
  readonly onCreated?: (paths: readonly string[]) => void;
  /** Called with words about what a human should know of the file that was opened. */
  readonly onNote?: (words: string) => void;
  /**
   * Opens a file also when its write-ahead log has lost what was answered for, forgetting that; a copy of the log is kept.
   * Default false: such a file is refused.
   */
  readonly acceptDamagedLog?: boolean;
  /** The host's clocks. Default: the real ones. */
  readonly clock?: HostClock;
}

/** The thread holds one batch and one page of rows at a time; a small young generation keeps its resident memory small. */
const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 4, stackSizeMb: 2 };

/** The thread's entry: built, or from source where this file runs from source. */
const threadSource = new URL('./thread/sqlite-thread.ts', import.meta.url);
const threadUrl = import.meta.url.endsWith('.ts') ? threadSource : new URL('./thread/sqlite-thread.js', import.meta.url);

/** A session that can also be copied. */
export interface SqliteSession extends SqlSession {
  /** As `SqliteStore.backUp`. */
  backUp(file: string): Promise<void>;
}

/**
 * Starts the thread and opens the file in it.
 * @throws AmendsError `store_refused`
 */
export async function openSqliteSession(options: SqliteStoreOptions): Promise<SqliteSession> {
  const {
    path,
    clock = hostClock,
    acceptDamagedLog = false,
    onLost = () => {},
    onCreated = () => {},
    onNote = () => {},
  } = options;
  const thread = new SqliteThread(path, acceptDamagedLog);
  const { highWaterMs, created, notes } = (await thread.opened) as ThreadValues['opened'];
  void thread.lost.then(onLost);
  if (created.length > 0) onCreated(created);
  for (const note of notes) onNote(note);
  const now = startClock(clock, highWaterMs);
  const read: SqlSession['read'] = (queries) => thread.ask({ op: 'read', queries }) as Promise<ThreadValues['rows']>;
  const inTurn = takeTurns();
  return {
    read,
    look: (queries) => inTurn(() => read(queries)),
    write: (queries) => thread.ask({ op: 'write', queries }) as Promise<ThreadValues['rows']>,
    commit: (changes) => commit(thread, changes),
    time: async () => now(),
    giveBack: () => thread.ask({ op: 'giveBack' }) as Promise<boolean>,
    backUp: (file) => thread.backUp(file),
    facts: () => thread.ask({ op: 'facts' }) as Promise<ThreadValues['facts']>,
    close: () => thread.close(),
  };
}

/** Has one thing done after the other, whatever becomes of each. */
function takeTurns(): <T>(act: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (act) => {
    const result = last.then(act);
    last = result.catch(() => {});
    return result;
  };
}

async function commit(thread: SqliteThread, changes: readonly AnyChange[]): Promise<readonly CommitAnswer[]> {
  const { refusals, asked } = send(thread, changes);
  const answers = (await asked) as PackedAnswers;
  let packed = 0;
  return changes.map((_, index) => {
    const message = refusals.get(index);
    return message === undefined ? answerAt(answers, packed++) : { fate: 'refused', message };
  });
}

/** What cannot go to another thread fails the whole message: then each change is examined, and the others go without it. */
function send(thread: SqliteThread, batch: readonly AnyChange[]) {
  const ask = ({ values, refusals }: PackedBatch) => ({ refusals, asked: thread.ask({ op: 'commit', values }, 'unknown') });
  try {
    return ask(packChanges(batch));
  } catch {
    return ask(packChanges(batch, structuredClone));
  }
}

function answerAt(answers: PackedAnswers, index: number): CommitAnswer {
  if (answers === 'unknown') return { fate: 'unknown' };
  const answer = answers === null ? applied : answers[index]!;
  switch (answer) {
    case applied:
      return { fate: 'applied' };
    case conflict:
      return { fate: 'conflict' };
    default:
      return { fate: 'refused', message: answer };
  }
}

function errorOf({ error: { code, message } }: Extract<ThreadReply, { error: unknown }>): Error {
  return code === null ? new Error(message) : new AmendsError(code, message);
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** What the answer is when the thread ends without one; undefined: an error. */
  readonly whenLost: unknown;
}

class SqliteThread {
  readonly opened: Promise<unknown>;
  /** Resolves when it has ended without having been closed. */
  readonly lost: Promise<AmendsError>;
  readonly #path: string;
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  /** In the order in which they were asked. */
  readonly #pending: Pending[] = [];
  /** Why nothing more can be asked; null: it can. */
  #over: AmendsError | null = null;
  #failure: unknown = null;

  constructor(path: string, acceptsDamage: boolean) {
    this.#path = path;
    this.#worker = new Worker(threadUrl, {
      workerData: { path, acceptsDamage },
      name: 'amends-sqlite',
      resourceLimits,
      execArgv: [],
    });
    this.#worker.on('message', (reply: ThreadReply) => this.#settle(reply));
    this.#worker.on('error', (error) => {
      this.#failure = error;
    });
    const { promise, resolve: tellLoss } = Promise.withResolvers<AmendsError>();
    this.lost = promise;
    this.#ended = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#lose(tellLoss);
        resolve();
      });
    });
    this.opened = this.#answerOf(undefined);
  }

  /** Sends a request; `whenLost` answers it if the thread breaks down meanwhile. */
  ask(request: ThreadRequest, whenLost?: unknown): Promise<unknown> {
    if (this.#over !== null) return Promise.reject(this.#over);
    this.#worker.postMessage(request);
    return this.#answerOf(whenLost);
  }

  /** Has the database copied into a new file, while other requests are answered. */
  backUp(file: string): Promise<void> {
    if (this.#over !== null) return Promise.reject(this.#over);
    const { port1: own, port2: port } = new MessageChannel();
    const request: BackupRequest = { op: 'backup', file, port };
    return new Promise((resolve, reject) => {
      own.once('message', (reply: ThreadReply) => {
        if ('value' in reply) resolve();
        else reject(errorOf(reply));
        own.close();
      });
      own.once('close', () => reject(new AmendsError('store_unavailable', 'the store was closed during the backup')));
      this.#worker.postMessage(request, [port]);
    });
  }

  async close(): Promise<void> {
    if (this.#over === null) {
      const closing = this.ask({ op: 'close' });
      this.#over = new AmendsError('store_unavailable', 'the store is closed');
      await closing;
    }
    await this.#ended;
  }

  #answerOf(whenLost: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => this.#pending.push({ resolve, reject, whenLost }));
  }

  #settle(reply: ThreadReply): void {
    const pending = this.#pending.shift()!;
    if ('value' in reply) return pending.resolve(reply.value);
    pending.reject(errorOf(reply));
  }

  /** The thread is gone: nothing more will be answered. */
  #lose(tellLoss: (lost: AmendsError) => void): void {
    const lost = new AmendsError(
      'store_unavailable',
      `the thread that had ${this.#path} open has ended unexpectedly; restart the process`,
      { cause: this.#failure },
    );
    if (this.#over === null) tellLoss(lost);
    this.#over ??= lost;
    for (const { resolve, reject, whenLost } of this.#pending.splice(0)) {
      if (whenLost !== undefined) resolve(whenLost);
      else reject(lost);
    }
  }
}
