/** Participants with amounts in Redis, by the driver `ioredis`. */
import type { Cluster, Redis } from 'ioredis';
import type { BranchRef } from '../../participants/call.ts';
import { BusinessFailure } from '../../participants/verdict.ts';
import {
  type Barrier,
  type BarrierOptions,
  type BranchKey,
  checkCall,
  duplicateError,
  originalOps,
  serializeResult,
} from '../barrier-rows.ts';
import { parseResult } from '../kept-json.ts';
import { checkAdjustScript, keepResultScript, queryPreparedScript } from './redis-scripts.ts';

/** How long barriers are kept. */
export interface RedisBarrierOptions {
  /**
   * How long the keys of a barrier live. Seconds; default 7 days. A repeated call that comes after this time is taken for a new
   * one, so it must be longer than the longest transaction, outages included.
   */
  readonly expireSeconds?: number;
}

/** What became of an adjustment, now or in an earlier call. `skipped`: there is nothing to undo, or its undo came first. */
export type Adjustment = 'adjusted' | 'skipped';

/** The amounts that work may change behind a barrier. */
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
 * The barrier in Redis, with keys `<gid>-<branch id>-<op>-<barrier id>` as DTM's clients write them. Each adjustment is made as a
 * whole or not at all, but Redis rolls nothing back: of several in one call, those before an error stay. The local transaction of
 * a message is its first adjustment.
 *
 * The work runs each time that the call comes. Its adjustments are made once and return the same each time. What the work returns
 * is kept when it ends, under the keys of its adjustments, and every later call gets that.
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
      return (await keepResult(redis, { result: await work({ adjust }), made, expireSeconds })) as Result;
    },
    async queryPrepared(call) {
      checkCall(call);
      const key = barrierKey({ gid: call.gid, branchId: '00', op: 'msg', barrierId: '01' });
      const answer = await redis.eval(queryPreparedScript, 1, key, expireSeconds);
      if (answer === 'FAILURE') throw new BusinessFailure(`the local transaction of the message ${call.gid} was not committed`);
    },
  };
}

/**
 * The key of a barrier. A hyphen ends a part, so a hyphen inside a part other than the gid, as in the branch ids of a topic's
 * deliveries, is escaped. Otherwise the message `order-7` and the saga `order-7-01` would share a key.
 */
function barrierKey({ gid, branchId, op, barrierId }: BranchKey): string {
  return [gid, ...[branchId, op, barrierId].map(escapePart)].join('-');
}

function escapePart(part: string): string {
  return part.replace(/[-%/]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

interface Returned {
  readonly result: unknown;
  /** The barriers that the work has passed. */
  readonly made: readonly BranchKey[];
  readonly expireSeconds: number;
}

/**
 * Keeps the result of work, or gives that of an earlier call. Work without adjustments has no barrier, so its result is not kept.
 * The slash in the key distinguishes results from barriers.
 */
async function keepResult(redis: Redis | Cluster, { result, made, expireSeconds }: Returned): Promise<unknown> {
  const [first, ...others] = made;
  if (first === undefined) return result;
  const key = [barrierKey(first), ...others.map(({ barrierId }) => escapePart(barrierId)), 'result'].join('/');
  return parseResult((await redis.eval(keepResultScript, 1, key, serializeResult(result, first).json, expireSeconds)) as string);
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
  const keyOfOp = (op: string) => barrierKey({ ...call, op, barrierId });
  const answer = await redis.eval(checkAdjustScript, 3, key, keyOfOp(call.op), keyOfOp(original), by, original, expireSeconds);
  if (answer === 'FAILURE') throw new BusinessFailure(`${key} cannot be changed by ${by}`);
  if (call.op === 'msg' && answer !== 'OK') throw duplicateError(call.gid);
  return answer === 'OK' || answer === 'AGAIN' ? 'adjusted' : 'skipped';
}
