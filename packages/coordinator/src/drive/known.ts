/** What a mailbox knows of its transaction: at first, as it was read, and ahead of what is written. */
import {
  type Decided,
  decodeSpec,
  type EpochMs,
  fromRow,
  type Gid,
  givenAtFirst,
  readGiven,
  type Spec,
  type StoredRecord,
  type StoredSpec,
  type Transaction,
  ways,
} from '@amends/core';
import type { Change, StoredTransaction } from '@amends/store';
import type { Known, Moment, Phase, Step } from './phases.ts';
import { noColumns } from './placement.ts';

/** Nothing has been done ahead of what is written. */
const allWritten: Pick<Known, 'unwritten' | 'unwrittenSince'> = { unwritten: [], unwrittenSince: null };

/** The mailbox of a transaction that does not exist yet: its first event begins it. */
export function openNew(gid: Gid, spec: Spec, stored: StoredSpec): Phase {
  const { digest } = stored;
  const known: Known = {
    gid,
    digest,
    durable: null,
    now: null,
    given: givenAtFirst(spec),
    columns: noColumns,
    newSpec: stored,
    ...allWritten,
  };
  return { at: 'resting', known, wakeAt: null };
}

/** The mailbox of a transaction as it was read: its first decision takes it over from whoever drove it. */
export function openStored(stored: StoredTransaction, moment: Moment): Phase {
  const known = readKnown(stored, decodeSpec(stored.spec));
  return { at: 'fresh', known, claimed: null, inbox: [{ event: { type: 'recovered', ...moment }, reply: null }] };
}

/** What is known of a transaction as it was read. */
export function readKnown({ row, spec: { digest }, records }: StoredTransaction, spec: Spec): Known {
  const durable = fromRow(row);
  const given = readGiven(spec, records);
  const { gid } = durable;
  return { gid, digest, durable, now: durable, given, columns: row, newSpec: null, ...allWritten };
}

/** What is known once a step is durable. */
export function knownAfter({ gid, digest }: Known, { next, given, change }: Step): Known {
  return { gid, digest, durable: next, now: next, given, columns: change.row, newSpec: null, ...allWritten };
}

/**
 * What is known once something that may be written later has been done. It has the version that it will be written as, so that
 * who acts on the one before is told that the transaction has moved on.
 */
export function knownAhead(known: Known, { next, history }: Decided, at: EpochMs): Known {
  const version = known.durable!.version + 1;
  const now = next.version === version ? next : { ...next, version };
  const unwritten = [...known.unwritten, ...history];
  return { ...known, now, unwritten, unwrittenSince: known.unwrittenSince ?? at };
}

/** Whether the answers of all calls in flight come to this mailbox: it made them itself, and nobody else any since. */
export function isHeard(tx: Transaction, mine: Transaction | null): boolean {
  return tx.branches.every((states, branch) =>
    ways.every((way) => {
      const state = states[way];
      const own = mine?.branches[branch]?.[way];
      return state.at !== 'running' || (own?.at === 'running' && own.attempts === state.attempts);
    }),
  );
}

/**
 * Whether what is stored is what we tried to write. With our node id nobody else writes at this version; without one, on a
 * transaction that is given back, another node may have decided the same at the same moment, but about a branch of its own.
 */
export function isOurs({ row, records }: StoredTransaction, tried: Change): boolean {
  return (
    row.version === tried.row.version &&
    row.epoch === tried.row.epoch &&
    row.owner === tried.row.owner &&
    row.updatedAt === tried.row.updatedAt &&
    row.status === tried.row.status &&
    row.reason === tried.row.reason &&
    row.state === tried.row.state &&
    tried.records.every((ours) => records.some((stored) => isSameRecord(stored, ours)))
  );
}

function isSameRecord(one: StoredRecord, other: StoredRecord): boolean {
  return one.kind === other.kind && one.key === other.key && Buffer.compare(one.content, other.content) === 0;
}
