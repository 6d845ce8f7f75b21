/** Lists for people: order, filters, pages that stay stable while others insert. */
import { epochMs, type TransactionRow } from '@amends/core';
import { expect } from 'vitest';
import type { ListPosition, ListQuery, Store } from '../store.ts';
import type { StoreTest } from './harness.ts';
import { finished, firstChange, gidOf, nextChange, sampleRow, sampleTime } from './samples.ts';

/** A transaction created so many milliseconds after the beginning. */
function at(ms: number, gid: string, row: Partial<TransactionRow> = {}) {
  return firstChange(gidOf(gid), { createdAt: epochMs(sampleTime + ms), ...row });
}

async function gidsOf(store: Store, query: Partial<ListQuery> = {}): Promise<string[]> {
  return (await store.list({ limit: 100, ...query })).rows.map((row) => row.gid);
}

/** Declares the topic. */
export function listContract(test: StoreTest): void {
  test('lists newest first, equal moments by gid', async ({ store, applied }) => {
    await applied(at(1, 'b'), at(2, 'a'), at(1, 'c'), at(0, 'z'));
    expect(await gidsOf(store)).toEqual(['a', 'c', 'b', 'z']);
    expect((await store.list({ limit: 1 })).rows).toEqual([at(2, 'a').row]);
  });

  test('pages join without gap or repetition while others insert', async ({ store, applied }) => {
    const old = Array.from({ length: 25 }, (_, n) => at(Math.floor(n / 4), `g${String(n).padStart(2, '0')}`));
    await applied(...old);
    const seen: string[] = [];
    let after: ListPosition | null = null;
    let newer = 100;
    do {
      const page = await store.list({ limit: 7, ...(after && { after }) });
      seen.push(...page.rows.map((row) => row.gid));
      after = page.next;
      newer += 1;
      await applied(at(newer, `new${newer}`));
    } while (after !== null);
    expect(seen).toEqual(old.map((change) => change.row.gid).toReversed());
  });

  test('a full last page says that it is the last', async ({ store, applied }) => {
    await applied(at(1, 'a'), at(2, 'b'));
    expect((await store.list({ limit: 2 })).next).toBeNull();
    expect((await store.list({ limit: 1 })).next).toEqual({ createdAt: epochMs(sampleTime + 2), gid: 'b' });
  });

  test('filters by status, mode, hold and creation, all at once if asked', async ({ store, applied }) => {
    await applied(
      at(0, 'running'),
      at(1, 'held', { hold: 'attempts-exhausted', dueAt: null, owner: null }),
      at(2, 'undone', { ...finished(epochMs(sampleTime + 9)), status: 'failed' }),
      at(3, 'done', finished(epochMs(sampleTime + 9))),
      at(4, 'undoing', { status: 'aborting' }),
    );
    expect(await gidsOf(store, { status: 'submitted' })).toEqual(['held', 'running']);
    expect(await gidsOf(store, { status: 'aborting' })).toEqual(['undoing']);
    expect(await gidsOf(store, { status: 'failed' })).toEqual(['undone']);
    expect(await gidsOf(store, { status: 'succeed' })).toEqual(['done']);
    expect(await gidsOf(store, { held: true })).toEqual(['held']);
    expect(await gidsOf(store, { held: false, status: 'submitted' })).toEqual(['running']);
    expect(await gidsOf(store, { mode: 'saga', held: true })).toEqual(['held']);
    expect(await gidsOf(store, { mode: 'tcc' })).toEqual([]);
    const window = { createdFrom: epochMs(sampleTime + 1), createdBefore: epochMs(sampleTime + 3) };
    expect(await gidsOf(store, window)).toEqual(['undone', 'held']);
    expect(await gidsOf(store, { ...window, held: true, status: 'submitted', mode: 'saga' })).toEqual(['held']);
  });

  test('follows a transaction through its states', async ({ store, applied }) => {
    await applied(firstChange(gidOf('a')));
    const held = nextChange(sampleRow(gidOf('a')), { hold: 'attempts-exhausted', dueAt: null });
    await applied(held);
    expect(await gidsOf(store, { held: true })).toEqual(['a']);
    await applied(nextChange(held.row, { ...finished(sampleTime), hold: null }));
    expect(await gidsOf(store, { held: true })).toEqual([]);
    expect(await gidsOf(store, { status: 'submitted' })).toEqual([]);
    expect(await gidsOf(store, { status: 'succeed' })).toEqual(['a']);
  });
}
