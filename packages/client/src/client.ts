/** The application's side: begins transactions, follows them, acts on them. */
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
import { type Connection, connect } from './api/connection.ts';
import { makeGid } from './api/gid.ts';
import { nativePort } from './api/native-port.ts';
import { type OnBehalf, pause } from './api/pause.ts';
import { type ClientRetry, retryWithDefaults } from './api/retry-pause.ts';
import type { OnlyJson } from './barriers/kept-json.ts';
import type { PreparedBranch, XaResource } from './barriers/xa-resource.ts';
import { emptyMessage, type Message, type MessageOptions } from './modes/message.ts';
import { type BeginOptions, begin, type Means, type OpenTransaction, type RunOptions } from './modes/open-transaction.ts';
import { emptySaga, type Saga, type SagaOptions, type SubmitOptions } from './modes/saga.ts';
import { joinTcc, runTcc, type Tcc } from './modes/tcc.ts';
import type { RegisteredWorkflow, WorkflowFunction, WorkflowOptions } from './modes/workflow/workflow.ts';
import { type Workflows, workflows } from './modes/workflow/workflow-registry.ts';
import { orphansOf, runXa, type Xa, type XaWork, xaHandler } from './modes/xa.ts';
import type { Call } from './participants/call.ts';
import { type Participants, participants } from './participants/participant-request.ts';
import type { Handler } from './participants/verdict.ts';

/** How to take part. */
interface JoinOptions {
  readonly signal?: AbortSignal;
}

/** Where the server is, and how to talk to it. */
export interface AmendsClientOptions {
  /** Base address of the server, such as `http://127.0.0.1:36789`. */
  readonly server: string;
  /** Who acts, for the audit of `terminate` and `retry`. Default: the server writes `anonymous`. */
  readonly actor?: string;
  /** How to insist when the server cannot be reached or has no room. */
  readonly retry?: ClientRetry;
  /** Time for one answer, beside the waiting that was asked for. Milliseconds; default 10 s. */
  readonly requestTimeoutMs?: number;
  /** Connections at most; a request that waits for an outcome occupies one. Default 256. */
  readonly connectionsMax?: number;
}

export interface WaitOptions {
  /** How long at most. Milliseconds; default: until it ends or is held. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
}

/** How to ask. */
export interface ReadOptions {
  readonly signal?: AbortSignal;
}

/** Which part of a history. */
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

/** Which audit rows. */
export interface AuditFilters {
  /** Only those about this transaction, which may be deleted by now. */
  readonly gid?: string;
  /** Rows of a page; default 50. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
}

/** Why somebody acts on a transaction. */
export interface InterventionOptions extends ReadOptions {
  /** Recorded in its history. */
  readonly reason: string;
  /** Act only if it still has this version. */
  readonly expectedVersion?: number;
  /** Who acts, where it is not the client's actor. */
  readonly actor?: string;
}

/** The longest that one request waits; proxies cut longer ones. Milliseconds. */
const waitMsPerRequest = 30_000;
/** The server answers at once while nothing is due; it is asked again after pauses between these. Milliseconds. */
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
    this.#participants = participants();
    const port = nativePort(this.#connection, server);
    this.#means = { port, participants: this.#participants, wait: (gid, how) => this.wait(gid, how) };
    this.#workflows = workflows(this.#means);
  }

