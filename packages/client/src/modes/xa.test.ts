/** XA transactions over real databases. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { describeWith } from '../../../../tools/services/service.ts';
import { type Account, freshGid, openMysqlAccount, openPostgresAccount } from '../../tests/databases.ts';
import { openStage, type Stage } from '../../tests/stage.ts';
import { mysqlXa } from '../barriers/mysql/mysql.ts';
import { postgresXa } from '../barriers/postgres/postgres.ts';
import type { XaResource } from '../barriers/xa-resource.ts';
import { BusinessFailure } from '../participants/verdict.ts';

function exerciseTransactions<Tx, Pool>(
  open: () => Promise<Account<Tx, Pool>>,
  resourceOf: (pool: Pool) => XaResource<Tx>,
): void {
  let account: Account<Tx, Pool>;
  let resource: XaResource<Tx>;
  let stage: Stage;
  let before: number;
  beforeAll(async () => {
    account = await open();
    resource = resourceOf(account.pool);
    stage = await openStage({
      routes: (client) => ({
        '/debit': client.xaBranch<Tx, number>(resource, async (tx, call) => {
          await account.move(tx, -call.body);
          if (call.body > 50) throw new BusinessFailure('too much');
          return { left: 'enough' };
        }) as never,
      }),
    });
  });
  afterAll(async () => {
    await stage?.close();
    await account?.close();
  });
  beforeEach(async () => {
    before = await account.cents();
  });
  const debit = () => `${stage.app}/debit`;
  const taken = async () => before - (await account.cents());

  it('commits all branches', async () => {
    const gid = freshGid();
    let answer: unknown;
    const done = await stage.client.xa(
      async (xa) => {
        answer = await xa.call(debit(), 1);
        expect(await taken()).toBe(0);
      },
      { gid, waitMs: 10_000 },
    );
    expect([done.outcome, answer, await taken()]).toEqual(['succeeded', { left: 'enough' }, 1]);
    expect(stage.callsOf(gid)).toEqual(['debit action 01', 'debit commit 01']);
  });

  it('rolls back what is prepared when another branch refuses', async () => {
    const gid = freshGid();
    const run = stage.client.xa(
      async (xa) => {
        await xa.call(debit(), 1);
        await xa.call(`${stage.app}/refuse`, 99);
      },
      { gid },
    );
    await expect(run).rejects.toThrow('sold out');
    expect(await stage.client.wait(gid, { waitMs: 10_000 })).toMatchObject({ outcome: 'failed' });
    expect([await taken(), await resource.prepared()]).toEqual([0, []]);
    expect(stage.callsOf(gid)).toEqual(['debit action 01', 'refuse action 02', 'debit rollback 01']);
  });

  it('leaves nothing of a branch whose work refuses', async () => {
    await expect(stage.client.xa((xa) => xa.call(debit(), 51))).rejects.toThrow('too much');
    expect([await taken(), await resource.prepared()]).toEqual([0, []]);
  });

  it('lists prepared branches that nobody will end, and only those', async () => {
    const orphan = { gid: freshGid(), transType: 'xa', branchId: '01', op: 'action' };
    await resource.prepare(
      orphan,
      (tx) => account.move(tx, 0),
      async () => {},
    );
    const open = await stage.client.begin('xa');
    const owned = { ...orphan, gid: open.gid, branchId: '02' };
    await resource.prepare(
      owned,
      () => {},
      async () => {},
    );
    expect((await stage.client.orphanedBranches(resource)).map(({ xid }) => xid)).toEqual([`${orphan.gid}-01`]);
    await Promise.all([resource.rollback(orphan), resource.rollback(owned), open.abort('the test is over')]);
  });
}

await describeWith('postgres', 'an XA transaction in Postgres', (url) => {
  exerciseTransactions(() => openPostgresAccount(url), postgresXa);
});
await describeWith('mariadb', 'an XA transaction in MariaDB', (url) => {
  exerciseTransactions(() => openMysqlAccount(url), mysqlXa);
});
