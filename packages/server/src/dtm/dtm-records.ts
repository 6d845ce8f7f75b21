/** What DTM's query objects are made of: a transaction, its history, and resets that change nothing any more. */
import type { Coordinator, TransactionView } from '@amends/coordinator';
import { AmendsError, type EpochMs, type Gid, type HistoryEntry, isFinished, limits } from '@amends/core';
import type { Store } from '@amends/store';
import type { DtmRecord } from '@amends/wire/dtm';

/** Reads transactions for DTM's clients. */
export interface DtmRecords {
  /** null: there is none. */
  find(gid: Gid): Promise<DtmRecord | null>;
  /** What is known beside a transaction that has been looked up. */
  of(view: TransactionView): Promise<DtmRecord>;
  /**
   * Notes that somebody asked for the next attempt of what is finished. It changes nothing and is audited; DTM, too, agrees to
   * it and shows the moment.
   * @throws AmendsError `store_unavailable`, `store_refused`
   */
  resetFinished(gid: Gid, actor: string): Promise<void>;
}

/** What they are read from. */
export interface DtmRecordsOptions {
  readonly coordinator: Pick<Coordinator, 'get' | 'history' | 'now'>;
  readonly store: Pick<Store, 'commit' | 'audit'>;
}

const resetVerb = 'reset-next-cron-time';
/** Acts by hand on one transaction among which a reset is looked for. */
const actsMax = 100;

/** Makes them. */
export function dtmRecords({ coordinator, store }: DtmRecordsOptions): DtmRecords {
  async function of(view: TransactionView): Promise<DtmRecord> {
    const { gid, seq } = view.transaction;
    const [history, resetAt] = await Promise.all([loadHistory(gid, seq), isFinished(view.transaction) ? findResetAt(gid) : null]);
    return { ...view, history, resetAt };
  }

  /** Of a long history the beginning, where branches come and the first of them end, and the end. */
  async function loadHistory(gid: Gid, seq: number): Promise<readonly HistoryEntry[]> {
    const limit = limits.pageRowsMax;
    // The row with which it began tells of no branch.
    if (seq <= 1) return [];
    const first = coordinator.history(gid, { afterSeq: 0, limit });
    if (seq <= limit) return first;
    const last = coordinator.history(gid, { afterSeq: Math.max(limit, seq - limit), limit });
    return [...(await first), ...(await last)];
  }

  async function findResetAt(gid: Gid): Promise<EpochMs | null> {
    const acts = await store.audit({ gid, limit: actsMax });
    return acts.find(({ verb }) => verb === resetVerb)?.at ?? null;
  }

  return {
    of,
    async find(gid) {
      const view = await coordinator.get(gid);
      return view === null ? null : of(view);
    },
    async resetFinished(gid, actor) {
      const audit = { at: coordinator.now(), gid, actor, verb: resetVerb, reason: 'by the DTM API', detail: '{}' };
      const [answer] = await store.commit([{ row: null, documents: [], audit: [audit] }]);
      if (answer!.fate === 'refused') throw new AmendsError('store_refused', `the store does not take it: ${answer!.message}`);
      if (answer!.fate !== 'applied') throw new AmendsError('store_unavailable', 'the store has not answered; try again');
    },
  };
}
