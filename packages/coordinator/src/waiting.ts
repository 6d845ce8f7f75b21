/** Views of transactions, and waiting for one to come to rest on whichever node drives it. */
import { decodeSpec, fromRow, type Gid, isFinished, isQuiet } from '@amends/core';
import type { StoredTransaction } from '@amends/store';
import type { TransactionView } from './coordinator.ts';
import type { Mailbox } from './mailbox.ts';
import type { Clock, Timers } from './ports.ts';

/** How often a transaction that another node drives is looked at. Milliseconds. */
const pollEveryMs = 200;

/** A transaction as of its mailbox's last commit. */
export function viewOf(mailbox: Mailbox): TransactionView {
  return { transaction: mailbox.tx!, spec: mailbox.spec, wakeAt: mailbox.wakeAt };
}

/** A transaction as it was read. */
export function viewOfStored(stored: StoredTransaction): TransactionView {
  const transaction = fromRow(stored.row);
  return { transaction, spec: decodeSpec(stored.spec), wakeAt: isQuiet(transaction) ? stored.row.dueAt : null };
}

interface Around {
  readonly clock: Clock;
  readonly timers: Timers;
  mailbox(): Mailbox | undefined;
  load(): Promise<StoredTransaction | null>;
  /** The coordinator drives nothing any more. */
  stopped(): boolean;
}

/** See `Coordinator.wait`. */
export async function waitFor(
  _gid: Gid,
  options: { readonly waitMs: number; readonly signal?: AbortSignal },
  around: Around,
): Promise<TransactionView | null> {
  const until = around.clock.now() + options.waitMs;
  for (;;) {
    const mailbox = around.mailbox();
    const view = mailbox?.tx ? viewOf(mailbox) : mailbox === undefined ? await stored(around) : null;
    const leftMs = until - around.clock.now();
    if (mailbox === undefined && view === null) return null;
    const over = leftMs <= 0 || options.signal?.aborted === true || around.stopped();
    if (view !== null && (over || atRest(view, mailbox, around.clock))) return view;
    await pause(mailbox, { ...options, waitMs: mailbox === undefined ? Math.min(leftMs, pollEveryMs) : leftMs }, around.timers);
  }
}

async function stored(around: Around): Promise<TransactionView | null> {
  const read = await around.load();
  return read === null ? null : viewOfStored(read);
}

function atRest(view: TransactionView, mailbox: Mailbox | undefined, clock: Clock): boolean {
  const { transaction, wakeAt } = view;
  if (isFinished(transaction) || transaction.hold !== null) return true;
  if (mailbox !== undefined && !mailbox.quiet) return false;
  return isQuiet(transaction) && wakeAt !== null && wakeAt > clock.now();
}

/** Until the mailbox changes, the time is over or the signal aborts, whichever comes first. */
function pause(mailbox: Mailbox | undefined, options: { waitMs: number; signal?: AbortSignal }, timers: Timers): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      cancelTimer();
      forget?.();
      options.signal?.removeEventListener('abort', end);
      resolve();
    };
    const forget = mailbox?.changed(end);
    const cancelTimer = timers.after(options.waitMs, end);
    options.signal?.addEventListener('abort', end, { once: true });
  });
}