  /** Begins to build a saga; nothing is sent before its `submit`. */
  saga(options: SagaOptions = {}): Saga {
    return emptySaga(options, (saga, how) => this.#submit(saga, how));
  }

  /**
   * Runs a TCC transaction: returns, and all branches are confirmed; throws, and all are cancelled.
   * @throws what `work` throws, once the coordinator has been told; AmendsClientError
   */
  tcc(work: (tcc: Tcc) => unknown, options: RunOptions = {}): Promise<Transaction> {
    return runTcc(this.#means, work, options);
  }

  /** Lets a branch of TCC have branches of its own: to be used by the handler of its try. */
  joinTcc(call: Call, { signal }: JoinOptions = {}): Tcc {
    return joinTcc(this.#means, call, signal);
  }

  /** Begins to build a message; nothing is sent before it is prepared or submitted. */
  message(options: MessageOptions = {}): Message {
    return emptyMessage(this.#means, options);
  }

  /**
   * Runs an XA transaction: returns, and all branches are committed; throws, and all are rolled back.
   * @throws what `work` throws, once the coordinator has been told; AmendsClientError
   */
  xa(work: (xa: Xa) => unknown, options: RunOptions = {}): Promise<Transaction> {
    return runXa(this.#means, work, options);
  }

  /**
   * A handler for all phases of a branch of XA, to be wrapped by `participant`.
   * @param resource such as `postgresXa(pool)` or `mysqlXa(pool)`
   * @param work changes the database by `tx` alone; what it returns is the answer, what it throws undoes it
   */
  xaBranch<Tx, Body = unknown>(resource: XaResource<Tx>, work: XaWork<Tx, Body>): Handler<Body> {
    return xaHandler(this.#means, resource, work);
  }

  /**
   * Prepared branches of a database whose transaction has ended or is not known here. Nobody will end them by himself, and they
   * hold their locks; but ask first whether another coordinator uses that database.
   */
  orphanedBranches<Tx>(resource: XaResource<Tx>): Promise<readonly PreparedBranch[]> {
    return orphansOf(resource, (gid) => this.get(gid));
  }

  /**
   * Makes a workflow known under a name, which must stay the same as long as any of its runs is under way.
   * @param work may run again from the beginning at any time: its steps are recorded, the rest of it must do the same each time.
   * What it takes and returns is JSON
   */
  workflow<Input, Result>(
    name: string,
    work: WorkflowFunction<Input, Result> & OnlyJson<Input> & OnlyJson<Result>,
    options: WorkflowOptions,
  ): RegisteredWorkflow<Input, Result> {
    return this.#workflows.register(name, work, options);
  }

  /** A handler for the coordinator's calls to have workflows go on, to be wrapped by `participant`. */
  resumeWorkflows(): Handler {
    return this.#workflows.resume;
  }

  /** Begins a transaction whose steps are the caller's own: `tcc`, `xa` and `message` are made of it. */
  begin(mode: 'tcc' | 'xa', options: BeginOptions = {}): Promise<OpenTransaction> {
    return begin(this.#means, mode, options);
  }

  /** A transaction as it is now. @throws AmendsClientError `not_found` */
  get(gid: string, { signal }: ReadOptions = {}): Promise<Transaction> {
    return this.#look(gid, 0, signal);
  }

  /**
   * A transaction as soon as it has ended or is on hold, or as it is after `waitMs`.
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

  /** What has happened to a transaction, oldest first, to the last row. @throws AmendsClientError `not_found` */
  async history(gid: string, { afterSeq = 0, signal }: HistoryOptions = {}): Promise<readonly HistoryEntry[]> {
    const all: HistoryEntry[] = [];
    for (;;) {
      const query = queryOf({ afterSeq: all.at(-1)?.seq ?? afterSeq, limit: historyRowsPerPage });
      const { entries } = await this.#read<History>(`${pathOf(gid)}/history${query}`, { gid, signal });
      all.push(...entries);
      if (entries.length < historyRowsPerPage) return all;
    }
  }

  /** One page of transactions, newest first. */
  list(filters: ListFilters = {}, { signal }: ReadOptions = {}): Promise<TransactionList> {
    return this.#read<TransactionList>(`/transactions${queryOf({ ...filters })}`, { signal });
  }

  /** All transactions, newest first, read page by page while they are consumed. */
  async *listAll(filters: ListFilters = {}, options: ReadOptions = {}): AsyncGenerator<TransactionSummary, void, undefined> {
    let page = await this.list(filters, options);
    yield* page.transactions;
    while (page.next !== null) {
      page = await this.list({ ...filters, cursor: page.next }, options);
      yield* page.transactions;
    }
  }

  /** One page of what was done by hand, newest first. */
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

  /** How the server is. */
  health({ signal }: ReadOptions = {}): Promise<Health> {
    return this.#read<Health>('/health', { signal });
  }

  /** The limits that the server holds. */
  limits({ signal }: ReadOptions = {}): Promise<Limits> {
    return this.#read<Limits>('/limits', { signal });
  }

  /** Closes the connections; what is under way fails with `closed`. Transactions go on. Idempotent. */
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

  /** Not repeated when an answer is lost: it may have been done, and doing it twice would be recorded twice. */
  async #intervene(verb: 'terminate' | 'retry', gid: string, options: InterventionOptions): Promise<Transaction> {
    const { reason, expectedVersion, actor = this.#actor, signal } = options;
    const headers = actor === null ? {} : { 'x-amends-actor': actor };
    const body = { reason, expectedVersion };
    const request = { method: 'POST', path: `${pathOf(gid)}/${verb}`, body, headers, repeatable: false, gid, signal } as const;
    return (await this.#connection.send(request)) as Transaction;
  }

  #look(gid: string, waitMs: number, signal: AbortSignal | undefined): Promise<Transaction> {
    return this.#read<Transaction>(`${pathOf(gid)}${queryOf({ waitMs })}`, { gid, waitMs, signal });
  }

  async #read<Answer>(path: string, about: OnBehalf & { readonly waitMs?: number }): Promise<Answer> {
    return (await this.#connection.send({ method: 'GET', path, repeatable: true, ...about })) as Answer;
  }
}

function isAtRest({ outcome, hold }: Transaction): boolean {
  return outcome !== 'running' || hold !== null;
}

function pathOf(gid: string): string {
  return `/transactions/${encodeURIComponent(gid)}`;
}

function queryOf(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const given = Object.entries(parameters).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}
