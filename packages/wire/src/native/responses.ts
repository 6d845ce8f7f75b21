/** The answers of the native API: schemas, and the mapping from what core and store know. */
import { isUtf8 } from 'node:buffer';
import {
  branchIdOfStep,
  callName,
  type EpochMs,
  type Given,
  type HistoryEntry,
  isFinished,
  type Mode,
  overdueSinceOf,
  type Status,
  type Transaction,
  type TransactionRow,
  type Way,
} from '@amends/core';
import { z } from 'zod';
import type { PresentedTransaction } from '../faces/presented-transaction.ts';
import { nameSchema } from './registry.ts';

const moment = z.iso.datetime({ precision: 3 }).describe('ISO 8601, UTC, with milliseconds');
const status = z.enum(['prepared', 'submitted', 'aborting', 'succeed', 'failed']).describe("Global status in DTM's words");
const outcome = z
  .enum(['running', 'succeeded', 'failed'])
  .describe(
    'succeeded: every step is done; failed: everything that was done is undone, unless `decision.direction` is `terminate`: then a human has ended it as it stood, and nothing was undone; running: not finished, perhaps on hold',
  );
const op = z.enum(['action', 'compensate', 'confirm', 'cancel', 'commit', 'rollback', 'msg', 'resume']);
const mode = z.enum(['saga', 'msg', 'tcc', 'xa', 'workflow']);

const bytesSchema = nameSchema(
  'Bytes',
  z.object({
    encoding: z.enum(['utf8', 'base64']).describe('base64 where the bytes are no text'),
    text: z.string(),
  }),
);

const callSchema = nameSchema(
  'Call',
  z.object({
    op,
    url: z.string().describe('Empty: nothing to call'),
    at: z
      .enum(['idle', 'running', 'waiting', 'given-up', 'succeed', 'failed', 'dropped'])
      .describe(
        'given-up: called again only when a human says so, as the hold says; dropped: it had no verdict when the transaction finished, and is not called again',
      ),
    attempts: z.int().describe('Calls begun so far'),
    dueAt: moment.optional().describe('When waiting: the next attempt'),
  }),
);

const branchSchema = nameSchema(
  'Branch',
  z.object({
    branchId: z.string(),
    name: z.string().nullable().describe('By which payloads of a saga refer to its answer; null: it has none'),
    kind: z.enum(['compensatable', 'pivot', 'retriable']).nullable().describe('Of steps of sagas; null elsewhere'),
    after: z.array(z.string()).describe('Branch ids of the steps of a saga that come before'),
    calls: z.array(callSchema).describe('Forward first, then backward where the mode has it'),
    answer: bytesSchema.nullable().describe('What its action answered, where a saga keeps it; null: nothing yet, or not kept'),
  }),
);

const progressSchema = nameSchema(
  'Progress',
  z.object({ branchId: z.string(), op: z.string(), status: z.enum(['succeed', 'failed']), result: bytesSchema.nullable() }),
);

/** A transaction with its steps. */
export const transactionSchema = nameSchema(
  'Transaction',
  z.object({
    gid: z.string(),
    mode,
    status,
    outcome,
    hold: z
      .object({
        code: z.string(),
        branchId: z.string().optional().describe('The call that it is for; left out: for none, as with `unreadable`'),
        op: op.optional(),
      })
      .nullable()
      .describe('Why nothing is called until a human acts; null: it goes on by itself'),
    decision: z
      .object({ direction: z.enum(['commit', 'roll-back', 'terminate']), seq: z.int(), actor: z.string() })
      .nullable()
      .describe('The durable choice of its end'),
    reason: z.string().describe('Why it is rolled back or terminated'),
    version: z.int(),
    epoch: z.int(),
    owner: z.string().nullable(),
    createdAt: moment,
    updatedAt: moment,
    finishedAt: moment.nullable(),
    overdueSince: moment.nullable().describe('When its alarm was due, once that has been raised'),
    wakeAt: moment.nullable().describe('When it is looked at next'),
    branches: z
      .array(branchSchema)
      .describe('What is called: steps, registered participants, and `00`, the question or the resume call'),
    workflow: z
      .object({ name: z.string(), input: bytesSchema.nullable() })
      .nullable()
      .describe('What a workflow was begun with: the name of its function, and its input; null in other modes'),
    progress: z.array(progressSchema).describe('Steps that a workflow has recorded'),
    result: bytesSchema.nullable().describe('What a workflow has returned; null: nothing yet'),
  }),
);

