/**
 * All that is written once about a transaction: what was asked of it, and what was recorded while it ran. The state in the
 * row is small because none of this is in it.
 */

import { payloadBytesOf } from '../request/payloads.ts';
import type { Spec } from '../request/spec.ts';
import type { BranchId, EpochMs } from '../words/ids.ts';

/** What a decision rests on beside the state. */
export interface Given<S extends Spec = Spec> {
  readonly spec: S;
  /** Branches registered since, in order. */
  readonly registered: readonly RegisteredBranch[];
  /** Answers that steps keep for later payloads, by branch id. */
  readonly answers: ReadonlyMap<BranchId, Uint8Array>;
  /** What a finished workflow returned; null: nothing yet. */
  readonly result: Uint8Array | null;
  /** Moment before which nothing of a message is delivered, as its submission said; null: that said nothing. */
  readonly notBefore: EpochMs | null;
}

/** A branch that the application registered while the transaction was prepared. */
export type RegisteredBranch = Participant | Progress;

/** A participant of tcc or xa that has done its first phase, or is about to. */
export interface Participant {
  readonly kind: 'participant';
  readonly branchId: BranchId;
  /** URL of confirm or commit; empty: nothing to call. */
  readonly forward: string;
  /** URL of cancel or rollback; empty: nothing to call. */
  readonly backward: string;
  /** Body of both. */
  readonly payload: Uint8Array;
}

/** One recorded step of a workflow: what its function gets when it runs again. */
export interface Progress {
  readonly kind: 'progress';
  readonly branchId: BranchId;
  /** `action`, `commit`, `rollback` or `business`; the workflow's own business. */
  readonly op: string;
  readonly status: 'succeed' | 'failed';
  readonly payload: Uint8Array;
}

/** A record to be written once, in the commit of the decision that produced it. */
export type TransactionRecord =
  | { readonly kind: 'branch'; readonly index: number; readonly branch: RegisteredBranch }
  | { readonly kind: 'answer'; readonly branchId: BranchId; readonly content: Uint8Array }
  | { readonly kind: 'result'; readonly content: Uint8Array }
  | { readonly kind: 'not-before'; readonly at: EpochMs };

/** What payloads, records and results of a transaction weigh in memory. Bytes; texts of templates by characters. */
export function bytesGiven({ spec, registered, answers, result }: Given): number {
  const recorded = registered.reduce((sum, { payload }) => sum + payload.byteLength, result?.byteLength ?? 0);
  return [...answers.values()].reduce((sum, answer) => sum + answer.byteLength, payloadBytesOf(spec) + recorded);
}

const noAnswers: ReadonlyMap<BranchId, Uint8Array> = new Map();

/** What is given when a transaction begins. */
export function givenAtFirst<S extends Spec>(spec: S): Given<S> {
  return { spec, registered: [], answers: noAnswers, result: null, notBefore: null };
}

/** What is given once these records are written. */
export function withRecords(given: Given, records: readonly TransactionRecord[]): Given {
  return records.reduce(withRecord, given);
}

function withRecord(given: Given, record: TransactionRecord): Given {
  switch (record.kind) {
    case 'branch':
      return { ...given, registered: [...given.registered, record.branch] };
    case 'answer':
      return { ...given, answers: new Map(given.answers).set(record.branchId, record.content) };
    case 'result':
      return { ...given, result: record.content };
    case 'not-before':
      return { ...given, notBefore: record.at };
  }
}
