/** Commit: whole or not at all, compare-and-swap, the answers, write-once records, history, isolation. */
import { epochMs, type StoredRecord, type TransactionRow } from '@amends/core';
import { expect } from 'vitest';
import type { Change } from '../store.ts';
import type { StoreTest } from './harness.ts';
import {
  finished,
  firstChange,
  gidOf,
  nextChange,
  sampleAudit,
  sampleHistory,
  sampleRow,
  sampleSpec,
  sampleTime,
} from './samples.ts';

const gid = gidOf('one');
const applied = { fate: 'applied' };
const conflict = { fate: 'conflict' };

function record(key: string, text = key): StoredRecord {
  return { kind: 'result', key, content: new TextEncoder().encode(text) };
}

/** Declares the topic. */
export function commitContract(test: StoreTest): void {
  atomicity(test);
  compareAndSwap(test);
  records(test);
  isolation(test);
}

function atomicity(test: StoreTest): void {
  test('applies row, spec, records, history, documents and audit together', async ({ store, applied, loadOne, historyOf }) => {
    const audit = [sampleAudit(gid)];
    const documents = [{ kind: 'topic', key: 't', expectedVersion: 0, content: '{}' }];
    const history = [sampleHistory(1), sampleHistory(2, { code: null, detail: null, durationMs: null })];
    await applied(firstChange(gid, {}, { history, records: [record('b'), record('a')], documents, audit }));
    expect(await loadOne(gid)).toEqual({ row: sampleRow(gid), spec: sampleSpec(), records: [record('a'), record('b')] });
    expect(await historyOf(gid)).toEqual(history);
    expect(await store.documents('topic')).toEqual([{ kind: 'topic', key: 't', version: 1, content: '{}' }]);
    expect(await store.audit({ limit: 9 })).toEqual([{ ...audit[0], id: expect.any(Number) }]);
  });

  test('a conflict leaves no trace', async ({ store, applied, commitOne, loadOne, historyOf }) => {
    await applied(firstChange(gid));
    const before = await loadOne(gid);
    const late: Partial<Change> = {
      history: [sampleHistory(2)],
      records: [record('a')],
      audit: [sampleAudit(gid)],
      documents: [{ kind: 'topic', key: 't', expectedVersion: 0, content: '{}' }],
    };
    expect(await commitOne(firstChange(gid, { reason: 'other' }, late))).toEqual(conflict);
    expect(await commitOne(nextChange(sampleRow(gid, { version: 7 }), { reason: 'other' }, late))).toEqual(conflict);
    expect(await loadOne(gid)).toEqual(before);
    expect(await historyOf(gid)).toEqual([sampleHistory(1)]);
    expect(await store.audit({ limit: 9 })).toEqual([]);
    expect(await store.documents('topic')).toEqual([]);
  });

  test('an empty commit is no error', async ({ store }) => {
    expect(await store.commit([])).toEqual([]);
  });

  test('hands out nothing by which stored values could be changed', async ({ store, applied, loadOne }) => {
    const payloads = Uint8Array.from([1, 2, 3]);
    await applied(firstChange(gid, {}, { spec: sampleSpec({ payloads }) }));
    payloads[0] = 9;
    (await loadOne(gid)).spec.payloads[1] = 9;
    expect((await loadOne(gid)).spec.payloads).toEqual(Uint8Array.from([1, 2, 3]));
    expect(await store.load([gidOf('absent'), gid, gid])).toEqual([null, await loadOne(gid), await loadOne(gid)]);
  });
}

