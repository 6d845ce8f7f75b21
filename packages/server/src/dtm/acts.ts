/** What people do to transactions by DTM's API. */
import { type Gid, type InterventionVerb, isAmendsError } from '@amends/core';
import { cannotForceStop, type DtmResult, done, found, noSuchTransaction, type ResetCronTime } from '@amends/wire/dtm';
import type { DtmParts } from './operation.ts';
import { resetCronTime } from './reset-cron-time.ts';

/** An act on one transaction. */
interface Act {
  readonly gid: Gid;
  readonly actor: string;
}

/** Ends a transaction as it stands. */
export function forceStop(act: Act, parts: DtmParts): Promise<DtmResult> {
  return intervene('terminate', act, parts, async () => {
    const known = await parts.coordinator.get(act.gid);
    return cannotForceStop(known?.transaction.status ?? 'unknown');
  });
}

/** Has what waits for its next attempt tried again now. */
export function resetNextCronTime(act: Act, parts: DtmParts): Promise<DtmResult> {
  return intervene('retry', act, parts, async () => {
    await parts.records.resetFinished(act.gid, act.actor);
    return done;
  });
}

/** The same for all that wait long. */
export async function resetCronTimes(
  { actor, ...asked }: ResetCronTime & Pick<Act, 'actor'>,
  { coordinator }: DtmParts,
): Promise<DtmResult> {
  return found(await resetCronTime(coordinator, asked, actor));
}

/** @param finished tells what is answered when there is nothing left to act on */
async function intervene(
  verb: InterventionVerb,
  { gid, actor }: Act,
  { coordinator }: DtmParts,
  finished: () => Promise<DtmResult>,
): Promise<DtmResult> {
  try {
    await coordinator.intervene({ gid, verb, actor, reason: 'by the DTM API', expectedVersion: null });
    return done;
  } catch (error) {
    if (isAmendsError(error, 'not_found')) return noSuchTransaction(gid);
    if (isAmendsError(error, 'already_finished')) return finished();
    throw error;
  }
}
