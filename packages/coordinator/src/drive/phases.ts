/**
 * What a mailbox is in the middle of, what can happen to it, and what it then has done: the words of `transition.ts`.
 */
import type {
  AmendsError,
  CallEffect,
  Decided,
  EpochMs,
  Gid,
  Given,
  HistoryEntry,
  OpName,
  ReadyCall,
  StoredSpec,
  Transaction,
  TransactionEvent,
  Verdict,
} from '@amends/core';
import type { Change, StoredTransaction } from '@amends/store';
import type { CommitResult } from './group-commit.ts';
import type { CarriedColumns } from './placement.ts';

/** What became of an event with a sender: its verdict, or that this mailbox cannot tell because it lost the transaction. */
export type ReplyResult = Verdict | 'lost' | AmendsError;

/** Tells the sender of an event what became of it. */
export type Reply = (result: ReplyResult) => void;

/** An event and who wants to hear of it. */
export interface Letter {
  readonly event: TransactionEvent;
  readonly reply: Reply | null;
}

/** When something happens, and a random number for the pauses that follow from it. */
export interface Moment {
  readonly at: EpochMs;
  /** 0 <= jitter < 1 */
  readonly jitter: number;
}

/** What a mailbox knows of its transaction. */
export interface Known {
  readonly gid: Gid;
  readonly digest: string;
  /** As of the last commit; null before the first. */
  readonly durable: Transaction | null;
  /**
   * With what has been done since within the window that the last commit opened; the same object when there is nothing of
   * that.
   */
  readonly now: Transaction | null;
  /** As of the last commit. */
  readonly given: Given;
  readonly columns: CarriedColumns;
  /** To be written with the first commit; null after it. */
  readonly newSpec: StoredSpec | null;
  /** History of what has been done since the last commit. */
  readonly unwritten: readonly HistoryEntry[];
  /** When the first of that happened; null: everything is durable. */
  readonly unwrittenSince: EpochMs | null;
}

/** What a claim of this node has made of the transaction while its mailbox was at work on it. */
interface Claimed {
  readonly stored: StoredTransaction;
  /** Has the transaction driven by a new mailbox; called when this one has closed without coming so far. */
  readonly beginAnew: () => void;
}

/** A decision on its way into the store. */
export interface Step {
  readonly decided: Decided;
  readonly next: Transaction;
  /** With the records of the decision. */
  readonly given: Given;
  readonly change: Change;
}

/** A step that has been tried. */
export interface Attempt {
  readonly step: Step;
  /** The letters that it answers. */
  readonly letters: readonly Letter[];
  /** How often it was tried in a row although what was read does not explain why it was not applied. */
  readonly tries: number;
  /** Whether a try of it may have been applied although its answer did not say so. */
  readonly mayBeApplied: boolean;
}

/** In the middle of something: what comes meanwhile waits. */
export interface Busy {
  readonly known: Known;
  readonly claimed: Claimed | null;
  readonly inbox: readonly Letter[];
}

/** Taken in as it was read: what is in the inbox is decided with the first event. */
type Fresh = Busy & { readonly at: 'fresh' };
/** Nothing is outstanding. */
export interface Resting {
  readonly at: 'resting';
  readonly known: Known;
  readonly wakeAt: EpochMs | null;
}
/** A decision has been made, and asks for places for what it leads to. */
export type SeatingPhase = Busy & { readonly at: 'seating'; readonly letters: readonly Letter[]; readonly decided: Decided };
/** A step is in the store's hands. */
export type Committing = Busy & { readonly at: 'committing'; readonly attempt: Attempt };
/** A step was not answered by `applied`: what the store holds is being read. */
export type Reading = Busy & { readonly at: 'reading'; readonly attempt: Attempt };
/** The store cannot be used, or contradicts itself: `then` is done after a pause. */
type Paused = Busy & { readonly at: 'paused'; readonly then: Then };
/** It has nothing to drive any more, or lost its transaction. */
export interface Closed {
  readonly at: 'closed';
  readonly known: Known;
}

