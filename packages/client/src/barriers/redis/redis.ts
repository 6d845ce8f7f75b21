/** Participants with amounts in Redis, by the driver `ioredis`. */
import type { Cluster, Redis } from 'ioredis';
import type { BranchRef } from '../../participants/call.ts';
import { BusinessFailure } from '../../participants/verdict.ts';
import {
  type Barrier,
  type BarrierOptions,
  type BranchKey,
  checkCall,
  duplicated,
  originalOps,
  resultOf,
} from '../barrier-rows.ts';
import { resultIn } from '../kept-json.ts';
import { checkAdjustScript, keepResultScript, queryPreparedScript } from './redis-scripts.ts';

/** How barriers are kept. */
export interface RedisBarrierOptions {
  /**
   * How long a barrier's keys live. Seconds; default 7 days. A call that comes later than that after the first is taken for
   * a new one, so let it be longer than the longest transaction, outages included.
   */
  readonly expireSeconds?: number;
}

/**
 * What became of an adjustment, now or when it was made before: `skipped`, because there is nothing to undo, or its undo came
 * first.
 */
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
 *
 * The work runs each time that a call comes: its adjustments are made once, and say each time what they said first. What it
 * returns is kept when it has ended, under the key of the adjustments that it made, and is what every later call gives.
 */
export function redisBarrier(redis: Redis | Cluster, { expireSeconds = 7 * 86_400 }: RedisBarrierOptions = {}): Barrier<Amounts> {
  if (!Number.isSafeInteger(expireSeconds) || expireSeconds < 1)
    throw new TypeError(`expireSeconds is ${expireSeconds}; must be at least 1`);
  return {
    async run<Result>(call: BranchRef, work: (amounts: Amounts) => Result | Promise<Result>, { barrierId }: BarrierOptions = {}) {
      checkCall(call, barrierId === undefined ? {} : { barrierId });
      const made: BranchKey[] = [];
      const adjust: Amounts['adjust'] = (key, by, options = {}) => {
        const barrier = { ...call, barrierId: options.barrierId ?? barrierId ?? '01' };
        made.push(barrier);
        return checkAdjust(redis, { call, key, by, expireSeconds, barrierId: barrier.barrierId });
      };
      return (await keptResult(redis, { result: await work({ adjust }), made, expireSeconds })) as Result;
    },
    async queryPrepared(call) {
      checkCall(call);
      const key = keyOf({ gid: call.gid, branchId: '00', op: 'msg', barrierId: '01' });
      const answer = await redis.eval(queryPreparedScript, 1, key, expireSeconds);
      if (answer === 'FAILURE') throw new BusinessFailure(`the local transaction of the message ${call.gid} was not committed`);
    },
  };
}

/**
 * The key of a barrier. A hyphen ends a part, so one inside of a part other than the gid, as in the branch ids of a topic's
 * deliveries, is written otherwise: the message `order-7` and the saga `order-7-01` would have a key in common.
 */
function keyOf({ gid, branchId, op, barrierId }: BranchKey): string {
  return [gid, ...[branchId, op, barrierId].map(escaped)].join('-');
}

function escaped(part: string): string {
  return part.replace(/[-%/]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

interface Returned {
  readonly result: unknown;
  /** The barriers that the work has passed. */
  readonly made: readonly BranchKey[];
  readonly expireSeconds: number;
}

/** Work without adjustments has no barrier, and nothing to keep its result under. The slash keeps results and barriers apart. */
async function keptResult(redis: Redis | Cluster, { result, made, expireSeconds }: Returned): Promise<unknown> {
  const [first, ...others] = made;
  if (first === undefined) return result;
  const key = [keyOf(first), ...others.map(({ barrierId }) => escaped(barrierId)), 'result'].join('/');
  return resultIn((await redis.eval(keepResultScript, 1, key, resultOf(result, first).json, expireSeconds)) as string);
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
  const keyOfOp = (op: string) => keyOf({ ...call, op, barrierId });
  const answer = await redis.eval(checkAdjustScript, 3, key, keyOfOp(call.op), keyOfOp(original), by, original, expireSeconds);
  if (answer === 'FAILURE') throw new BusinessFailure(`${key} cannot be changed by ${by}`);
  if (call.op === 'msg' && answer !== 'OK') throw duplicated(call.gid);
  return answer === 'OK' || answer === 'AGAIN' ? 'adjusted' : 'skipped';
}
