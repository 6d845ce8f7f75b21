/** Messages with local transactions in every database that has a barrier. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from '../../../../tools/services/service.ts';
import { openBank } from '../../tests/bank.ts';
import { freshGid, openMysqlAccount, openPostgresAccount, openRedis } from '../../tests/databases.ts';
import { openStage, type Stage } from '../../tests/stage.ts';
import type { Barrier } from '../barriers/barrier-rows.ts';
import { redisBarrier } from '../barriers/redis/redis.ts';
import { sqliteBarrier } from '../barriers/sqlite/sqlite.ts';
import { BusinessFailure, type Handler } from '../participants/verdict.ts';

/** A database with one amount. */
interface Till<Tx> {
  readonly barrier: Barrier<Tx>;
  take(tx: Tx): unknown;
  amount(): number | Promise<number>;
  close(): unknown;
}

function exerciseMessages<Tx>(open: () => Till<Tx> | Promise<Till<Tx>>): void {
  let till: Till<Tx>;
  let stage: Stage;
  let before: number;
  const ask: Handler = (call) => till.barrier.queryPrepared(call);
  beforeAll(async () => {
    till = await open();
    stage = await openStage({ routes: () => ({ '/ask': ask }) });
  });
  afterAll(async () => {
    await stage?.close();
    await till?.close();
  });

  const message = () => stage.client.message({ timeoutMs: 1_000 }).step({ action: `${stage.app}/ok`, payload: { cents: 1 } });
  const how = async () => {
    before = await till.amount();
    return { gid: freshGid(), queryPrepared: `${stage.app}/ask` };
  };
  const taken = async () => before - (await till.amount());

  it('is delivered when the local transaction is committed', async () => {
    const prepared = await how();
    const sent = await message().doAndSubmit(till.barrier, (tx) => till.take(tx), { ...prepared, waitMs: 5_000 });
    expect(sent).toMatchObject({ outcome: 'succeeded', mode: 'msg' });
    expect([await taken(), stage.callsOf(prepared.gid)]).toEqual([1, ['ok action 01']]);
  });

  it('is delivered whatever the work returns', async () => {
    const prepared = await how();
    const work = (tx: Tx) => {
      const done = till.take(tx);
      if (!(done instanceof Promise)) return 1n;
      // biome-ignore lint/suspicious/noThenProperty: queries of many libraries begin when they are awaited
      return { then: (resolve: (value: bigint) => void, reject: () => void) => done.then(() => resolve(1n), reject) };
    };
    const sent = await message().doAndSubmit<Tx, unknown>(till.barrier, work, { ...prepared, waitMs: 5_000 });
    expect([sent.outcome, await taken()]).toEqual(['succeeded', 1]);
  });

  it('is given up when the local transaction is refused', async () => {
    const prepared = await how();
    const refuse = () => {
      throw new BusinessFailure('no money');
    };
    await expect(message().doAndSubmit(till.barrier, refuse, prepared)).rejects.toThrow('no money');
    expect(await stage.client.get(prepared.gid)).toMatchObject({ outcome: 'failed' });
    expect([await taken(), stage.callsOf(prepared.gid)]).toEqual([0, []]);
  });

  it('is given up when the local transaction breaks', async () => {
    const prepared = await how();
    const broken = () => {
      throw new Error('power cut');
    };
    await expect(message().doAndSubmit(till.barrier, broken, prepared)).rejects.toThrow('power cut');
    expect(await stage.client.get(prepared.gid)).toMatchObject({ outcome: 'failed' });
    await expect(
      till.barrier.queryPrepared({ gid: prepared.gid, transType: 'msg', branchId: '00', op: 'msg' }),
    ).rejects.toThrow();
  });

  it('is delivered when the answer to the commit is lost', async () => {
    const prepared = await how();
    const forgetful: Barrier<Tx> = {
      async run(...args) {
        await till.barrier.run(...args);
        throw new Error('connection lost');
      },
      queryPrepared: (call) => till.barrier.queryPrepared(call),
    };
    const sent = await message().doAndSubmit(forgetful, (tx) => till.take(tx), { ...prepared, waitMs: 5_000 });
    expect(sent).toMatchObject({ outcome: 'succeeded' });
    expect([await taken(), stage.callsOf(prepared.gid)]).toEqual([1, ['ok action 01']]);
  });

  it('is delivered when the application dies after its commit: the coordinator asks', async () => {
    const prepared = await how();
    await message().prepare(prepared);
    await till.barrier.run({ gid: prepared.gid, transType: 'msg', branchId: '00', op: 'msg' }, (tx) => till.take(tx));
    expect(await stage.client.wait(prepared.gid, { waitMs: 15_000 })).toMatchObject({ outcome: 'succeeded' });
    expect([await taken(), stage.callsOf(prepared.gid)]).toEqual([1, ['ask msg 00', 'ok action 01']]);
  });

  it('is given up when the application dies before its commit', async () => {
    const prepared = await how();
    await message().prepare(prepared);
    expect(await stage.client.wait(prepared.gid, { waitMs: 15_000 })).toMatchObject({ outcome: 'failed' });
    const late = till.barrier.run({ gid: prepared.gid, transType: 'msg', branchId: '00', op: 'msg' }, (tx) => till.take(tx));
    await expect(late).rejects.toThrow('DUPLICATED');
    expect([await taken(), stage.callsOf(prepared.gid)]).toEqual([0, ['ask msg 00']]);
  });
}

describe('a message with SQLite', () => {
  exerciseMessages(() => {
    const bank = openBank();
    const take = () => bank.move('ann', -1);
    return { barrier: sqliteBarrier(bank.db), take, amount: () => bank.cents('ann'), close: () => bank.close() };
  });
});

await describeWith('postgres', 'a message with Postgres', (url) => {
  exerciseMessages(async () => {
    const account = await openPostgresAccount(url);
    return { ...account, take: (tx) => account.move(tx, -1), amount: account.cents };
  });
});

await describeWith('mariadb', 'a message with MariaDB', (url) => {
  exerciseMessages(async () => {
    const account = await openMysqlAccount(url);
    return { ...account, take: (tx) => account.move(tx, -1), amount: account.cents };
  });
});

await describeWith('redis', 'a message with Redis', (url) => {
  exerciseMessages(async () => {
    const { redis, key, close } = openRedis(url);
    await redis.set(key, 100);
    return {
      barrier: redisBarrier(redis),
      take: (amounts) => amounts.adjust(key, -1),
      amount: async () => Number(await redis.get(key)),
      close,
    };
  });
});

describe('a message', () => {
  it('without a local transaction is submitted at once, or prepared and submitted, or given up', async () => {
    const stage = await openStage();
    const message = stage.client
      .message()
      .step({ action: `${stage.app}/ok` })
      .step({ action: `${stage.app}/ok` });
    const { gid, outcome } = await message.submit({ waitMs: 5_000 });
    expect([outcome, stage.callsOf(gid)]).toEqual(['succeeded', ['ok action 01', 'ok action 02']]);

    const prepared = await message.prepare({ queryPrepared: `${stage.app}/ok` });
    expect(stage.callsOf(prepared.gid)).toEqual([]);
    expect(await prepared.submit({ waitMs: 5_000 })).toMatchObject({ outcome: 'succeeded' });

    const other = await message.prepare({ queryPrepared: `${stage.app}/ok` });
    await other.abort('changed my mind');
    await expect(other.submit()).rejects.toMatchObject({ code: 'conflict' });
    await stage.close();
  });
});
