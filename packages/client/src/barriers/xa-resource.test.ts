/** Branches of XA transactions in Postgres and MariaDB: one behaviour. */
import type { PoolClient } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { describeWith } from '../../../../tools/services/service.ts';
import { type Account, freshGid, openMysqlAccount, openPostgresAccount } from '../../tests/databases.ts';
import { BusinessFailure, NeedsAttention } from '../participants/verdict.ts';
import { NotJson } from './kept-json.ts';
import { mysqlXa } from './mysql/mysql.ts';
import { postgresXa } from './postgres/postgres.ts';
import type { XaResource } from './xa-resource.ts';

function exerciseXa<Tx, Pool>(open: () => Promise<Account<Tx, Pool>>, resourceOf: (pool: Pool) => XaResource<Tx>): void {
  let account: Account<Tx, Pool>;
  let xa: XaResource<Tx>;
  let call: { gid: string; transType: string; branchId: string; op: string };
  beforeAll(async () => {
    account = await open();
    xa = resourceOf(account.pool);
  });
  afterAll(() => account?.close());
  beforeEach(async () => {
    call = { gid: freshGid(), transType: 'xa', branchId: '01', op: 'action' };
    await account.barrier.run(call, async (tx) => account.move(tx, 100 - (await account.cents())), { barrierId: 'reset' });
  });
  const debit = (tx: Tx) => account.move(tx, -30);
  const registered = async () => {};
  const mine = async () => (await xa.prepared()).filter(({ gid }) => gid === call.gid);

  it('commits what was prepared, once', async () => {
    await xa.prepare(call, debit, registered);
    expect(await account.cents()).toBe(100);
    expect(await mine()).toEqual([{ gid: call.gid, branchId: '01', xid: `${call.gid}-01` }]);
    await xa.commit(call);
    await xa.commit(call);
    expect([await account.cents(), await mine()]).toEqual([70, []]);
  });

  it('rolls back what was prepared, and lets nothing begin after it', async () => {
    await xa.prepare(call, debit, registered);
    await xa.rollback(call);
    await xa.rollback(call);
    await expect(xa.prepare(call, debit, registered)).rejects.toThrow(BusinessFailure);
    expect([await account.cents(), await mine()]).toEqual([100, []]);
  });

  it('rolls back what has never begun, and stops it when it arrives', async () => {
    await xa.rollback(call);
    await expect(xa.prepare(call, debit, registered)).rejects.toThrow(BusinessFailure);
    expect(await account.cents()).toBe(100);
  });

  it('does not roll back behind the back of a first phase that is under way', async () => {
    const work = async (tx: Tx) => {
      await debit(tx);
      await expect(xa.rollback(call)).rejects.toThrow(/lock/i);
    };
    await xa.prepare(call, work, registered);
    await xa.rollback(call);
    expect([await account.cents(), await mine()]).toEqual([100, []]);
  });

  it.each(['the work', 'the registration'])('leaves nothing when %s fails', async (what) => {
    const refuse = async () => {
      throw new BusinessFailure('no');
    };
    const prepared = xa.prepare(call, what === 'the work' ? refuse : debit, what === 'the work' ? registered : refuse);
    await expect(prepared).rejects.toThrow('no');
    expect([await account.cents(), await mine()]).toEqual([100, []]);
    await xa.rollback(call);
  });

  it('leaves nothing when the connection is cut before it is prepared', async () => {
    const cut = async (tx: Tx) => {
      await debit(tx);
      await account.cut(tx).catch(() => {});
    };
    await expect(xa.prepare(call, cut, registered)).rejects.toThrow();
    await xa.rollback(call);
    expect([await account.cents(), await mine()]).toEqual([100, []]);
  });

  it('skips a first phase that was committed before, and gives what it returned', async () => {
    expect(await xa.prepare(call, (tx) => debit(tx).then(() => ({ cents: 70 })), registered)).toEqual({ cents: 70 });
    await xa.commit(call);
    expect(await xa.prepare<unknown>(call, debit, registered)).toEqual({ cents: 70 });
    expect(await account.cents()).toBe(70);
  });

  it('prepares nothing when the work returns what JSON cannot hold', async () => {
    await expect(xa.prepare<unknown>(call, (tx) => debit(tx).then(() => 1n), registered)).rejects.toThrow(NotJson);
    expect([await account.cents(), await mine()]).toEqual([100, []]);
  });

  it('refuses a branch whose name could be that of another transaction', async () => {
    await expect(xa.prepare({ ...call, branchId: '01-01' }, debit, registered)).rejects.toThrow('hyphen');
  });

  it('gives connections back, or makes new ones', async () => {
    for (let i = 10; i < 22; i++) {
      await xa.prepare({ ...call, branchId: `${i}` }, debit, registered);
      await xa.commit({ ...call, branchId: `${i}` });
    }
    expect(await account.cents()).toBe(100 - 12 * 30);
  });

  it('takes any characters in a gid', async () => {
    call = { ...call, gid: `${call.gid}'\\;"` };
    await xa.prepare(call, debit, registered);
    expect(await mine()).toHaveLength(1);
    await xa.commit(call);
    expect(await account.cents()).toBe(70);
  });

  it('refuses a name that is too long for the database', async () => {
    await expect(xa.prepare({ ...call, gid: 'g'.repeat(128), branchId: '1'.repeat(90) }, debit, registered)).rejects.toThrow(
      'bytes',
    );
  });
}

await describeWith('postgres', 'XA in Postgres', (url) => {
  exerciseXa(() => openPostgresAccount(url), postgresXa);

  it('never takes for prepared, committed or rolled back what its work has committed by itself', async () => {
    const account = await openPostgresAccount(url);
    const xa = postgresXa(account.pool);
    const call = { gid: freshGid(), transType: 'xa', branchId: '01', op: 'action' };
    const half = async (tx: PoolClient) => {
      await account.move(tx, -30);
      for (const sql of ['COMMIT', 'BEGIN']) await account.statement(tx, sql);
    };
    await expect(xa.prepare(call, half, async () => {})).rejects.toThrow('ended before its time');
    await expect(xa.prepare(call, half, async () => {})).rejects.toThrow(NeedsAttention);
    await expect(xa.rollback(call)).rejects.toThrow(NeedsAttention);
    expect(await account.cents()).toBe(70);
    await account.close();
  });
});
await describeWith('mariadb', 'XA in MariaDB', (url) => exerciseXa(() => openMysqlAccount(url), mysqlXa));
