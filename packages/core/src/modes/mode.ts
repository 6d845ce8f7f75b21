/** What a mode of transactions is to the rest of core: which calls it makes, and what it makes of events. */

import type { Spec } from '../request/spec.ts';
import type { OpName, RequestEvent, Verdict } from '../transaction/event.ts';
import type { Given } from '../transaction/given.ts';
import type { Status, Transaction } from '../transaction/transaction.ts';
import type { BranchId, EpochMs } from '../words/ids.ts';
import type { Op, Way } from '../words/op.ts';
import type { Outcome } from '../words/outcome.ts';
import type { RetryPolicy } from '../words/retry.ts';
import type { Draft } from './draft.ts';

export interface ModeLogic<S extends Spec> {
  /** Branches that exist from the start. */
  branchesAtFirst(spec: S): number;
  /** The status in which a transaction begins with this request; null: it cannot begin with it. */
  beginsAs(request: RequestEvent): Status | null;
  /** What its beginning decides already. */
  onBegun?(draft: Draft<S>): void;
  /** Applies a request to a transaction that exists. */
  request(draft: Draft<S>, request: RequestEvent): Verdict;
  /** Starts everything that may start now, and ends the transaction when nothing is left to do. Not called while on hold. */
  advance(draft: Draft<S>): void;
  /** When to look again if nothing happens before; `null`: at no time. Not asked when finished or on hold. */
  wakeAt(draft: Draft<S>): EpochMs | null;
  /** What happens by itself while on hold. Default: nothing. */
  whileHeld?(draft: Draft<S>): void;
  /** When that is due; null: at no time. */
  wakeAtHeld?(draft: Draft<S>): EpochMs | null;
  readonly calls: CallTable<S>;
  /** Which of its calls may be made ahead of commits. Left out: none. */
  readonly ahead?: Ahead<S>;
}

/** How far a transaction has come, in a decision or after it. */
export interface Standing<S extends Spec> {
  readonly tx: Transaction;
  readonly given: Given<S>;
}

/** The ops that the owner of a transaction may start before its next commit, one success after the other. */
export interface Ahead<S extends Spec> {
  /** Whether this op is one of them once everything that it comes after has succeeded. */
  mayStart(standing: Standing<S>, op: OpName): boolean;
  /** Those that have not been started yet and that successes alone lead to from here. Asked while a call is in flight. */
  reachable(standing: Standing<S>): readonly OpName[];
}

/** The calls of a mode: one op per branch and way. */
export interface CallTable<S extends Spec> {
  branchId(given: Given<S>, index: number): BranchId;
  op(index: number, way: Way): Op;
  /** Empty: nothing to call, succeeds at once. */
  url(given: Given<S>, index: number, way: Way): string;
  payload(given: Given<S>, index: number, way: Way): Uint8Array;
  /** Time for one call, answer included. Milliseconds. */
  timeoutMs(given: Given<S>, index: number): number;
  retry(given: Given<S>, index: number, way: Way): RetryPolicy;
  /** Whether a refusal is a verdict here; elsewhere it is one more attempt without one. */
  mayBeRefused(draft: Draft<S>, index: number, way: Way): boolean;
  /** The participant has agreed. The op's state is set. */
  onAgreed?(draft: Draft<S>, index: number, way: Way, outcome: Outcome): void;
  /** The participant has refused. The op's state is set. */
  onRefused(draft: Draft<S>, index: number, outcome: Outcome): void;
  /** No attempt is left, or the address is forbidden: true when the mode goes another way, false: hold it for a human. */
  onExhausted(draft: Draft<S>, index: number, way: Way, last: LastAttempt): boolean;
}

/** What is known of an attempt without a verdict. */
export type LastAttempt = Pick<Outcome, 'exchange' | 'code' | 'detail'>;
