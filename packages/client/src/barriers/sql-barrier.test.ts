/** The barrier in Postgres and MariaDB: one behaviour. */
import { createPool, type PoolConnection, type RowDataPacket } from 'mysql2/promise';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { describeWith } from '../../../../tools/services/service.ts';
import { type Account, freshGid, openMysqlAccount, openPostgresAccount } from '../../tests/databases.ts';
import { BusinessFailure, NeedsAttention, Ongoing } from '../participants/verdict.ts';
import { DuplicatedMessage } from './barrier-rows.ts';
import { NotJson } from './kept-json.ts';
import { mysqlBarrier } from './mysql/mysql.ts';
import { postgresBarrier } from './postgres/postgres.ts';

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

  it('runs an action once, and gives each time what it returned (BARRIER-2)', async () => {
    const seat = { row: 7, seats: ['a'], at: '2026-01-01' };
    expect(await account.barrier.run(call('action'), (tx) => debit(tx).then(() => seat))).toEqual(seat);
    expect(await account.barrier.run<unknown>(call('action'), debit)).toEqual(seat);
    expect(await account.cents()).toBe(70);
    expect(await rows()).toEqual(['action/01/action']);
  });

  it.each([undefined, null, 0, '', false])('gives %j again, as it was given first', async (result) => {
    for (let i = 0; i < 3; i++)
      expect(await account.barrier.run(call('action'), (tx) => debit(tx).then(() => result))).toBe(result);
    expect(await account.cents()).toBe(70);
  });

  it('gives the result first as it gives it later: as JSON brings it back', async () => {
    const day = new Date(0);
    const first = await account.barrier.run<unknown>(call('action'), () => ({ day, unknown: undefined }));
    expect(first).toStrictEqual({ day: day.toJSON() });
    expect(await account.barrier.run<unknown>(call('action'), debit)).toStrictEqual(first);
  });

  it.each([
    ['a BigInt', 1n],
    ['a BigInt inside of it', { cents: [1n] }],
    ['a function', () => {}],
    ['a Map', new Map()],
    ['a number without digits', Number.NaN],
  ])('changes nothing when the work returns %s', async (_what, result) => {
    const work = (tx: Tx) => debit(tx).then(() => result);
    await expect(account.barrier.run<unknown>(call('action'), work)).rejects.toThrow(NotJson);
    expect([await account.cents(), await rows()]).toEqual([100, []]);
  });

  it('runs an action once when it is called many times at once, and gives all the same answer', async () => {
    let runs = 0;
    const work = (tx: Tx) => debit(tx).then(() => ++runs);
    const answers = await Promise.allSettled(Array.from({ length: 8 }, () => account.barrier.run(call('action'), work)));
    expect(await account.cents()).toBe(70);
    for (const answer of answers) if (answer.status === 'fulfilled') expect(answer.value).toBe(1);
  });

  it('passes over a row of another program, but stops where its answer is wanted', async () => {
    await account.barrier.run(call('action'), debit);
    await account.forgetResult(branch.gid);
    expect(await account.barrier.run(call('action'), debit)).toBeUndefined();
    await expect(account.barrier.run({ ...call('action'), answerWanted: true }, debit)).rejects.toThrow(NeedsAttention);
    expect(await account.barrier.run(call('compensate'), (tx) => refund(tx).then(() => 'refunded'))).toBe('refunded');
    expect(await account.cents()).toBe(100);
  });

  it('gives no answer to an action that comes after its compensation where one is wanted', async () => {
    await account.barrier.run(call('compensate'), refund);
    await expect(account.barrier.run({ ...call('action'), answerWanted: true }, debit)).rejects.toThrow('comes too late');
    expect(await account.cents()).toBe(100);
  });

  it('never takes for done what was left in the middle, and undoes none of it, until a human has looked (BARRIER-4)', async () => {
    const half = async (tx: Tx) => {
      await debit(tx);
      await account.commit(tx);
      throw new Error('power cut');
    };
    await expect(account.barrier.run(call('action'), half)).rejects.toThrow('power cut');
    for (let i = 0; i < 2; i++) {
      await expect(account.barrier.run(call('action'), debit)).rejects.toThrow(NeedsAttention);
      await expect(account.barrier.run(call('compensate'), refund)).rejects.toThrow('left in the middle');
    }
    expect([await account.cents(), await rows()]).toEqual([70, ['action/01/action']]);
  });

  it.each(['COMMIT', 'ROLLBACK'])('does not take for done what a %s has ended before its time', async (sql) => {
    const work = async (tx: Tx) => {
      await account.statement(tx, sql);
      await debit(tx);
      return 'done';
    };
    await expect(account.barrier.run(call('action'), work)).rejects.toThrow('ended before its time');
    await expect(account.barrier.run(call('action'), work)).rejects.toThrow();
  });

  it('does not take for done what stands in a transaction that the work has begun', async () => {
    const work = async (tx: Tx) => {
      for (const sql of ['COMMIT', 'BEGIN']) await account.statement(tx, sql);
      await debit(tx);
    };
    await expect(account.barrier.run(call('action'), work)).rejects.toThrow('ended before its time');
    await expect(account.barrier.run(call('action'), debit)).rejects.toThrow(NeedsAttention);
    expect(await account.cents()).toBe(100);
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
  ])('lets a %s pass that has nothing to undo, and stops the %s that arrives after it (BARRIER-3)', async (op, original) => {
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

  it('leaves neither the change nor its row when the work throws, so that the next call runs (BARRIER-1)', async () => {
    const crash = async (tx: Tx) => {
      await debit(tx);
      throw new BusinessFailure('power cut');
    };
    await expect(account.barrier.run(call('action'), crash)).rejects.toThrow('power cut');
    expect([await account.cents(), await rows()]).toEqual([100, []]);
    await account.barrier.run(call('action'), debit);
    expect(await account.cents()).toBe(70);
  });

  it('says which tables it needs where one is missing', async () => {
    const barrier = account.barrierOf('nowhere.barrier');
    await expect(barrier.run(call('action'), debit)).rejects.toThrow(/nowhere\.barrier_result.*createTable\(\)/);
    expect(await account.cents()).toBe(100);
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

  it.each([
    ['in case', 'a', 'A'],
    ['in an accent', 'a', 'á'],
    ['in how an accent is written', 'a\u0301', 'á'],
  ])('keeps gids apart that differ %s only', async (_how, one, other) => {
    await account.barrier.run({ ...call('action'), gid: `${branch.gid}${one}` }, debit);
    await account.barrier.run({ ...call('action'), gid: `${branch.gid}${other}` }, debit);
    expect(await account.cents()).toBe(40);
  });

  it.each(['gid', 'transType', 'branchId', 'op'])('refuses a call whose %s is empty or does not fit', async (field) => {
    for (const value of ['', 'x'.repeat(129), 'x ', '\tx', '\u00a0x'])
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

    it('waits for one that is under way no longer than 3 s, and has the question asked again', async () => {
      let asked: unknown;
      await account.barrier.run(message(), async (tx) => {
        await debit(tx);
        const since = performance.now();
        asked = await account.barrier.queryPrepared(message()).catch((error: unknown) => error);
        expect(performance.now() - since).toBeLessThan(6_000);
      });
      expect(asked).toBeInstanceOf(Ongoing);
      await account.barrier.queryPrepared(message());
    }, 20_000);

    it('never takes for committed what was left in the middle', async () => {
      const half = async (tx: Tx) => {
        await account.commit(tx);
        await debit(tx);
      };
      await expect(account.barrier.run(message(), half)).rejects.toThrow('ended before its time');
      await expect(account.barrier.queryPrepared(message())).rejects.toThrow(NeedsAttention);
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

  it('names the constraint of a table of another name as DTM does, once in a schema', async () => {
    const account = await openPostgresAccount(url);
    for (const table of ['own.seen', 'own.looked_at']) await postgresBarrier(account.pool, { table }).createTable();
    const constraints = `SELECT conrelid::regclass::text || ' ' || conname AS line FROM pg_constraint
      WHERE contype = 'u' AND connamespace = 'own'::regnamespace ORDER BY 1`;
    expect((await account.pool.query(constraints)).rows).toEqual([
      { line: 'own.looked_at uniq_looked_at' },
      { line: 'own.seen uniq_barrier' },
    ]);
    await account.close();
  });

  it('needs no right to create where the tables are', async () => {
    const account = await openPostgresAccount(url);
    const role = freshGid().replace('-', '_');
    await account.pool.query(`CREATE ROLE ${role} LOGIN; GRANT USAGE ON SCHEMA dtm_barrier TO ${role};
      GRANT SELECT, INSERT, UPDATE ON dtm_barrier.barrier, dtm_barrier.barrier_result, account TO ${role};
      GRANT USAGE ON SEQUENCE dtm_barrier.barrier_seq TO ${role}; REVOKE CREATE ON SCHEMA public FROM PUBLIC`);
    const { rows } = await account.pool.query<{ name: string }>('SELECT current_database() AS name');
    const address = new URL(rows[0]!.name, url);
    address.username = role;
    const pool = new pg.Pool({ connectionString: address.href });
    const barrier = postgresBarrier(pool);
    await barrier.createTable();
    const call = { gid: freshGid(), transType: 'saga', branchId: '01', op: 'action' };
    expect(await barrier.run(call, (tx) => account.move(tx, -1).then(() => 'moved'))).toBe('moved');
    await expect(postgresBarrier(pool, { table: 'elsewhere.barrier' }).createTable()).rejects.toThrow('permission denied');
    await pool.end();
    await account.close();
  });

  it('refuses a row that a collation of the table takes for another', async () => {
    const account = await openPostgresAccount(url);
    await account.pool.query(`CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
      ALTER TABLE dtm_barrier.barrier ALTER gid TYPE varchar(128) COLLATE blind`);
    const call = { gid: freshGid(), transType: 'saga', branchId: '01', op: 'action' };
    await account.barrier.run(call, (tx) => account.move(tx, -1));
    const other = { ...call, gid: call.gid.toUpperCase() };
    await expect(account.barrier.run(other, (tx) => account.move(tx, -1))).rejects.toThrow('which is another');
    expect(await account.cents()).toBe(99);
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

  it('does not take for done what a statement that commits has ended before its time', async () => {
    const account = await openMysqlAccount(url);
    const call = { gid: freshGid(), transType: 'saga', branchId: '01', op: 'action' };
    const work = (tx: PoolConnection) => tx.query('CREATE TABLE other (id int)').then(() => {});
    await expect(account.barrier.run(call, work)).rejects.toThrow('ended before its time');
    await expect(account.barrier.run(call, work)).rejects.toThrow(NeedsAttention);
    await account.close();
  });

  it.each([
    `o'clock`,
    `x' AND 1=0 -- `.trim(),
    `\\'), ('saga', 'victim', '01', 'action', '01', 'action') -- x`,
    'back\\slash',
    '" or ""="',
  ])('writes the row of %j and no other where backslashes escape nothing', async (start) => {
    const account = await openMysqlAccount(url);
    const [[row]] = await account.pool.query<({ name: string } & RowDataPacket)[]>('SELECT DATABASE() AS name');
    const pool = createPool({ uri: new URL(row!.name, url).href });
    pool.on('connection', (connection) => void connection.query(`SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'`));
    const barrier = mysqlBarrier(pool);
    const gid = `${start}${freshGid()}`;
    const call = { gid, transType: 'saga', branchId: '01', op: 'action' };
    for (let i = 0; i < 2; i++) await barrier.run(call, (tx) => account.move(tx, -1));
    await barrier.run({ ...call, op: 'compensate' }, (tx) => account.move(tx, 1));
    await expect(barrier.queryPrepared({ ...call, transType: 'msg' })).rejects.toThrow(BusinessFailure);
    await pool.end();
    expect(await account.rows(gid)).toEqual(['action/01/action', 'compensate/01/compensate', 'msg/01/rollback']);
    expect(await account.rows('victim')).toEqual([]);
    expect(await account.cents()).toBe(100);
    await account.close();
  });

  it('makes tables whose columns compare bytes and pad nothing', async () => {
    const account = await openMysqlAccount(url);
    const table = `${freshGid().replace('-', '_')}.barrier`;
    const barrier = mysqlBarrier(account.pool, { table });
    await Promise.all([barrier.createTable(), barrier.createTable()]);
    for (const gid of ['order-7', 'order-7 '])
      await account.pool.query(`INSERT INTO ${table} (gid, branch_id, op, barrier_id) VALUES ('${gid}', '01', 'action', '01')`);
    const call = { gid: 'order-7', transType: 'saga', branchId: '01', op: 'action' };
    expect(await barrier.run(call, (tx) => account.move(tx, -1))).toBeUndefined();
    expect(await account.cents()).toBe(100);
    await account.close();
  });

  it.each([
    ['a collation that does not see case', 'order-7', 'ORDER-7'],
    ['a collation that does not see accents', 'cafe', 'café'],
    ['a collation that pads', 'order-7 ', 'order-7'],
  ])('refuses a row that %s takes for another', async (_which, there, asked) => {
    const account = await openMysqlAccount(url);
    const database = freshGid().replace('-', '_');
    const table = `${database}.barrier`;
    const barrier = mysqlBarrier(account.pool, { table });
    await barrier.createTable();
    await account.pool.query(`ALTER TABLE ${table} CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`);
    const insert = `INSERT INTO ${table} (trans_type, gid, branch_id, op, barrier_id, reason) VALUES ('saga', ?, '01', 'action', '01', 'action')`;
    await account.pool.execute(insert, [there]);
    const call = { gid: asked, transType: 'saga', branchId: '01' };
    for (const op of ['action', 'compensate'])
      await expect(barrier.run({ ...call, op }, (tx) => account.move(tx, -1))).rejects.toThrow('which is another');
    expect(await account.cents()).toBe(100);
    await account.pool.query(`DROP DATABASE ${database}`);
    await account.close();
  });

  it('reads tables whose columns are binary', async () => {
    const account = await openMysqlAccount(url);
    const database = freshGid().replace('-', '_');
    const barrier = mysqlBarrier(account.pool, { table: `${database}.barrier` });
    await barrier.createTable();
    for (const table of ['barrier', 'barrier_result'])
      await account.pool.query(`ALTER TABLE ${database}.${table} MODIFY gid varbinary(512), MODIFY branch_id varbinary(512),
        MODIFY op varbinary(180), MODIFY barrier_id varbinary(180)`);
    const call = { gid: 'überweisung', transType: 'saga', branchId: '01', op: 'action' };
    for (let i = 0; i < 2; i++)
      expect(await barrier.run(call, (tx) => account.move(tx, -1).then(() => 'bezahlt – ü'))).toBe('bezahlt – ü');
    expect(await account.cents()).toBe(99);
    await account.pool.query(`DROP DATABASE ${database}`);
    await account.close();
  });

  it('refuses a row that the table cannot hold as it is', async () => {
    const account = await openMysqlAccount(url);
    const database = freshGid().replace('-', '_');
    const barrier = mysqlBarrier(account.pool, { table: `${database}.barrier` });
    await barrier.createTable();
    await account.pool.query(`ALTER TABLE ${database}.barrier MODIFY gid varchar(8)`);
    const call = { gid: 'longer-than-8', transType: 'saga', branchId: '01', op: 'action' };
    await expect(barrier.run(call, (tx) => account.move(tx, -1))).rejects.toThrow('cannot hold');
    expect(await account.cents()).toBe(100);
    await account.pool.query(`DROP DATABASE ${database}`);
    await account.close();
  });

  it('needs no right to create where the tables are', async () => {
    const account = await openMysqlAccount(url);
    const role = freshGid().slice(0, 20);
    const [[row]] = await account.pool.query<({ name: string } & RowDataPacket)[]>('SELECT DATABASE() AS name');
    await account.pool.query(`CREATE USER '${role}'@'%'`);
    for (const table of ['dtm_barrier.barrier', 'dtm_barrier.barrier_result', `${row!.name}.account`])
      await account.pool.query(`GRANT SELECT, INSERT, UPDATE ON ${table} TO '${role}'@'%'`);
    const address = new URL(row!.name, url);
    address.username = role;
    const pool = createPool({ uri: address.href });
    const barrier = mysqlBarrier(pool);
    await barrier.createTable();
    const call = { gid: freshGid(), transType: 'saga', branchId: '01', op: 'action' };
    expect(await barrier.run(call, (tx) => account.move(tx, -1).then(() => 'moved'))).toBe('moved');
    await expect(mysqlBarrier(pool, { table: 'elsewhere.barrier' }).createTable()).rejects.toMatchObject({
      code: expect.stringMatching(/DENIED/),
    });
    await pool.end();
    await account.close();
  });
});
