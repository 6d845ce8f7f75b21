/** Views of transactions, and waiting for one to come to rest on whichever node drives it. */
import { decodeSpec, type EpochMs, fromRow, isFinished, isQuiet, readGiven, type Transaction } from '@amends/core';
import type { StoredTransaction } from '@amends/store';
import type { TransactionView, WaitSignal } from '../coordinator.ts';
import type { Mailbox } from '../drive/mailbox.ts';
import { pauseEndOf } from '../drive/placement.ts';
import type { Clock, Timers } from '../ports/ports.ts';

/** How often a transaction that another node drives is looked at. Milliseconds. */
const pollEveryMs = 200;

/** A transaction as of its mailbox's last commit. */
export function viewOf(mailbox: Mailbox): TransactionView {
  const tx = mailbox.tx!;
  return { transaction: tx, given: mailbox.given, wakeAt: mailbox.closed ? mailbox.dueAt : pauseEnd(mailbox, tx) };
}

function pauseEnd(mailbox: Mailbox, tx: Transaction): EpochMs | null {
  return isQuiet(tx) && !mailbox.waitsForPlace ? mailbox.wakeAt : null;
}

/** A transaction as it was read. */
export function viewOfStored(stored: StoredTransaction): TransactionView {
  const { row, spec, records } = stored;
  return { transaction: fromRow(row), given: readGiven(decodeSpec(spec), records), wakeAt: pauseEndOf(row) };
}

interface WaitingPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  mailbox(): Mailbox | undefined;
  /** The transaction as of the last commit of whichever node. */
  latest(): Promise<TransactionView | null>;
  /** Whether other nodes write to the same store. */
  readonly isShared: boolean;
  /** The coordinator drives nothing any more. */
  stopped(): boolean;
}

/** See `Coordinator.wait`. */
export async function waitFor(
  { waitMs, signal }: { readonly waitMs: number; readonly signal?: WaitSignal },
  around: WaitingPorts,
): Promise<TransactionView | null> {
  const patience = new Patience(waitMs, signal, around.timers);
  try {
    for (;;) {
      const mailbox = around.mailbox();
      const view = await (mailbox === undefined ? around.latest() : waitForRest(mailbox, patience, around));
      // A mailbox that has lost the transaction has nothing to say.
      if (mailbox !== undefined && view === null) continue;
      const now = mailbox !== undefined && mayBeBehind(view!, around) ? await around.latest() : view;
      if (now === null || isEnd(now, patience, around) || pauses(now, around.clock)) return now;
      if (mailbox === undefined) await pause(patience, around.timers);
    }
  } finally {
    patience.end();
  }
}

/** How long somebody waits: until the time is over or the signal aborts. */
class Patience {
  over = false;
  /** Called once, when it is over. */
  onOver: (() => void) | null = null;
  readonly #signal: WaitSignal | undefined;
  readonly #lose: () => void;
  readonly #cancelTimer: () => void;

  constructor(waitMs: number, signal: WaitSignal | undefined, timers: Timers) {
    this.#signal = signal;
    this.#lose = () => {
      this.over = true;
      this.onOver?.();
    };
    this.#cancelTimer = timers.after(waitMs, this.#lose);
    if (signal?.aborted === true) this.over = true;
    else signal?.addEventListener('abort', this.#lose);
  }

  end(): void {
    this.onOver = null;
    this.#cancelTimer();
    this.#signal?.removeEventListener('abort', this.#lose);
  }
}

/** What is finished stays as it is; anything else another node may have changed. */
function mayBeBehind({ transaction }: TransactionView, { isShared }: WaitingPorts): boolean {
  return isShared && !isFinished(transaction);
}

/** The mailbox's transaction when it is at rest or nobody waits longer; null when the mailbox has lost it. */
function waitForRest(mailbox: Mailbox, patience: Patience, around: WaitingPorts): Promise<TransactionView | null> {
  return new Promise((resolve) => {
    const look = () => {
      const view = mailbox.tx === null ? null : viewOf(mailbox);
      const ends = view !== null && (isEnd(view, patience, around) || (mailbox.quiet && pauses(view, around.clock)));
      if (!ends && !mailbox.closed) return;
      forget();
      patience.onOver = null;
      resolve(ends ? view : null);
    };
    const forget = mailbox.onChange(look);
    patience.onOver = look;
    look();
  });
}

/** Finished or held; or nobody waits longer. */
function isEnd({ transaction }: TransactionView, patience: Patience, { stopped }: WaitingPorts): boolean {
  return isFinished(transaction) || transaction.hold !== null || patience.over || stopped();
}

/** Quiet until a later retry. */
function pauses({ transaction, wakeAt }: TransactionView, clock: Clock): boolean {
  return isQuiet(transaction) && wakeAt !== null && wakeAt > clock.now();
}

/** Until it is time to read again, or nobody waits longer. */
function pause(patience: Patience, timers: Timers): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      cancelTimer();
      patience.onOver = null;
      resolve();
    };
    const cancelTimer = timers.after(pollEveryMs, end);
    patience.onOver = end;
    if (patience.over) end();
  });
}
