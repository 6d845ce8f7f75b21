import { DatabaseSync } from 'node:sqlite';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bank, openBank } from '../../../tests/bank.ts';
import { NeedsAttention, Ongoing } from '../../participants/verdict.ts';
import { NotJson } from '../kept-json.ts';
import { barrier, createBarrierTable, sqliteBarrier } from './sqlite.ts';

let bank: Bank;
beforeEach(() => {
  bank = openBank();
});
afterEach(() => bank.close());

const branch = { gid: 'g1', transType: 'saga', branchId: '01' };
const action = { ...branch, op: 'action' };
const compensate = { ...branch, op: 'compensate' };
const debit = () => bank.move('ann', -30);
const refund = () => bank.move('ann', 30);

describe('the barrier', () => {
  it('runs an action once, and gives each time what it returned', () => {
    for (let i = 0; i < 3; i++) expect(barrier(bank.db, action, debit)).toBe(70);
    expect(bank.cents('ann')).toBe(70);
    expect(bank.barrierRows()).toEqual(['action/01/action']);
  });

  it('runs a compensation once, after its action', () => {
    barrier(bank.db, action, debit);
    barrier(bank.db, compensate, refund);
    barrier(bank.db, compensate, refund);
    expect(bank.cents('ann')).toBe(100);
    expect(bank.barrierRows()).toEqual(['action/01/action', 'compensate/01/compensate']);
  });

  it.each([
    ['compensate', 'action'],
    ['cancel', 'try'],
    ['rollback', 'action'],
  ])('lets a %s pass that has nothing to undo, and stops the %s that arrives after it', (op, original) => {
    expect(barrier(bank.db, { ...branch, op }, refund)).toBeUndefined();
    expect(barrier(bank.db, { ...branch, op: original }, debit)).toBeUndefined();
    expect(bank.cents('ann')).toBe(100);
    expect(bank.barrierRows()).toEqual([`${original}/01/${op}`, `${op}/01/${op}`]);
  });

  it('keeps transactions, branches and ops apart', () => {
    for (const other of [action, { ...action, gid: 'g2' }, { ...action, branchId: '02' }, { ...action, op: 'confirm' }])
      barrier(bank.db, other, () => bank.move('ann', -1));
    expect(bank.cents('ann')).toBe(96);
  });

  it('keeps several barriers of one call apart by their ids', () => {
    for (const barrierId of ['01', '02', '02']) barrier(bank.db, action, () => bank.move('ann', -1), { barrierId });
    expect(bank.cents('ann')).toBe(98);
  });

  it('leaves neither the change nor its row when the handler throws, so that the next call runs', () => {
    const crash = () => {
      debit();
      throw new Error('power cut');
    };
    expect(() => barrier(bank.db, action, crash)).toThrow('power cut');
    expect(bank.cents('ann')).toBe(100);
    expect(bank.barrierRows()).toEqual([]);
    expect(barrier(bank.db, action, debit)).toBe(70);
  });

  it('refuses a handler that returns a promise, and rolls back what it did', async () => {
    const slow = async () => {
      debit();
      throw new Error('nobody listens');
    };
    // @ts-expect-error: a promise is no result
    expect(() => barrier(bank.db, action, slow)).toThrow(/returned a promise.*rolled back/);
    await new Promise(setImmediate);
    expect(bank.cents('ann')).toBe(100);
    expect(bank.barrierRows()).toEqual([]);
  });

  it.each([
    ['nothing', undefined, 'undefined'],
    ['the path of a file', 'bank.db', 'string'],
    ['a promise of a database', Promise.resolve(), 'a promise: await it first'],
    ["Node's own database", new DatabaseSync(':memory:'), 'a DatabaseSync'],
    ['a pool', { exec: debit, prepare: debit, query: debit }, 'a plain object'],
  ])('refuses %s, naming what it takes', (_what, db, got) => {
    expect(() => barrier(db as never, action, debit)).toThrow(
      `the barrier takes an open database of better-sqlite3, as of new Database('bank.db'), but got ${got};`,
    );
    expect(() => createBarrierTable(db as never)).toThrow('better-sqlite3');
    expect(bank.cents('ann')).toBe(100);
  });

  it('refuses a database that is in a transaction already', () => {
    expect(() => bank.db.transaction(() => barrier(bank.db, action, debit))()).toThrow(/is in one already/);
    expect(bank.cents('ann')).toBe(100);
  });

  it.each(['gid', 'transType', 'branchId', 'op'])(
    'refuses a call whose %s is empty, or begins or ends with white space',
    (field) => {
      for (const value of ['', 'x ', '\tx']) expect(() => barrier(bank.db, { ...action, [field]: value }, debit)).toThrow(field);
      expect(bank.cents('ann')).toBe(100);
    },
  );

  it('tells a message that is written twice', () => {
    const message = { ...branch, transType: 'msg', op: 'msg' };
    barrier(bank.db, message, debit);
    expect(() => barrier(bank.db, message, debit)).toThrow('DUPLICATED');
    expect(bank.cents('ann')).toBe(70);
  });

  it('lets one of two connections to a file run the action', () => {
    const other = new Database(bank.db.name);
    expect(barrier(other, action, () => 'other')).toBe('other');
    expect(barrier<unknown>(bank.db, action, debit)).toBe('other');
    expect(bank.cents('ann')).toBe(100);
    other.close();
  });

  it('gives the result first as it gives it later: as JSON brings it back', () => {
    const first = barrier<unknown>(bank.db, action, () => ({ day: new Date(0), unknown: undefined }));
    expect(first).toStrictEqual({ day: '1970-01-01T00:00:00.000Z' });
    expect(barrier<unknown>(bank.db, action, debit)).toStrictEqual(first);
  });

  it('changes nothing when the handler returns what JSON cannot hold', () => {
    expect(() => barrier(bank.db, action, () => ({ cents: BigInt(debit()) }))).toThrow(NotJson);
    expect([bank.cents('ann'), bank.barrierRows()]).toEqual([100, []]);
  });

  it('passes over a row of another program, but stops where its answer is wanted', () => {
    barrier(bank.db, action, debit);
    bank.db.exec('DELETE FROM dtm_barrier_result');
    expect(barrier(bank.db, action, debit)).toBeUndefined();
    expect(() => barrier(bank.db, { ...action, answerWanted: true }, debit)).toThrow(NeedsAttention);
    expect(barrier(bank.db, compensate, refund)).toBe(100);
  });

  it.each(['COMMIT', 'ROLLBACK', 'COMMIT; BEGIN'])('does not take for done what %s has ended before its time', (sql) => {
    const half = () => {
      bank.db.exec(sql);
      debit();
    };
    expect(() => barrier(bank.db, action, half)).toThrow('ended before its time');
    expect(() => barrier(bank.db, action, half)).toThrow();
    expect(bank.db.inTransaction).toBe(false);
  });

  it('never takes for done what was left in the middle, and undoes none of it, until a human has looked', () => {
    const half = () => {
      debit();
      bank.db.exec('COMMIT');
    };
    expect(() => barrier(bank.db, action, half)).toThrow('ended before its time');
    expect(() => barrier(bank.db, action, debit)).toThrow(NeedsAttention);
    expect(() => barrier(bank.db, compensate, refund)).toThrow('left in the middle');
    expect(bank.cents('ann')).toBe(70);
  });

  it('refuses a row that a collation of the table takes for another', () => {
    bank.db.exec(`CREATE TABLE dtm_barrier (id INTEGER PRIMARY KEY, trans_type, gid TEXT COLLATE NOCASE, branch_id, op, barrier_id,
      reason, UNIQUE (gid, branch_id, op, barrier_id))`);
    barrier(bank.db, action, debit);
    expect(() => barrier(bank.db, { ...action, gid: 'G1' }, debit)).toThrow('which is another');
    expect(bank.cents('ann')).toBe(70);
  });

  it('waits for a message that is under way no longer than 3 s, and has the question asked again', async () => {
    const other = new Database(bank.db.name, { timeout: 60_000 });
    const message = { ...branch, transType: 'msg', op: 'msg' };
    createBarrierTable(bank.db);
    bank.db.exec('BEGIN IMMEDIATE');
    const since = performance.now();
    await expect(sqliteBarrier(other).queryPrepared(message)).rejects.toThrow(Ongoing);
    expect(performance.now() - since).toBeLessThan(6_000);
    bank.db.exec('ROLLBACK');
    expect(other.pragma('busy_timeout', { simple: true })).toBe(60_000);
    other.close();
  }, 20_000);
});

describe('the table of the barrier', () => {
  it('has the columns of DTM and is made once', () => {
    createBarrierTable(bank.db);
    createBarrierTable(bank.db);
    const columns = bank.db.pragma('table_info(dtm_barrier)') as { name: string }[];
    expect(columns.map(({ name }) => name)).toEqual(
      'id trans_type gid branch_id op barrier_id reason create_time update_time'.split(' '),
    );
  });
});
