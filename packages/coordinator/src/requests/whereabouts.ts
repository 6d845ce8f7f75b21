/**
 * Where a transaction is, and what it is now. On a store that is this node's alone a live mailbox knows. On a shared one
 * another node may have gone on with it, asked by a client or because it took this one for dead, and a mailbox would hear
 * of that only when it next commits: there the store is asked each time, and a mailbox that is behind catches up.
 */
import type { Gid } from '@amends/core';
import type { StoredTransaction } from '@amends/store';
import type { TransactionView } from '../coordinator.ts';
import type { Drive } from '../drive/drive.ts';
import type { Mailbox } from '../drive/mailbox.ts';
import { viewOf, viewOfStored } from './waiting.ts';

/** What is asked. */
export interface Sources {
  readonly drive: Pick<Drive, 'load' | 'mailboxes'>;
  /** Whether other nodes write to the same store. */
  readonly isShared: boolean;
}

/** At least one of them is there. */
export interface Whereabouts {
  /** It is driven here. One without `tx` has its first commit under way; any may have one under way of which it has not heard. */
  readonly mailbox: Mailbox | undefined;
  /** As it was read; null: there was no need to, or it was not there yet. */
  readonly stored: StoredTransaction | null;
}

/** @returns null when there is no such transaction */
export async function findWhereabouts(gid: Gid, { drive, isShared }: Sources): Promise<Whereabouts | null> {
  const known = drive.mailboxes.get(gid);
  if (known !== undefined && !isShared) return { mailbox: known, stored: null };
  const stored = await drive.load(gid);
  if (stored !== null) drive.mailboxes.get(gid)?.catchUp(stored);
  const mailbox = drive.mailboxes.get(gid);
  return mailbox === undefined && stored === null ? null : { mailbox, stored };
}

/** Whether other nodes have gone on beyond what a mailbox knows, which catches up if it can. */
export async function isBehind({ gid, tx }: Mailbox, sources: Sources): Promise<boolean> {
  if (!sources.isShared) return false;
  const stored = (await findWhereabouts(gid, sources))?.stored;
  return stored != null && stored.row.version > tx!.version;
}

/** A transaction as of the last commit of whichever node, with the digest of what was asked for. */
export interface Standing {
  readonly view: TransactionView;
  readonly digest: string;
}

/** @returns null when there is none, or none yet */
export async function findStanding(gid: Gid, sources: Sources): Promise<Standing | null> {
  const { mailbox, stored } = (await findWhereabouts(gid, sources)) ?? {};
  if (mailbox?.tx && mailbox.tx.version >= (stored?.row.version ?? 0)) return { digest: mailbox.digest, view: viewOf(mailbox) };
  const latest = stored ?? (mailbox === undefined ? null : await sources.drive.load(gid));
  return latest === null ? null : standingOf(latest);
}

function standingOf(stored: StoredTransaction): Standing {
  return { digest: stored.spec.digest, view: viewOfStored(stored) };
}
