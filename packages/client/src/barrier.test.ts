import { DatabaseSync } from 'node:sqlite';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bank, openBank } from '../tests/bank.ts';
import { barrier, createBarrierTable } from './barrier.ts';

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
  it('runs an action once, however often it is called', () => {
    expect(barrier(bank.db, action, debit)).toBe(70);
    expect(barrier(bank.db, action, debit)).toBeUndefined();
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

  it.each(['gid', 'transType', 'branchId', 'op'])('refuses a call whose %s is empty', (field) => {
    expect(() => barrier(bank.db, { ...action, [field]: '' }, debit)).toThrow(field);
    expect(bank.cents('ann')).toBe(100);
  });

  it('tells a message that is written twice', () => {
    const message = { ...branch, transType: 'msg', op: 'msg' };
    barrier(bank.db, message, debit);
    expect(() => barrier(bank.db, message, debit)).toThrow('DUPLICATED');
    expect(bank.cents('ann')).toBe(70);
  });

  it('lets one of two connections to a file run the action', () => {
    const other = new Database(bank.db.name);
    expect(barrier(other, action, () => 'other')).toBe('other');
    expect(barrier(bank.db, action, debit)).toBeUndefined();
    other.close();
  });
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
