/** What can happen to a transaction, and what its core answers. Time and chance arrive inside the events. */

import type { EpochMs, Gid, NodeId } from '../words/ids.ts';
import type { Way } from '../words/op.ts';
import type { Outcome } from '../words/outcome.ts';
import type { RegisteredBranch, TransactionRecord } from './given.ts';
import type { HistoryEntry } from './history.ts';
import type { Transaction } from './transaction.ts';

interface Moment {
  readonly at: EpochMs;
  /** A random number, 0 <= jitter < 1, for pauses that follow from this event. */
  readonly jitter: number;
}

/** With the first event of a transaction: who it is and who begins to drive it. */
interface Beginning {
  readonly gid: Gid;
  readonly owner: NodeId;
}

/** It was announced: nothing is done yet. The transaction begins, or is prepared already. */
export type Prepared = Moment & Beginning & { readonly type: 'prepared' };

/** It shall be done. The transaction begins, or goes on from prepared. */
export type Submitted = Moment &
  Beginning & {
    readonly type: 'submitted';
    /** Moment before which nothing of a prepared message shall be delivered, where its submission says one. */
    readonly notBefore?: EpochMs;
  };

/** What was announced shall not be done, for this reason. */
export type Aborted = Moment & { readonly type: 'aborted'; readonly reason: string };

/** A branch joins what was announced. */
export type Registered = Moment & { readonly type: 'registered'; readonly branch: RegisteredBranch };

/** A workflow's function has come to its end. */
export type Concluded = Moment & {
  readonly type: 'concluded';
  readonly status: 'succeed' | 'failed';
  /** Why it failed; empty otherwise. */
  readonly reason: string;
  readonly result: Uint8Array;
};

/** One attempt ended. */
export type Answered = Moment & {
  readonly type: 'answered';
  readonly branch: number;
  readonly way: Way;
  readonly attempt: number;
  readonly outcome: Outcome;
};

/** There is a place for a call that was ready: it may be made now. A place for what is not ready any more is ignored. */
export type Placed = Moment & { readonly type: 'placed' } & OpName;

/** Which op of which branch. */
export interface OpName {
  readonly branch: number;
  readonly way: Way;
}

/** A human or a tool acts on it. */
export type Intervened = Moment & {
  readonly type: 'intervened';
  readonly verb: InterventionVerb;
  readonly actor: string;
  readonly reason: string;
  /** Acts only on this version; null: on any. */
  readonly expectedVersion: number | null;
};

/** What somebody asks of a transaction. */
export type RequestEvent = Prepared | Submitted | Aborted | Registered | Concluded;

/** Something that happened to a transaction. */
export type TransactionEvent =
  | RequestEvent
  | Answered
  | Intervened
  | Placed
  /** A moment that it waited for may have come. */
  | (Moment & { readonly type: 'woken' })
  /** It was taken over: calls of the former owner that were in flight will not be heard. */
  | (Moment & { readonly type: 'recovered' });

/** What a human may do: end it as it stands, undoing nothing; or try again at once what waits or is held. */
export type InterventionVerb = 'terminate' | 'retry';

/** A call to make. */
export interface CallEffect extends OpName {
  readonly type: 'call';
  readonly attempt: number;
}

/** A call that nothing stands against but that it has no place at its participant yet. It has not been started. */
export interface ReadyCall extends OpName {
  readonly url: string;
}

/** What the shell does once the decision is durable, or at once when that may wait. */
export type Effect = CallEffect;

/**
 * What became of one event: taken into account, or not because it came too late to matter (`ignored`), says again what is
 * so already (`repeated`), contradicts what was registered (`different`), does not fit the status (`wrong_status`) or the
 * mode (`wrong_mode`), exceeds a limit (`too_many`), or because the transaction is finished or has moved on.
 */
export type Verdict =
  | 'taken'
  | 'ignored'
  | 'repeated'
  | 'different'
  | 'wrong_status'
  | 'wrong_mode'
  | 'too_many'
  | 'already_finished'
  | 'version_conflict';

/** The answer of core to a batch of events. */
export interface Decided {
  /** The transaction after them; the same object as before when nothing changed. */
  readonly next: Transaction;
  /** History rows to append, in order. */
  readonly history: readonly HistoryEntry[];
  /** To be written once, in the same commit. */
  readonly records: readonly TransactionRecord[];
  readonly effects: readonly Effect[];
  /**
   * Whether it must be durable before anything follows from it. Otherwise its effects are within what the last commit allows, and
   * it may be written with the next one. False when nothing changed.
   */
  readonly mustCommit: boolean;
  /** What waits for its place, in the order in which it should get one. */
  readonly ready: readonly ReadyCall[];
  /** One per event, in order. */
  readonly verdicts: readonly Verdict[];
  /** When to wake it if nothing else happens; null: never. */
  readonly wakeAt: EpochMs | null;
}
