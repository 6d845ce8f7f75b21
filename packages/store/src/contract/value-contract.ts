/** Values: what must come back as it went in, and what must be refused. */
import { epochMs, type Gid, type TransactionRow } from '@amends/core';
import { expect } from 'vitest';
import type { Change } from '../store.ts';
import type { StoreTest } from './harness.ts';
import { finished, firstChange, gidOf, nextChange, sampleHistory, sampleRow, sampleSpec, sampleTime } from './samples.ts';

const gid = gidOf('one');

/** Gids that a careless store would mistake for something else. */
const awkwardGids = [
  "o'brien",
  "'; DROP TABLE tx; --",
  '"quoted"',
  'back\\slash',
  '%_?$1:name@x',
  '订单-1',
  'émile',
  'e\u0301mile',
  '😀',
  ' lead and trail ',
  'Case',
  'case',
  '0',
  '007',
  '7',
  '1e3',
  'null',
  '__proto__',
  '["a"]',
  'x'.repeat(128),
  '订'.repeat(128),
].map(gidOf);

const badChanges: Record<string, Change> = {
  'an unknown status': firstChange(gid, { status: 'done' as TransactionRow['status'] }),
  'finished without a moment': firstChange(gid, { ...finished(sampleTime), finishedAt: null }),
  'a finishing moment without being finished': firstChange(gid, { finishedAt: sampleTime }),
  'finished and due': firstChange(gid, { ...finished(sampleTime), dueAt: sampleTime }),
  'finished and held': firstChange(gid, { ...finished(sampleTime), hold: 'attempts-exhausted' }),
  'a version that does not follow': { ...firstChange(gid), row: sampleRow(gid, { version: 2 }) },
  'no spec at first': firstChange(gid, {}, { spec: null }),
  'a history row numbered 0': firstChange(gid, {}, { history: [sampleHistory(0)] }),
  'an epoch that is not a number': firstChange(gid, { epoch: Number.NaN }),
  'a moment that is not whole': firstChange(gid, { createdAt: epochMs(0.5) }),
  'an empty gid': firstChange('' as Gid),
  'a gid of 129 characters': firstChange(gidOf('x'.repeat(129))),
  'a state that is not text': firstChange(gid, { state: null as unknown as string }),
};

/** Declares the topic. */
export function valueContract(test: StoreTest): void {
  test('awkward gids are told apart and come back as they are', async ({ store, applied }) => {
    await applied(...awkwardGids.map((one) => firstChange(one)));
    const loaded = await store.load(awkwardGids);
    expect(loaded.map((one) => one?.row.gid)).toEqual(awkwardGids);
    for (const one of awkwardGids) await applied(nextChange(sampleRow(one)));
    const { rows } = await store.list({ limit: 100 });
    expect(rows.map((row) => row.gid).toSorted()).toEqual(awkwardGids.toSorted());
  });

  test('bytes and texts come back as they are', async ({ applied, loadOne, historyOf }) => {
    const text = '\'"\\`$1 ?: %s \t\r\n – 订单 😀 {"a":"\\u0000"}';
    const spec = sampleSpec({
      payloads: Uint8Array.from({ length: 512 }, (_, n) => n % 256),
      plan: text,
      presentation: text,
      digest: 'f'.repeat(64),
    });
    const records = [{ kind: text, key: text, content: new Uint8Array() }];
    const history = [sampleHistory(1, { detail: text, actor: text, code: text })];
    await applied(firstChange(gid, { reason: text, state: text, waitsFor: text, errorPrint: text }, { spec, records, history }));
    const row = sampleRow(gid, { reason: text, state: text, waitsFor: text, errorPrint: text });
    expect(await loadOne(gid)).toEqual({ row, spec, records });
    expect(await historyOf(gid)).toEqual(history);
  });

  test('payloads of 1 MiB and of nothing are kept', async ({ applied, loadOne }) => {
    const payloads = Uint8Array.from({ length: 1_048_576 }, (_, n) => (n * 7) % 256);
    await applied(firstChange(gid, {}, { spec: sampleSpec({ payloads }) }));
    await applied(firstChange(gidOf('empty'), {}, { spec: sampleSpec({ payloads: new Uint8Array() }) }));
    expect(Buffer.compare((await loadOne(gid)).spec.payloads, payloads)).toBe(0);
    expect((await loadOne(gidOf('empty'))).spec.payloads).toEqual(new Uint8Array());
  });

  test('a state of 1,000 branches is kept, and moments of the year 9999', async ({ applied, loadOne }) => {
    const row = { state: JSON.stringify([1, 0, 0, Array(1_000).fill([[3, 1, 0, 0, 1_795_510_000_000], 0])]) };
    const at = epochMs(Date.UTC(9999, 11, 31));
    await applied(firstChange(gid, { ...row, createdAt: at, updatedAt: at, dueAt: at, epoch: 2 ** 40 }));
    expect((await loadOne(gid)).row).toEqual(sampleRow(gid, { ...row, createdAt: at, updatedAt: at, dueAt: at, epoch: 2 ** 40 }));
  });

  for (const [name, change] of Object.entries(badChanges)) {
    test(`refuses ${name}`, async ({ store, commitOne, applied }) => {
      expect(await commitOne(change)).toEqual({ fate: 'refused', message: expect.stringMatching(/\w{3}/) });
      expect(await store.load([change.row.gid])).toEqual([null]);
      await applied(firstChange(gidOf('next')));
    });
  }

  test('refuses a history row whose seq is taken', async ({ commitOne, applied, loadOne, historyOf }) => {
    await applied(firstChange(gid));
    const change = nextChange(sampleRow(gid), {}, { history: [sampleHistory(1, { detail: 'other' })] });
    expect((await commitOne(change)).fate).toBe('refused');
    expect((await loadOne(gid)).row).toEqual(sampleRow(gid));
    expect(await historyOf(gid)).toEqual([sampleHistory(1)]);
  });

  test('refuses a spec that comes a second time', async ({ commitOne, applied, loadOne }) => {
    await applied(firstChange(gid));
    const change = nextChange(sampleRow(gid), {}, { spec: sampleSpec({ plan: 'other' }) });
    expect((await commitOne(change)).fate).toBe('refused');
    expect((await loadOne(gid)).spec).toEqual(sampleSpec());
  });
}
