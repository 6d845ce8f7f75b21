/** The client of applications: begins transactions, follows them, acts on them. */
import type {
  Audit,
  Health,
  History,
  HistoryEntry,
  Limits,
  Mode,
  NewSaga,
  Status,
  Transaction,
  TransactionList,
  TransactionSummary,
} from './api/api-types.ts';
import { type Connection, connect, transactionPath } from './api/connection.ts';
import { makeGid } from './api/gid.ts';
import { nativePort } from './api/native-port.ts';
import { type Caller, pause } from './api/pause.ts';
import { type ClientRetry, retryWithDefaults } from './api/retry-pause.ts';
import type { OnlyJson } from './barriers/kept-json.ts';
import type { PreparedBranch, XaResource } from './barriers/xa-resource.ts';
import { emptyMessage, type Message, type MessageOptions } from './modes/message.ts';
import { type BeginOptions, begin, type Means, type OpenTransaction, type RunOptions } from './modes/open-transaction.ts';
import { emptySaga, type Saga, type SagaOptions, type SubmitOptions } from './modes/saga.ts';
import { joinTcc, runTcc, type Tcc } from './modes/tcc.ts';
import type { RegisteredWorkflow, WorkflowFunction, WorkflowOptions } from './modes/workflow/workflow.ts';
import { type Workflows, workflowRegistry } from './modes/workflow/workflow-registry.ts';
import { findOrphans, runXa, type Xa, type XaWork, xaHandler } from './modes/xa.ts';
import type { Call } from './participants/call.ts';
import { connectParticipants, type Participants } from './participants/participant-request.ts';
import type { Handler } from './participants/verdict.ts';

interface JoinOptions {
  readonly signal?: AbortSignal;
}

/** Where the server is, and how to talk to it. */
export interface AmendsClientOptions {
  /** Base address of the server, such as `http://127.0.0.1:36789`. */
  readonly server: string;
  /** Who acts, for the audit of `terminate` and `retry`. Default: the server writes `anonymous`. */
  readonly actor?: string;
  /** How requests are sent again when the server cannot be reached or has no room. */
  readonly retry?: ClientRetry;
  /** Time for one answer, beside the waiting that was asked for. Milliseconds; default 10 s. */
  readonly requestTimeoutMs?: number;
  /** Connections at most; a request that waits for an outcome occupies one. Default 256. */
  readonly connectionsMax?: number;
}

/** How long `wait` takes at most, and the signal that ends it. */
export interface WaitOptions {
  /** How long at most. Milliseconds; default: until it ends or is held. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
}

/** The signal that gives up a request. */
export interface ReadOptions {
  readonly signal?: AbortSignal;
}

/** Which rows of a history to read. */
export interface HistoryOptions extends ReadOptions {
  /** Rows after this sequence number. Default 0: all. */
  readonly afterSeq?: number;
}

/** Which transactions to list. */
export interface ListFilters {
  readonly status?: Status;
  readonly mode?: Mode;
  /** true: only those on hold; false: only those not. */
  readonly held?: boolean;
  /** Created at this moment or later. ISO 8601 with a time zone. */
  readonly createdFrom?: string;
  /** Created before this moment. ISO 8601 with a time zone. */
  readonly createdBefore?: string;
  /** Rows of a page; default 50. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
}

/** Which audit rows to read. */
export interface AuditFilters {
  /** Only those about this transaction, which may be deleted by now. */
  readonly gid?: string;
  /** Rows of a page; default 50. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
}

/** Who acts on a transaction, and why. */
export interface InterventionOptions extends ReadOptions {
  /** Recorded in its history. */
  readonly reason: string;
  /** Act only if it still has this version. */
  readonly expectedVersion?: number;
  /** Who acts, where it is not the client's actor. */
  readonly actor?: string;
}

/** How long one request waits at most, because proxies cut longer ones. Milliseconds. */
const waitMsPerRequest = 30_000;
/**
 * The server answers at once while nothing is due. The pauses before it is asked again grow from the first to the longest.
 * Milliseconds.
 */
const lookAgainMs = { first: 50, longest: 1_000 } as const;
const historyRowsPerPage = 1_000;

/** A client of one server. Cheap to share, safe for concurrent use; every method rejects with `AmendsClientError`. */
export class AmendsClient {
  readonly #connection: Connection;
  readonly #actor: string | null;
  readonly #participants: Participants;
  readonly #means: Means;
  readonly #workflows: Workflows;