/** A transaction as lists show it. */
const summarySchema = nameSchema(
  'TransactionSummary',
  z.object({
    gid: z.string(),
    mode: z.string(),
    status,
    outcome,
    hold: z.string().nullable().describe('Code of the hold'),
    reason: z.string(),
    version: z.int(),
    owner: z.string().nullable(),
    createdAt: moment,
    updatedAt: moment,
    finishedAt: moment.nullable(),
    overdueSince: moment.nullable().describe('When its alarm was due, once that has been raised'),
    dueAt: moment.nullable(),
    waitsFor: z.string().describe('Host of the participant it waits for because of an error'),
    errorPrint: z.string().describe('Last error as host, op and code; equal for equal errors'),
  }),
);

/** One page of a list. */
export const listSchema = nameSchema(
  'TransactionList',
  z.object({
    transactions: z.array(summarySchema),
    next: z.string().nullable().describe('Cursor of the next page; null: this was the last'),
  }),
);

const historyEntrySchema = nameSchema(
  'HistoryEntry',
  z.object({
    seq: z.int(),
    at: moment,
    kind: z
      .enum([
        'prepared',
        'submitted',
        'aborted',
        'registered',
        'concluded',
        'answered',
        'interrupted',
        'uncertain',
        'refused',
        'timed-out',
        'overdue',
        'held',
        'settled',
        'terminated',
        'retried',
      ])
      .describe('uncertain: a coordinator that is gone may have called what `detail` names, and could not say so any more'),
    status,
    branchId: z.string().nullable(),
    op: op.nullable(),
    attempt: z.int().nullable(),
    outcome: z.enum(['success', 'failure', 'ongoing', 'unknown']).nullable(),
    code: z.string().nullable(),
    durationMs: z.number().nullable(),
    detail: z.string().nullable(),
    actor: z.string().nullable(),
    traceId: z.string().nullable().describe('On the first row: the trace of the request, by its header `traceparent`'),
  }),
);

/** History of a transaction, oldest first. */
export const historySchema = nameSchema('History', z.object({ entries: z.array(historyEntrySchema) }));

/** How the server is. */
export const healthSchema = nameSchema(
  'Health',
  z.object({
    state: z.enum(['starting', 'running', 'paused', 'stopping', 'stopped']),
    reason: z.string(),
    store: z.object({ latencyMs: z.number(), facts: z.record(z.string(), z.union([z.string(), z.number()])) }).nullable(),
    nodes: z.array(z.object({ node: z.string(), name: z.string(), startedAt: moment, aliveUntil: moment })),
    live: z.int().describe('Transactions in memory'),
    calling: z.int().describe('Calls in flight'),
    waiting: z.int().describe('Transactions that wait for a place at a participant host, once for each host'),
    uncommitted: z.int().describe('Changes that wait for their commit'),
  }),
);

/** The limits that hold, by name; each name ends in its unit. */
export const limitsSchema = nameSchema('Limits', z.record(z.string(), z.number()));

/** A transaction with its steps, as the API shows it. */
export type TransactionBody = z.infer<typeof transactionSchema>;
/** A transaction as lists show it. */
export type TransactionSummaryBody = z.infer<typeof summarySchema>;
/** One page of a list, as the API shows it. */
export type TransactionListBody = z.infer<typeof listSchema>;
/** One history row, as the API shows it. */
export type HistoryEntryBody = z.infer<typeof historyEntrySchema>;
/** History, as the API shows it. */
export type HistoryBody = z.infer<typeof historySchema>;
/** How the server is, as the API shows it. */
export type HealthBody = z.infer<typeof healthSchema>;

/** A transaction for the API. */
export function transactionBody({ transaction: tx, given, wakeAt }: PresentedTransaction): TransactionBody {
  return {
    gid: tx.gid,
    mode: tx.mode,
    status: tx.status,
    outcome: outcomeOf(tx.status),
    hold: tx.hold,
    decision: tx.decision,
    reason: tx.reason,
    version: tx.version,
    epoch: tx.epoch,
    owner: tx.owner,
    createdAt: iso(tx.createdAt),
    updatedAt: iso(tx.updatedAt),
    finishedAt: isoOrNull(tx.finishedAt),
    overdueSince: isoOrNull(tx.overdueSince),
    wakeAt: isoOrNull(wakeAt),
    branches: tx.branches.map((_, index) => branchBody(tx, given, index)),
    workflow: given.spec.mode === 'workflow' ? { name: given.spec.name, input: bytesBody(given.spec.payloads[0]!) } : null,
    progress: given.registered.flatMap((branch) =>
      branch.kind === 'progress'
        ? [{ branchId: branch.branchId, op: branch.op, status: branch.status, result: bytesBody(branch.payload) }]
        : [],
    ),
    result: bytesBody(given.result),
  };
}

