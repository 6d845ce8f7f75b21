/** DTM's `resetCronTime`: what waits long for its next attempt is tried now, as when a participant is back after an outage. */
import type { Coordinator } from '@amends/coordinator';
import { type ErrorCode, fromRow, isAmendsError, type Status, type TransactionRow } from '@amends/core';
import type { ResetCronTime } from '@amends/wire/dtm';

/** The answer, in DTM's words. */
export interface ResetCount {
  readonly succeed_count: number;
  /** Whether there is more than the limit. */
  readonly has_remaining: boolean;
}

const unfinished: readonly Status[] = ['submitted', 'aborting', 'prepared'];
const rowsPerPage = 1_000;

/** Has up to `limit` of them tried again, each as an act of its own. */
export async function resetCronTime(coordinator: Coordinator, asked: ResetCronTime, actor: string): Promise<ResetCount> {
  const found = await waitingLong(coordinator, asked);
  const due = found.slice(0, asked.limit);
  const tried = await Promise.all(due.map(({ gid }) => retry(coordinator, gid, actor)));
  return { succeed_count: tried.filter((one) => one).length, has_remaining: found.length > due.length };
}

/** One more than the limit, to know whether there are more. */
async function waitingLong(coordinator: Coordinator, { dueAfterMs, limit }: ResetCronTime): Promise<readonly TransactionRow[]> {
  const dueAfter = coordinator.now() + dueAfterMs;
  const found: TransactionRow[] = [];
  for (const status of unfinished) {
    let page = await coordinator.list({ status, held: false, limit: rowsPerPage });
    for (;;) {
      found.push(...page.rows.filter((row) => row.dueAt !== null && row.dueAt > dueAfter && waits(row)));
      if (found.length > limit) return found.slice(0, limit + 1);
      if (page.next === null) break;
      page = await coordinator.list({ status, held: false, limit: rowsPerPage, after: page.next });
    }
  }
  return found;
}

/**
 * Whether a next attempt is what it waits for; a delay or a deadline is not made shorter. What cannot be read waits for a human.
 */
function waits(row: TransactionRow): boolean {
  try {
    return fromRow(row).branches.some(({ forward, backward }) => forward.at === 'waiting' || backward.at === 'waiting');
  } catch {
    return false;
  }
}

/** It has ended meanwhile, is gone, or cannot be read. */
const nothingToRetry: ReadonlySet<ErrorCode> = new Set(['already_finished', 'not_found', 'store_refused']);

async function retry(coordinator: Coordinator, gid: TransactionRow['gid'], actor: string): Promise<boolean> {
  try {
    await coordinator.intervene({ gid, verb: 'retry', actor, reason: 'by the DTM API: resetCronTime', expectedVersion: null });
    return true;
  } catch (error) {
    if (isAmendsError(error) && nothingToRetry.has(error.code)) return false;
    throw error;
  }
}
