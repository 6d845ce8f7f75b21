import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { describeWith } from '../../../../../tools/services/service.ts';
import { freshGid, openRedis } from '../../../tests/databases.ts';
import { BusinessFailure } from '../../participants/verdict.ts';
import { DuplicatedMessage } from '../barrier-rows.ts';
import { type Amounts, redisBarrier } from './redis.ts';

await describeWith('redis', 'the barrier in Redis', (url) => {
  let open: ReturnType<typeof openRedis>;
  let gid: string;
  beforeAll(() => {
    open = openRedis(url);
  });
  afterAll(() => open.close());
  beforeEach(async () => {
    gid = freshGid();
    await open.redis.set(open.key, 5);
  });

  const call = (op: string) => ({ gid, transType: 'saga', branchId: '01', op });
  const adjust = (op: string, by: number) => redisBarrier(open.redis).run(call(op), (amounts) => amounts.adjust(open.key, by));
  const stock = () => open.redis.get(open.key);
  const barrierOf = (op: string, id = '01') => open.redis.get(`${gid}-01-${op}-${id}`);

  it("adjusts once, under DTM's keys and values, which expire", async () => {
    for (let i = 0; i < 3; i++) expect(await adjust('action', -2)).toBe('adjusted');
    expect([await stock(), await barrierOf('action')]).toEqual(['3', 'op']);
    expect(await open.redis.ttl(`${gid}-01-action-01`)).toBeGreaterThan(6 * 86_400);
  });

  it('says of a deduction that has used up the stock what it said first', async () => {
    await adjust('action', -5);
    expect(await adjust('action', -5)).toBe('adjusted');
    expect(await stock()).toBe('0');
  });

  it('refuses what there is not enough of, and leaves no trace, so that it may come again', async () => {
    await expect(adjust('action', -6)).rejects.toThrow(BusinessFailure);
    expect([await stock(), await barrierOf('action')]).toEqual(['5', null]);
    await open.redis.incrby(open.key, 1);
    expect(await adjust('action', -6)).toBe('adjusted');
  });

  it('refuses to change what is not there', async () => {
    await open.redis.del(open.key);
    await expect(adjust('action', 1)).rejects.toThrow(BusinessFailure);
    expect(await stock()).toBeNull();
  });

  it.each([
    ['compensate', 'action'],
    ['cancel', 'try'],
    ['rollback', 'action'],
  ])('lets a %s pass that has nothing to undo, and stops the %s that arrives after it', async (op, original) => {
    for (let i = 0; i < 2; i++) expect(await adjust(op, 2)).toBe('skipped');
    for (let i = 0; i < 2; i++) expect(await adjust(original, -2)).toBe('skipped');
    expect([await stock(), await barrierOf(op), await barrierOf(original)]).toEqual(['5', 'op', 'rollback']);
  });

  it('undoes once', async () => {
    await adjust('try', -2);
    for (let i = 0; i < 2; i++) expect(await adjust('cancel', 2)).toBe('adjusted');
    expect(await stock()).toBe('5');
  });

  it('keeps several adjustments of one call apart by their ids', async () => {
    await redisBarrier(open.redis).run(call('action'), async (amounts) => {
      await amounts.adjust(open.key, -1);
      await amounts.adjust(open.key, -1, { barrierId: '02' });
    });
    expect([await stock(), await barrierOf('action', '02')]).toEqual(['3', 'op']);
  });

  it('gives each time what the work returned when it first came to its end', async () => {
    let runs = 0;
    const work = async (amounts: Amounts) => {
      const adjustment = await amounts.adjust(open.key, -1);
      runs++;
      if (runs === 1) throw new Error('power cut');
      return { adjustment, left: Number(await stock()), at: `run ${runs}` };
    };
    const barrier = redisBarrier(open.redis);
    await expect(barrier.run(call('action'), work)).rejects.toThrow('power cut');
    for (let i = 0; i < 3; i++)
      expect(await barrier.run(call('action'), work)).toEqual({ adjustment: 'adjusted', left: 4, at: 'run 2' });
  });

  it('keeps the results of several runs of one call apart by their adjustments', async () => {
    const barrier = redisBarrier(open.redis);
    const take = (ids: readonly string[]) =>
      barrier.run(call('action'), async (amounts) => {
        for (const barrierId of ids) await amounts.adjust(open.key, -1, { barrierId });
        return ids.join('+');
      });
    for (const ids of [['01'], ['02'], ['01', '02'], ['02'], ['01']]) expect(await take(ids)).toBe(ids.join('+'));
    expect(await stock()).toBe('3');
  });

  it('keeps apart what the keys of DTM would take for one', async () => {
    const barrier = redisBarrier(open.redis);
    const take = (branch: { gid: string; branchId: string }) =>
      barrier.run({ ...call('action'), ...branch }, (amounts) => amounts.adjust(open.key, -1));
    await take({ gid, branchId: '01-01' });
    await take({ gid: `${gid}-01`, branchId: '01' });
    await take({ gid, branchId: '01%2D01' });
    expect(await stock()).toBe('2');
    expect(await open.redis.keys(`${gid}-01*action-01`)).toEqual(
      expect.arrayContaining([`${gid}-01%2D01-action-01`, `${gid}-01-01-action-01`, `${gid}-01%252D01-action-01`]),
    );
  });

  it('answers for a message, and gives up what was not committed', async () => {
    const barrier = redisBarrier(open.redis, { expireSeconds: 60 });
    const message = { gid, transType: 'msg', branchId: '00', op: 'msg' };
    await barrier.run(message, (amounts) => amounts.adjust(open.key, -1));
    await barrier.queryPrepared(message);
    await expect(barrier.run(message, (amounts) => amounts.adjust(open.key, -1))).rejects.toThrow(DuplicatedMessage);

    const late = { ...message, gid: freshGid() };
    for (let i = 0; i < 2; i++) await expect(barrier.queryPrepared(late)).rejects.toThrow(BusinessFailure);
    await expect(barrier.run(late, (amounts) => amounts.adjust(open.key, -1))).rejects.toThrow(DuplicatedMessage);
    expect([await stock(), await open.redis.get(`${late.gid}-00-msg-01`)]).toEqual(['4', 'rollback']);
  });

  it('refuses amounts that are no whole numbers', async () => {
    await expect(adjust('action', 0.5)).rejects.toThrow(TypeError);
  });
});