/** Bytes for JSON; nothing for none. */
function bytesBody(bytes: Uint8Array | null): z.infer<typeof bytesSchema> | null {
  if (bytes === null || bytes.byteLength === 0) return null;
  const encoding = isUtf8(bytes) ? 'utf8' : 'base64';
  return { encoding, text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(encoding) };
}

function branchBody(tx: Transaction, given: Given, index: number): TransactionBody['branches'][number] {
  const { spec } = given;
  const step = spec.mode === 'saga' ? spec.steps[index]! : null;
  const { branchId } = callName(given, { branch: index, way: 'forward' });
  return {
    branchId,
    name: step?.name ?? null,
    kind: step === null ? null : step.kind,
    after: step === null ? [] : step.after.map((before) => branchIdOfStep(before)),
    calls: waysOf(spec.mode).map((way) => callBody(tx, given, { branch: index, way })),
    answer: bytesBody(given.answers.get(branchId) ?? null),
  };
}

function waysOf(of: Mode): readonly Way[] {
  return of === 'msg' || of === 'workflow' ? ['forward'] : ['forward', 'backward'];
}

function callBody(
  tx: Transaction,
  given: Given,
  call: { readonly branch: number; readonly way: Way },
): z.infer<typeof callSchema> {
  const { op: name, url } = callName(given, call);
  const state = tx.branches[call.branch]![call.way];
  const attempts = state.at === 'idle' ? 0 : state.attempts;
  if (isFinished(tx) && 'unknowns' in state) return { op: name, url, at: 'dropped', attempts };
  return {
    op: name,
    url,
    at: state.at,
    attempts,
    ...(state.at === 'waiting' ? { dueAt: iso(state.dueAt) } : {}),
  };
}

/** A row for a list. */
export function summaryBody(row: TransactionRow): TransactionSummaryBody {
  return {
    gid: row.gid,
    mode: row.mode,
    status: row.status,
    outcome: outcomeOf(row.status),
    hold: row.hold,
    reason: row.reason,
    version: row.version,
    owner: row.owner,
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
    finishedAt: isoOrNull(row.finishedAt),
    overdueSince: isoOrNull(overdueSinceOf(row)),
    dueAt: isoOrNull(row.dueAt),
    waitsFor: row.waitsFor,
    errorPrint: row.errorPrint,
  };
}

/** A history row for the API. */
export function historyEntryBody(entry: HistoryEntry): HistoryEntryBody {
  return { ...entry, at: iso(entry.at) };
}

/** How a coordinator is, in the shape that it reports. */
export interface PresentedHealth extends Omit<HealthBody, 'nodes' | 'store'> {
  readonly store: { readonly latencyMs: number; readonly facts: Readonly<Record<string, string | number>> } | null;
  readonly nodes: readonly {
    readonly node: string;
    readonly name: string;
    readonly startedAt: EpochMs;
    readonly aliveUntil: EpochMs;
  }[];
}

/** Health for the API. */
export function healthBody(health: PresentedHealth): HealthBody {
  const { state, reason, store, live, waiting, calling, uncommitted } = health;
  const nodes = health.nodes.map((row) => ({ ...row, startedAt: iso(row.startedAt), aliveUntil: iso(row.aliveUntil) }));
  return { state, reason, store, nodes, live, waiting, calling, uncommitted };
}

/** For the `Retry-After` header of a transaction; null: it is at rest, or calls are in flight. Seconds, at least 1. */
export function comeBackSeconds({ outcome, hold, wakeAt }: TransactionBody, now: EpochMs): number | null {
  if (outcome !== 'running' || hold !== null || wakeAt === null) return null;
  return Math.max(1, Math.ceil((Date.parse(wakeAt) - now) / 1000));
}

function outcomeOf(of: Status): TransactionBody['outcome'] {
  if (of === 'succeed') return 'succeeded';
  return of === 'failed' ? 'failed' : 'running';
}

function iso(at: EpochMs): string {
  return new Date(at).toISOString();
}

function isoOrNull(at: EpochMs | null): string | null {
  return at === null ? null : iso(at);
}