/** What a mailbox goes on with after a pause. */
export type Then =
  | { readonly do: 'decide' }
  | { readonly do: 'commit'; readonly attempt: Attempt }
  | { readonly do: 'read'; readonly attempt: Attempt };

/** What a mailbox is in the middle of. */
export type Phase = Fresh | Resting | SeatingPhase | Committing | Reading | Paused | Closed;

/** A phase in which it still has its transaction. */
export type LivePhase = Exclude<Phase, Closed>;

/** What can happen to a mailbox. */
export type Input =
  /** An event comes in. */
  | { readonly type: 'posted'; readonly letter: Letter }
  /** It is to begin with what it has taken in. */
  | { readonly type: 'started' }
  /** Places have been asked for, and these were got. */
  | ({ readonly type: 'seated'; readonly seats: readonly OpName[] } & WithMoment)
  /** A place is there for a call that waited. */
  | ({ readonly type: 'offered' } & WithMoment)
  /** The store has answered. */
  | ({ readonly type: 'committed'; readonly result: CommitResult } & WithMoment)
  /** The store has told what it holds; null: nothing. */
  | ({ readonly type: 'read'; readonly stored: StoredTransaction | null } & WithMoment)
  /** The store could not be read, or what it holds cannot be understood. */
  | { readonly type: 'unread'; readonly error: unknown; readonly isDamaged: boolean }
  /** A pause is over. */
  | ({ readonly type: 'resumed' } & WithMoment)
  /** A claim of this node has taken the transaction on. */
  | ({ readonly type: 'claimed'; readonly claimed: Claimed } & WithMoment)
  /** The store was read for somebody else. */
  | ({ readonly type: 'caught-up'; readonly stored: StoredTransaction } & WithMoment)
  /** It is to go back to the store, to be claimed when it is due, or at its turn at a host if that comes before. */
  | { readonly type: 'leaving'; readonly turnAt: EpochMs | null }
  /** It is to stop; what is under way is left to whoever owns the transaction next. */
  | { readonly type: 'abandoned' };

interface WithMoment {
  readonly moment: Moment;
}

/** What a mailbox does next; it goes with the phase that it enters. */
export type Next =
  | { readonly do: 'seat'; readonly ready: readonly ReadyCall[] }
  | { readonly do: 'commit'; readonly change: Change }
  | { readonly do: 'read' }
  | { readonly do: 'pause'; readonly pauseMs: number }
  /** Until the store can be used again. */
  | { readonly do: 'await-store'; readonly error: unknown }
  /** It waits for places for what is ready, and is woken. */
  | { readonly do: 'rest'; readonly ready: readonly ReadyCall[]; readonly wakeAt: EpochMs | null }
  | { readonly do: 'close'; readonly why: Why };

/** Why a mailbox closes. */
export type Why =
  | { readonly is: 'done' }
  /** The store does not take what was decided. */
  | { readonly is: 'refused'; readonly message: string }
  /** What the store holds cannot be understood. */
  | { readonly is: 'damaged'; readonly error: unknown }
  /** Its transaction could not be begun for want of the store. */
  | { readonly is: 'store-failed'; readonly error: unknown };

/** What is done about a transition, in this order. */
export interface Ready {
  /** 1 Of the places just got, those of these calls are kept; the others are given back. */
  readonly kept?: readonly CallEffect[];
  /** 2 Whoever watches hears what is durable now. */
  readonly committed?: Step & { readonly previous: Transaction | null };
  /** 3 Calls are made at the places kept for them, as of what is known when they start. */
  readonly calls?: { readonly effects: readonly CallEffect[]; readonly known: Known };
  /** 4 What was decided is not to be: places that are still kept are given back. */
  readonly unseat?: true;
  /** 5 Senders hear what became of their events. */
  readonly replies?: readonly { readonly reply: Reply; readonly result: ReplyResult }[];
  /** 6 The mailbox goes on. Nothing: it stays where it is. */
  readonly next?: Next;
  /** 7 Somebody else begins to drive the transaction on from what a claim has made of it. */
  readonly beginAnew?: () => void;
}

/** A transition. */
export interface Turn {
  readonly phase: Phase;
  readonly ready: Ready;
}
