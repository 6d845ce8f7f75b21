/** What can happen to a transaction, and what its core answers. Time and chance arrive inside the events. */

import type { HistoryEntry } from './history.ts';
import type { EpochMs, Gid, NodeId } from './ids.ts';
import type { Outcome } from './outcome.ts';
import type { Op, Transaction } from './transaction.ts';

interface Moment {
  readonly at: EpochMs;
  /** A random number, 0 <= jitter < 1, for pauses that follow from this event. */
  readonly jitter: number;
}

/** Something that happened to a transaction. */
export type TransactionEvent =
  /** It was submitted for the first time: the transaction begins. */
  | (Moment & { readonly type: 'submitted'; readonly gid: Gid; readonly owner: NodeId })
  /** One attempt ended. */
  | (Moment & {
      readonly type: 'answered';
      readonly branch: number;
      readonly op: Op;
      readonly attempt: number;
      readonly outcome: Outcome;
    })
  /** A moment that it waited for may have come. */
  | (Moment & { readonly type: 'woken' })
  /** It was taken over: calls of the former owner that were in flight will not be heard. */
  | (Moment & { readonly type: 'recovered' })
  /** A human or a tool acts on it. */
  | (Moment & {
      readonly type: 'intervened';
      readonly verb: InterventionVerb;
      readonly actor: string;
      readonly reason: string;
      /** Acts only on this version; null: on any. */
      readonly expectedVersion: number | null;
    });

/** What a human may do: end it as it stands, undoing nothing; or try again at once what waits or is held. */
export type InterventionVerb = 'terminate' | 'retry';

/** A call to make, after the decision that contains it is durable and not before. */
export interface CallEffect {
  readonly type: 'call';
  readonly branch: number;
  readonly op: Op;
  readonly attempt: number;
}

/** What the shell does once the decision is durable. */
export type Effect = CallEffect;

/** What became of one event: taken into account, too late to matter, or refused. */
export type Verdict = 'taken' | 'ignored' | 'already_finished' | 'version_conflict';

/** The answer of core to a batch of events. */
export interface Decided {
  /** The transaction after them; the same object as before when nothing changed. */
  readonly next: Transaction;
  /** History rows to append, in order. */
  readonly history: readonly HistoryEntry[];
  readonly effects: readonly Effect[];
  /** One per event, in order. */
  readonly verdicts: readonly Verdict[];
  /** When to wake it if nothing else happens; null: never. */
  readonly wakeAt: EpochMs | null;
}
