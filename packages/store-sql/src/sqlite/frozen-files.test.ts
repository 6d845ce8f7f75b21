/** Every file that a release ever wrote opens, and reads as it was written. */
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  decodeSpec,
  epochMs,
  fromRow,
  type HistoryEntry,
  nodeId,
  type StoredSpec,
  specFormat,
  stateFormat,
  type TransactionRow,
} from '@amends/core';
import type { AuditRow, Store, StoredDocument } from '@amends/store';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSqliteStore } from './open-sqlite-store.ts';

interface Frozen {
  readonly timeMark: number;
  readonly transactions: readonly {
    readonly row: TransactionRow;
    readonly spec: Omit<StoredSpec, 'payloads'> & { readonly payloads: string };
    readonly records: readonly { readonly kind: string; readonly key: string; readonly content: string }[];
    readonly history: readonly HistoryEntry[];
  }[];
  readonly audit: readonly AuditRow[];
  readonly documents: readonly StoredDocument[];
}

const fixtures = new URL('../../fixtures/', import.meta.url);

function bytes(base64: string): Uint8Array {
  return Uint8Array.from(Buffer.from(base64, 'base64'));
}

describe.each(['sqlite-1'])('%s', (name) => {
  let directory: string;
  let store: Store;
  let frozen: Frozen;

  beforeEach(async () => {
    frozen = JSON.parse(await readFile(new URL(`${name}.json`, fixtures), 'utf8')) as Frozen;
    directory = await mkdtemp(join(tmpdir(), 'amends-frozen-'));
    const path = join(directory, 'amends.db');
    await copyFile(new URL(`${name}.db`, fixtures), path);
    store = await openSqliteStore({ path, clock: { wallMs: () => 0, monotonicMs: () => 0 } });
  });
  afterEach(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });

  test('transactions are read as they were written', async () => {
    expect(frozen.transactions.length).toBeGreaterThan(6);
    const loaded = await store.load(frozen.transactions.map(({ row }) => row.gid));
    for (const [index, { row, spec, records, history }] of frozen.transactions.entries()) {
      expect(loaded[index]).toEqual({
        row,
        spec: { ...spec, payloads: bytes(spec.payloads) },
        records: records.map((record) => ({ ...record, content: bytes(record.content) })),
      });
      expect(await store.history(row.gid, { afterSeq: 0, limit: 100 })).toEqual(history);
    }
    expect((await store.list({ limit: 100 })).rows).toHaveLength(frozen.transactions.length);
  });

  test('those of formats that this version knows are understood, the others are never claimed', async () => {
    const known = frozen.transactions.filter(({ row, spec }) => row.format <= stateFormat && spec.format <= specFormat);
    for (const { row, spec } of known) {
      expect(fromRow(row).seq).toBeGreaterThan(0);
      expect(decodeSpec({ ...spec, payloads: bytes(spec.payloads) }).mode).toBe(row.mode);
    }
    const claimed = await store.claim({ node: nodeId('next'), dueBefore: epochMs(frozen.timeMark * 2), limit: 100 });
    const due = known.filter(({ row }) => row.dueAt !== null).map(({ row }) => row.gid);
    expect(due.length).toBeGreaterThan(2);
    expect(claimed.map(({ row }) => row.gid).toSorted()).toEqual(due.toSorted());
  });

  test('documents, audit rows and the time mark are there', async () => {
    expect(await store.documents('topic')).toEqual(frozen.documents);
    expect(await store.audit({ limit: 9 })).toMatchObject(frozen.audit);
    expect(await store.nodes()).toEqual([]);
    const time = await store.heartbeat({ node: nodeId('next'), ttlMs: 1, name: '' });
    expect(time).toBeGreaterThanOrEqual(frozen.timeMark);
  });
});
