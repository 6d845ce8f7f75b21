/** The barrier in Postgres and MariaDB: one behaviour. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { describeWith } from '../../../tools/services/service.ts';
import { type Account, freshGid, openMysqlAccount, openPostgresAccount } from '../tests/databases.ts';
import { DuplicatedMessage } from './barrier-rows.ts';
import { postgresBarrier } from './postgres.ts';
import { BusinessFailure } from './verdict.ts';

function exerciseBarrier<Tx, Pool>(open: () => Promise<Account<Tx, Pool>>): void {
  let account: Account<Tx, Pool>;
  let branch: { gid: string; transType: string; branchId: string };
  beforeAll(async () => {
    account = await open();
  });
  afterAll(() => account?.close());
  beforeEach(async () => {
    branch = { gid: freshGid(), transType: 'saga', branchId: '01' };
    await account.barrier.run({ ...branch, op: 'reset' }, async (tx) => account.move(tx, 100 - (await account.cents())));
  });
  const call = (op: string) => ({ ...branch, op });
  const debit = (tx: Tx) => account.move(tx, -30);
  const refund = (tx: Tx) => account.move(tx, 30);
  const rows = async () => (await account.rows(branch.gid)).filter((row) => !row.startsWith('reset'));

  it('runs an action once, however often it is called, and gives what it returns', async () => {
    expect(await account.barrier.run(call('action'), (tx) => debit(tx).then(() => 'debited'))).toBe('debited');
    expect(await account.barrier.run(call('action'), debit)).toBeUndefined();
    expect(await account.cents()).toBe(70);
    expect(await rows()).toEqual(['action/01/action']);
  });

  it('runs an action once when it is called many times at once', async () => {
    await Promise.allSettled(Array.from({ length: 8 }, () => account.barrier.run(call('action'), debit)));
    expect(await account.cents()).toBe(70);
  });

  it('runs a compensation once, after its action', async () => {
    await account.barrier.run(call('action'), debit);
    await account.barrier.run(call('compensate'), refund);
    await account.barrier.run(call('compensate'), refund);
    expect(await account.cents()).toBe(100);
    expect(await rows()).toEqual(['action/01/action', 'compensate/01/compensate']);
  });

  it.each([
    ['compensate', 'action'],
    ['cancel', 'try'],
    ['rollback', 'action'],
  ])('lets a %s pass that has nothing to undo, and stops the %s that arrives after it', async (op, original) => {
    await account.barrier.run(call(op), refund);
    await account.barrier.run(call(original), debit);
    expect(await account.cents()).toBe(100);
    expect(await rows()).toEqual([`${original}/01/${op}`, `${op}/01/${op}`]);
  });

  it('undoes an action that is still under way only after it has ended', async () => {
    let compensated: Promise<unknown> | undefined;
    await account.barrier.run(call('action'), async (tx) => {
      await debit(tx);
      compensated = account.barrier.run(call('compensate'), refund);
    });
    await compensated;
    expect(await account.cents()).toBe(100);
    expect(await rows()).toEqual(['action/01/action', 'compensate/01/compensate']);
  });

  it('keeps several barriers of one call apart by their ids', async () => {
    for (const barrierId of ['01', '02', '02'])
      await account.barrier.run(call('action'), (tx) => account.move(tx, -1), { barrierId });
    expect(await account.cents()).toBe(98);
    expect(await rows()).toEqual(['action/01/action', 'action/02/action']);
  });

  it('leaves neither the change nor its row when the work throws, so that the next call runs', async () => {
    const crash = async (tx: Tx) => {
      await debit(tx);
      throw new BusinessFailure('power cut');
    };
    await expect(account.barrier.run(call('action'), crash)).rejects.toThrow('power cut');
    expect([await account.cents(), await rows()]).toEqual([100, []]);
    await account.barrier.run(call('action'), debit);
    expect(await account.cents()).toBe(70);
  });

  it('passes on the error of a statement', async () => {
    await expect(account.barrier.run(call('action'), (tx) => account.spoil(tx))).rejects.toMatchObject({
      code: expect.any(String),
    });
    expect(await rows()).toEqual([]);
  });

  it('gives its connections back', async () => {
    for (let i = 0; i < 10; i++) {
      await account.barrier.run(call(`action${i}`), debit);
      await account.barrier.run(call(`spoilt${i}`), (tx) => account.spoil(tx)).catch(() => {});
    }
    expect(await account.cents()).toBe(100 - 10 * 30);
  });

  it('leaves nothing when its connection is cut, and goes on with another', async () => {
    for (let i = 0; i < 6; i++) {
      const cut = async (tx: Tx) => {
        await debit(tx);
        await account.cut(tx);
      };
      await expect(account.barrier.run(call('action'), cut)).rejects.toThrow();
    }
    const swallowed = (tx: Tx) => account.cut(tx).catch(() => {});
    await expect(account.barrier.run(call('action'), swallowed)).rejects.toThrow();
    expect([await account.cents(), await rows()]).toEqual([100, []]);
    await account.barrier.run(call('action'), debit);
    expect(await account.cents()).toBe(70);
  });

  it('takes any characters in a gid', async () => {
    branch = { ...branch, gid: `${branch.gid}'"\\;--` };
    await account.barrier.run(call('action'), debit);
    expect(await rows()).toEqual(['action/01/action']);
  });

  it('keeps gids apart that differ in case only', async () => {
    await account.barrier.run({ ...call('action'), gid: `${branch.gid}a` }, debit);
    await account.barrier.run({ ...call('action'), gid: `${branch.gid}A` }, debit);
    expect(await account.cents()).toBe(40);
  });

  it.each(['gid', 'transType', 'branchId', 'op'])('refuses a call whose %s is empty or does not fit', async (field) => {
    for (const value of ['', 'x'.repeat(129)])
      await expect(account.barrier.run({ ...call('action'), [field]: value }, debit)).rejects.toThrow(field);
    expect(await account.cents()).toBe(100);
  });

  describe('with a message', () => {
    const message = () => ({ gid: branch.gid, transType: 'msg', branchId: '00', op: 'msg' });

    it('says that its local transaction was committed', async () => {
      await account.barrier.run(message(), debit);
      await account.barrier.queryPrepared(message());
      expect(await rows()).toEqual(['msg/01/msg']);
    });

    it('gives up what was not, for good', async () => {
      for (let i = 0; i < 2; i++) await expect(account.barrier.queryPrepared(message())).rejects.toThrow(BusinessFailure);
      await expect(account.barrier.run(message(), debit)).rejects.toThrow(DuplicatedMessage);
      expect(await account.cents()).toBe(100);
      expect(await rows()).toEqual(['msg/01/rollback']);
    });

    it('tells one that is written twice', async () => {
      await account.barrier.run(message(), debit);
      await expect(account.barrier.run(message(), debit)).rejects.toThrow('DUPLICATED');
      expect(await account.cents()).toBe(70);
    });
  });
}

/** As DTM's clients are told to create the table. */
const dtmScript = `CREATE SCHEMA dtm_barrier;
  CREATE SEQUENCE dtm_barrier.barrier_seq;
  CREATE TABLE dtm_barrier.barrier (
    id bigint NOT NULL DEFAULT nextval('dtm_barrier.barrier_seq'), trans_type varchar(45) DEFAULT '', gid varchar(128) DEFAULT '',
    branch_id varchar(128) DEFAULT '', op varchar(45) DEFAULT '', barrier_id varchar(45) DEFAULT '', reason varchar(45) DEFAULT '',
    create_time timestamp(0) with time zone DEFAULT NULL, update_time timestamp(0) with time zone DEFAULT NULL,
    PRIMARY KEY (id), CONSTRAINT uniq_barrier UNIQUE (gid, branch_id, op, barrier_id))`;

