/** The coordinator needs these from outside, beside the store. Tests and the simulator bring their own. */
import type { BranchId, EpochMs, Face, Gid, Given, HistoryEntry, Mode, Op, Outcome, Protocol, Transaction } from '@amends/core';
import type { ParticipantAddress } from './participant-address.ts';

/** Calls participants. One per URL scheme. */
export interface Transport {
  /** Makes one call and classifies its answer. Never rejects; resolves when `deadlineInMs` is over at the latest. */
  call(request: BranchCall): Promise<Outcome>;
  /** Breaks off what is under way (those calls resolve as `unknown`, `broken`) and closes connections. Idempotent. */
  close(): Promise<void>;
}

/** One attempt at one op of one branch. */
export interface BranchCall {
  readonly gid: Gid;
  readonly mode: Mode;
  readonly branchId: BranchId;
  readonly op: Op;
  readonly attempt: number;
  /** Fencing token: grows with every change of owner. */
  readonly epoch: number;
  readonly address: ParticipantAddress;
  readonly payload: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  /** Time for the whole exchange. Milliseconds. */
  readonly deadlineInMs: number;
  readonly face: Face;
  /** How to call where the address does not say so itself. */
  readonly protocol: Protocol;
  /** Whether the outcome shall hold the whole answer of a participant that agrees. */
  readonly keepsAnswer: boolean;
  /** What a workflow's function is called; empty in other modes. */
  readonly workflow: string;
}

/** Hears of each call of a participant, when its outcome is there. It is for logs and metrics, and must not throw. */
export type CallObserver = (call: BranchCall, outcome: Outcome) => void;

/** The store's time. It never goes back. */
export interface Clock {
  now(): EpochMs;
  /**
   * Whether `now` can be far behind, as after the machine was suspended: then nothing is called ahead of its commit. Left
   * out: never.
   */
  isSteady?(): boolean;
}

/** Wakes once, after a pause. */
export interface Timers {
  /** @returns a function that cancels it; idempotent */
  after(delayMs: number, wake: () => void): () => void;
  /** Wakes at once, but after everything that is ready now has been handled. */
  soon(wake: () => void): void;
}

/** Chance for ids, which must not be guessable, and for jitter. */
export interface Random {
  bytes(count: number): Uint8Array;
  /** 0 <= fraction < 1 */
  fraction(): number;
}

/** SHA-256 as 64 hex digits over the parts. */
export type Digest = (parts: readonly (string | Uint8Array)[]) => string;

/** A structured log. Messages are constant; values are fields. */
export interface Log {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** Hears of every change, after it is durable. It is for logs and metrics, and must not throw. */
export type Observer = (committed: Committed) => void;

/** One durable change of a transaction. */
export interface Committed {
  readonly previous: Transaction | null;
  readonly next: Transaction;
  /** What was asked of it and recorded; null: it cannot be read. */
  readonly given: Given | null;
  readonly history: readonly HistoryEntry[];
}
