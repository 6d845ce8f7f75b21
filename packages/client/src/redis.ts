/** Participants with amounts in Redis, by the driver `ioredis`. */
import type { Cluster, Redis } from 'ioredis';
import { type Barrier, type BarrierOptions, checkCall, duplicated, originalOps } from './barrier-rows.ts';
import type { BranchRef } from './call.ts';
import { checkAdjustScript, queryPreparedScript } from './redis-scripts.ts';
import { BusinessFailure } from './verdict.ts';

/** How barriers are kept. */
export interface RedisBarrierOptions {
  /**
   * How long a barrier's keys live. Seconds; default 7 days. A call that comes later than that after the first is taken for
   * a new one, so let it be longer than the longest transaction, outages included.
   */
  readonly expireSeconds?: number;
}

/** What became of an adjustment: `skipped`, because it has been made before or there is nothing to undo. */
export type Adjustment = 'adjusted' | 'skipped';

/** Amounts behind a barrier. */
export interface Amounts {
  /**
   * Adds to an amount, or takes from it, together with the barrier's key, in one script. Several adjustments of one call
   * need a `barrierId` each.
   * @param key holds an integer. In a cluster it shares a hash tag with the gid
   * @param by a whole number
   * @throws BusinessFailure when there is no such key or the amount would become negative; `DuplicatedMessage`
   */
  adjust(key: string, by: number, options?: BarrierOptions): Promise<Adjustment>;
}

/**
 * The barrier in Redis: keys `<gid>-<branch id>-<op>-<barrier id>`, as DTM's clients have them. Each adjustment is there
 * entirely or not at all, but Redis rolls nothing back: of several in one call, those before an error stay. A message's local
 * transaction is its first adjustment.
 */
export function redisBarrier(redis: Redis | Cluster, { expireSeconds = 7 * 86_400 }: RedisBarrierOptions = {}): Barrier<Amounts> {
  if (!Number.isSafeInteger(expireSeconds) || expireSeconds < 1)
    throw new TypeError(`expireSeconds is ${expireSeconds}; must be at least 1`);
  return {
    async run(call, work, { barrierId } = {}) {
      checkCall(call, barrierId === undefined ? {} : { barrierId });
      const adjust: Amounts['adjust'] = (key, by, options = {}) =>
        checkAdjust(redis, { call, key, by, expireSeconds, barrierId: options.barrierId ?? barrierId ?? '01' });
      return await work({ adjust });
    },
    async queryPrepared(call) {
      checkCall(call);
      const answer = await redis.eval(queryPreparedScript, 1, `${call.gid}-00-msg-01`, expireSeconds);
      if (answer === 'FAILURE') throw new BusinessFailure(`the local transaction of the message ${call.gid} was not committed`);
    },
  };
}

interface CheckAdjust {
  readonly call: BranchRef;
  readonly key: string;
  readonly by: number;
  readonly expireSeconds: number;
  readonly barrierId: string;
}

async function checkAdjust(
  redis: Redis | Cluster,
  { call, key, by, expireSeconds, barrierId }: CheckAdjust,
): Promise<Adjustment> {
  if (!Number.isSafeInteger(by)) throw new TypeError(`the adjustment of ${key} is ${by}; must be a whole number`);
  checkCall(call, { barrierId });
  const original = originalOps[call.op] ?? '';
  const keyOfOp = (op: string) => `${call.gid}-${call.branchId}-${op}-${barrierId}`;
  const answer = await redis.eval(checkAdjustScript, 3, key, keyOfOp(call.op), keyOfOp(original), by, original, expireSeconds);
  if (answer === 'FAILURE') throw new BusinessFailure(`${key} cannot be changed by ${by}`);
  if (answer === 'DUPLICATE' && call.op === 'msg') throw duplicated(call.gid);
  return answer === 'OK' ? 'adjusted' : 'skipped';
}
