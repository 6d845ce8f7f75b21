import { readFileSync } from 'node:fs';
import { specFormat, stateFormat } from '@amends/core';
import type { StoredTransaction } from '@amends/store';
import { expect, test } from 'vitest';
import { sha256 } from '../ports/host.ts';
import { unreadableBecause } from './readable.ts';

/** Bytes are base64. */
interface Frozen {
  readonly transactions: readonly (Omit<StoredTransaction, 'spec' | 'records'> & {
    readonly spec: Omit<StoredTransaction['spec'], 'payloads'> & { readonly payloads: string };
    readonly records: readonly { readonly kind: string; readonly key: string; readonly content: string }[];
  })[];
}

const bytes = (base64: string) => Uint8Array.from(Buffer.from(base64, 'base64'));
const { transactions } = JSON.parse(
  readFileSync(new URL('../../../store-sql/fixtures/sqlite-1.json', import.meta.url), 'utf8'),
) as Frozen;
const frozen = transactions.map(
  ({ row, spec, records }): StoredTransaction => ({
    row,
    spec: { ...spec, payloads: bytes(spec.payloads) },
    records: records.map((record) => ({ ...record, content: bytes(record.content) })),
  }),
);

test('everything that a release has written in a format that this version knows can be read', () => {
  const known = frozen.filter(({ row, spec }) => row.format <= stateFormat && spec.format <= specFormat);
  expect(known.length).toBeGreaterThan(6);
  for (const stored of known) expect(unreadableBecause(stored, sha256)).toBeNull();
});

test('what a newer version has written is refused by its format', () => {
  const newer = frozen.filter(({ row, spec }) => row.format > stateFormat || spec.format > specFormat);
  expect(newer.map((stored) => unreadableBecause(stored, sha256)?.message)).toEqual([
    expect.stringMatching(/"newer-state" was written by a newer version of Amends \(formats 1000 and 1, .*: ask a node of that/),
    expect.stringMatching(/"newer-spec" was written by a newer version of Amends \(formats 1 and 1000, /),
  ]);
});