await describeWith('postgres', 'the barrier in Postgres', (url) => {
  exerciseBarrier(() => openPostgresAccount(url));

  it('does not take for done what Postgres rolled back because an error was swallowed', async () => {
    const account = await openPostgresAccount(url);
    const call = { gid: freshGid(), transType: 'saga', branchId: '01', op: 'action' };
    const swallows = (tx: Parameters<typeof account.spoil>[0]) => account.spoil(tx).catch(() => {});
    await expect(account.barrier.run(call, swallows)).rejects.toThrow('rolled back');
    expect(await account.rows(call.gid)).toEqual([]);
    await account.close();
  });

  it("uses the table that DTM's own script creates", async () => {
    const account = await openPostgresAccount(url);
    await account.pool.query('DROP SCHEMA dtm_barrier CASCADE');
    await account.pool.query(dtmScript);
    await account.barrier.createTable();
    const call = { gid: freshGid(), transType: 'saga', branchId: '01', op: 'action' };
    for (const op of ['action', 'compensate', 'compensate'])
      await account.barrier.run({ ...call, op }, (tx) => account.move(tx, -1));
    expect(await account.cents()).toBe(98);
    await account.close();
  });

  it('uses a table of another name, and refuses what is no name', async () => {
    const account = await openPostgresAccount(url);
    const other = postgresBarrier(account.pool, { table: 'own.seen' });
    await Promise.all([other.createTable(), other.createTable()]);
    const call = { gid: freshGid(), transType: 'saga', branchId: '01', op: 'action' };
    await other.run(call, (tx) => account.move(tx, -1));
    expect((await account.pool.query('SELECT gid FROM own.seen')).rows).toEqual([{ gid: call.gid }]);
    expect(() => postgresBarrier(account.pool, { table: 'a; DROP TABLE b' })).toThrow('table');
    await account.close();
  });
});

await describeWith('mariadb', 'the barrier in MariaDB', (url) => {
  exerciseBarrier(() => openMysqlAccount(url));

  it.each(['CREATE TABLE other (id int)', 'ROLLBACK', 'COMMIT'])(
    'does not take for done what %s has ended before its time',
    async (sql) => {
      const account = await openMysqlAccount(url);
      const call = { gid: freshGid(), transType: 'saga', branchId: '01', op: 'action' };
      await expect(account.barrier.run(call, (tx) => tx.query(sql))).rejects.toThrow('ended before its time');
      await account.close();
    },
  );
});