  /** Connects with the first request. @throws AmendsClientError `invalid_request` when `server` is no address */
  constructor({ server, actor, retry = {}, requestTimeoutMs = 10_000, connectionsMax = 256 }: AmendsClientOptions) {
    this.#connection = connect({ server, retry: retryWithDefaults(retry), requestTimeoutMs, connectionsMax });
    this.#actor = actor ?? null;
    this.#participants = connectParticipants();
    const port = nativePort(this.#connection, server);
    this.#means = { port, participants: this.#participants, wait: (gid, how) => this.wait(gid, how) };
    this.#workflows = workflowRegistry(this.#means);
  }

  /** Makes an empty saga. Nothing is sent before its `submit`. */
  saga(options: SagaOptions = {}): Saga {
    return emptySaga(options, (saga, how) => this.#submit(saga, how));
  }

  /**
   * Runs a TCC transaction. When `work` returns, all branches are confirmed; when it throws, all are cancelled.
   * @throws what `work` throws, once the coordinator has been told; AmendsClientError
   */
  tcc(work: (tcc: Tcc) => unknown, options: RunOptions = {}): Promise<Transaction> {
    return runTcc(this.#means, work, options);
  }

  /** Adds branches to a branch of TCC. The handler of its try uses it. */
  joinTcc(call: Call, { signal }: JoinOptions = {}): Tcc {
    return joinTcc(this.#means, call, signal);
  }

  /** Makes an empty message. Nothing is sent before it is prepared or submitted. */
  message(options: MessageOptions = {}): Message {
    return emptyMessage(this.#means, options);
  }

  /**
   * Runs an XA transaction. When `work` returns, all branches are committed; when it throws, all are rolled back.
   * @throws what `work` throws, once the coordinator has been told; AmendsClientError
   */
  xa(work: (xa: Xa) => unknown, options: RunOptions = {}): Promise<Transaction> {
    return runXa(this.#means, work, options);
  }

  /**
   * Makes a handler for all phases of a branch of XA, to be wrapped by `participant`.
   * @param resource such as `postgresXa(pool)` or `mysqlXa(pool)`
   * @param work changes the database by `tx` alone. Its return value is the answer; an error undoes its changes
   */
  xaBranch<Tx, Body = unknown>(resource: XaResource<Tx>, work: XaWork<Tx, Body>): Handler<Body> {
    return xaHandler(this.#means, resource, work);
  }

  /**
   * Finds prepared branches of a database whose transaction has ended or is not known to this server. They hold their locks
   * until a human ends them; make sure first that no other coordinator uses that database.
   */
  orphanedBranches<Tx>(resource: XaResource<Tx>): Promise<readonly PreparedBranch[]> {
    return findOrphans(resource, (gid) => this.get(gid));
  }

  /**
   * Registers a workflow under a name, which must stay the same as long as any of its runs is under way.
   * @param work may run again from the beginning at any time. Its steps are recorded; the rest of it must do the same each time.
   * It takes and returns JSON
   */
  workflow<Input, Result>(
    name: string,
    work: WorkflowFunction<Input, Result> & OnlyJson<Input> & OnlyJson<Result>,
    options: WorkflowOptions,
  ): RegisteredWorkflow<Input, Result> {
    return this.#workflows.register(name, work, options);
  }

  /** Makes the handler by which the coordinator has workflows run again, to be wrapped by `participant`. */
  resumeWorkflows(): Handler {
    return this.#workflows.resume;
  }

  /** Prepares a transaction whose branches the caller adds itself. `tcc` and `xa` are made of it. */
  begin(mode: 'tcc' | 'xa', options: BeginOptions = {}): Promise<OpenTransaction> {
    return begin(this.#means, mode, options);
  }

  /** Reads a transaction as it is now. @throws AmendsClientError `not_found` */
  get(gid: string, { signal }: ReadOptions = {}): Promise<Transaction> {
    return this.#look(gid, 0, signal);
  }

  /**
   * Waits until a transaction has ended or is on hold, or for `waitMs`, and returns it as it is then.
   * @throws AmendsClientError `not_found`; `aborted`
   */
  async wait(gid: string, { waitMs = Number.POSITIVE_INFINITY, signal }: WaitOptions = {}): Promise<Transaction> {
    const until = performance.now() + waitMs;
    for (let pauseMs: number = lookAgainMs.first; ; pauseMs = Math.min(pauseMs * 2, lookAgainMs.longest)) {
      const leftMs = Math.max(0, Math.ceil(until - performance.now()));
      const transaction = await this.#look(gid, Math.min(leftMs, waitMsPerRequest), signal);
      if (isAtRest(transaction) || performance.now() >= until) return transaction;
      await pause(Math.min(pauseMs, leftMs), { gid, signal });
    }
  }

  /** Reads the whole history of a transaction, oldest row first. @throws AmendsClientError `not_found` */
  async history(gid: string, { afterSeq = 0, signal }: HistoryOptions = {}): Promise<readonly HistoryEntry[]> {
    const all: HistoryEntry[] = [];
    for (;;) {
      const query = queryOf({ afterSeq: all.at(-1)?.seq ?? afterSeq, limit: historyRowsPerPage });
      const { entries } = await this.#read<History>(`${transactionPath(gid)}/history${query}`, { gid, signal });
      all.push(...entries);
      if (entries.length < historyRowsPerPage) return all;
    }
  }

  /** Reads one page of transactions, newest first. */
  list(filters: ListFilters = {}, { signal }: ReadOptions = {}): Promise<TransactionList> {
    return this.#read<TransactionList>(`/transactions${queryOf({ ...filters })}`, { signal });
  }

  /** Reads all transactions, newest first, page by page while they are consumed. */
  async *listAll(filters: ListFilters = {}, options: ReadOptions = {}): AsyncGenerator<TransactionSummary, void, undefined> {
    let page = await this.list(filters, options);
    yield* page.transactions;
    while (page.next !== null) {
      page = await this.list({ ...filters, cursor: page.next }, options);
      yield* page.transactions;
    }
  }

  /** Reads one page of the audit rows, newest first. */
  audit(filters: AuditFilters = {}, { signal }: ReadOptions = {}): Promise<Audit> {
    return this.#read<Audit>(`/audit${queryOf({ ...filters })}`, { signal });
  }

  /**
   * Ends a transaction as it stands; nothing is undone.
   * @throws AmendsClientError `not_found`, `already_finished`, `version_conflict`
   */
  terminate(gid: string, options: InterventionOptions): Promise<Transaction> {
    return this.#intervene('terminate', gid, options);
  }

  /**
   * Lifts a hold and tries at once what waits.
   * @throws AmendsClientError `not_found`, `already_finished`, `version_conflict`
   */
  retry(gid: string, options: InterventionOptions): Promise<Transaction> {
    return this.#intervene('retry', gid, options);
  }

  /** Reads the health of the server. */
  health({ signal }: ReadOptions = {}): Promise<Health> {
    return this.#read<Health>('/health', { signal });
  }

  /** Reads the limits of the server. */
  limits({ signal }: ReadOptions = {}): Promise<Limits> {
    return this.#read<Limits>('/limits', { signal });
  }

  /** Closes the connections. Requests under way fail with `closed`; transactions go on. Idempotent. */
  async close(): Promise<void> {
    await Promise.all([this.#connection.close(), this.#participants.close()]);
  }

  async #submit(saga: NewSaga, options: SubmitOptions): Promise<Transaction> {
    const { gid = makeGid(), traceparent, waitMs = 0, signal } = options;
    const headers = traceparent === undefined ? {} : { traceparent };
    const until = performance.now() + waitMs;
    const firstWaitMs = Math.min(waitMs, waitMsPerRequest);
    const path = `/transactions${queryOf({ waitMs: firstWaitMs })}`;
    const how = { method: 'POST', headers, repeatable: true, waitMs: firstWaitMs, gid, signal } as const;
    const submitted = (await this.#connection.send({ ...how, path, body: { ...saga, gid } })) as Transaction;
    const leftMs = until - performance.now();
    if (isAtRest(submitted) || leftMs <= 0) return submitted;
    return this.wait(gid, { waitMs: leftMs, ...(signal === undefined ? {} : { signal }) });
  }

  /** An act whose answer was lost is not repeated: it may have been done, and a second one would be recorded too. */
  async #intervene(verb: 'terminate' | 'retry', gid: string, options: InterventionOptions): Promise<Transaction> {
    const { reason, expectedVersion, actor = this.#actor, signal } = options;
    const headers = actor === null ? {} : { 'x-amends-actor': actor };
    const body = { reason, expectedVersion };
    const request = {
      method: 'POST',
      path: `${transactionPath(gid)}/${verb}`,
      body,
      headers,
      repeatable: false,
      gid,
      signal,
    } as const;
    return (await this.#connection.send(request)) as Transaction;
  }

  #look(gid: string, waitMs: number, signal: AbortSignal | undefined): Promise<Transaction> {
    return this.#read<Transaction>(`${transactionPath(gid)}${queryOf({ waitMs })}`, { gid, waitMs, signal });
  }

  async #read<Answer>(path: string, caller: Caller & { readonly waitMs?: number }): Promise<Answer> {
    return (await this.#connection.send({ method: 'GET', path, repeatable: true, ...caller })) as Answer;
  }
}

function isAtRest({ outcome, hold }: Transaction): boolean {
  return outcome !== 'running' || hold !== null;
}

function queryOf(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const given = Object.entries(parameters).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}