function compareAndSwap(test: StoreTest): void {
  test('follows a transaction from commit to commit', async ({ applied, loadOne, historyOf }) => {
    let row: TransactionRow = sampleRow(gid);
    await applied(firstChange(gid));
    const steps: Partial<TransactionRow>[] = [
      { state: '[2,0,0,[1]]' },
      { owner: 'another' as TransactionRow['owner'], epoch: 2 },
      { dueAt: epochMs(sampleTime + 60_000), waitsFor: 'bank', errorPrint: 'bank action timeout' },
      { hold: 'attempts-exhausted', dueAt: null, owner: null, reason: 'gave up' },
      { hold: null, dueAt: epochMs(sampleTime + 1), status: 'aborting' },
      { ...finished(epochMs(sampleTime + 9)), status: 'failed', waitsFor: '', errorPrint: '' },
    ];
    for (const step of steps) {
      const change = nextChange(row, step);
      await applied(change);
      row = change.row;
      expect((await loadOne(gid)).row).toEqual(row);
    }
    expect((await historyOf(gid)).map((entry) => entry.seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('of two commits on one version one is applied', async ({ store, applied, loadOne }) => {
    await applied(firstChange(gid));
    const rivals = ['x', 'y'].map((reason) => nextChange(sampleRow(gid), { reason }));
    const answers = (await Promise.all(rivals.map((change) => store.commit([change])))).flat();
    expect(answers.map((answer) => answer.fate).sort()).toEqual(['applied', 'conflict']);
    const winner = answers.findIndex((answer) => answer.fate === 'applied');
    expect((await loadOne(gid)).row.reason).toBe(rivals[winner]!.row.reason);
  });

  test('of two first commits of one gid one is applied', async ({ store, loadOne }) => {
    const rivals = ['x', 'y'].map((digest) => firstChange(gid, {}, { spec: sampleSpec({ digest: digest.repeat(64) }) }));
    const answers = (await Promise.all(rivals.map((change) => store.commit([change])))).flat();
    expect(answers.map((answer) => answer.fate).sort()).toEqual(['applied', 'conflict']);
    const winner = answers.findIndex((answer) => answer.fate === 'applied');
    expect((await loadOne(gid)).spec.digest).toBe(rivals[winner]!.spec!.digest);
  });

  test('a change of a gid that is not there is a conflict', async ({ store, commitOne }) => {
    expect(await commitOne(nextChange(sampleRow(gid)))).toEqual(conflict);
    expect(await store.load([gid])).toEqual([null]);
    expect(await store.history(gid, { afterSeq: 0, limit: 9 })).toEqual([]);
  });
}

function records(test: StoreTest): void {
  test('a second record of one name is a conflict and the first stays', async ({ applied, commitOne, loadOne, historyOf }) => {
    await applied(firstChange(gid, {}, { records: [record('a', 'first')] }));
    const again = nextChange(sampleRow(gid), { reason: 'x' }, { records: [record('b'), record('a', 'second')] });
    expect(await commitOne(again)).toEqual(conflict);
    const { row, records } = await loadOne(gid);
    expect(row).toEqual(sampleRow(gid));
    expect(records).toEqual([record('a', 'first')]);
    expect(await historyOf(gid)).toHaveLength(1);
  });

  test('records of one name may belong to two transactions', async ({ applied, loadOne }) => {
    await applied(
      firstChange(gid, {}, { records: [record('a', '1')] }),
      firstChange(gidOf('two'), {}, { records: [record('a', '2')] }),
    );
    expect((await loadOne(gid)).records).toEqual([record('a', '1')]);
    expect((await loadOne(gidOf('two'))).records).toEqual([record('a', '2')]);
  });

  test('history is read in pages by seq', async ({ store, applied }) => {
    await applied(firstChange(gid, {}, { history: [1, 2, 3, 4].map((seq) => sampleHistory(seq)) }));
    expect((await store.history(gid, { afterSeq: 1, limit: 2 })).map((entry) => entry.seq)).toEqual([2, 3]);
    expect(await store.history(gid, { afterSeq: 4, limit: 2 })).toEqual([]);
  });
}

function isolation(test: StoreTest): void {
  test('a conflict in a batch leaves the others applied', async ({ store, applied, historyOf }) => {
    await applied(firstChange(gidOf('g7')));
    const changes = Array.from({ length: 20 }, (_, n) => firstChange(gidOf(`g${n}`)));
    const answers = await store.commit(changes);
    expect(answers).toEqual(changes.map((_, n) => (n === 7 ? conflict : { fate: 'applied' })));
    for (const { row } of changes) expect(await historyOf(row.gid)).toHaveLength(1);
  });

  test('a refused change in a batch of many leaves the others applied', async ({ store, historyOf }) => {
    const changes = Array.from({ length: 60 }, (_, n) =>
      firstChange(gidOf(`g${n}`), n === 41 ? { status: 'nonsense' as TransactionRow['status'] } : {}),
    );
    const answers = await store.commit(changes);
    expect(answers.map((answer) => answer.fate)).toEqual(changes.map((_, n) => (n === 41 ? 'refused' : 'applied')));
    expect(await store.load([gidOf('g41')])).toEqual([null]);
    expect(await historyOf(gidOf('g41'))).toEqual([]);
    expect(await historyOf(gidOf('g59'))).toHaveLength(1);
  });

  test('refused, conflicting and applied changes of one batch get their own answers', async ({ store, applied, loadOne }) => {
    await applied(firstChange(gid), firstChange(gidOf('two')));
    const answers = await store.commit([
      nextChange(sampleRow(gid), { reason: 'taken' }),
      nextChange(sampleRow(gidOf('two'), { version: 5 })),
      firstChange(gidOf('three'), finished(sampleTime), { history: [sampleHistory(0)] }),
      firstChange(gidOf('four'), {}, { records: [record('a')] }),
      firstChange(gidOf('five'), {}, { records: [record('a'), record('a')] }),
    ]);
    expect(answers.map((answer) => answer.fate)).toEqual(['applied', 'conflict', 'refused', 'applied', 'conflict']);
    expect((await loadOne(gid)).row.reason).toBe('taken');
    expect(await store.load([gidOf('three'), gidOf('five')])).toEqual([null, null]);
  });

  test('takes as many changes at once as it says', async ({ store }) => {
    const count = store.capabilities.changesPerCommitMax;
    const gids = Array.from({ length: count }, (_, n) => gidOf(`g${n}`));
    expect(await store.commit(gids.map((one) => firstChange(one)))).toEqual(gids.map(() => applied));
    expect(await store.commit(gids.map((one) => nextChange(sampleRow(one))))).toEqual(gids.map(() => applied));
    const loaded = await store.load(gids);
    expect(loaded.map((one) => one?.row.version)).toEqual(gids.map(() => 2));
  });
}
