/** Every stored format that was ever released can be read: the fixtures are frozen, only added to. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  decodeSpec,
  encodeSpec,
  fromRow,
  type SagaSpec,
  type StoredSpec,
  specFormat,
  stateFormat,
  type TransactionRow,
  toRow,
} from './index.ts';

const fixtures = JSON.parse(readFileSync(new URL('../fixtures/format-1.json', import.meta.url), 'utf8')) as {
  rows: TransactionRow[];
  spec: Omit<StoredSpec, 'payloads'> & { payloads: string };
};

test('state of format 1 is read, and written again as it was', () => {
  expect(fixtures.rows.length).toBeGreaterThan(3);
  for (const row of fixtures.rows) expect(toRow(fromRow(row), row)).toEqual(row);
});

test('a spec of format 1 is read, and written again as it was', () => {
  const stored = { ...fixtures.spec, payloads: Uint8Array.from(Buffer.from(fixtures.spec.payloads, 'base64')) };
  const { digest: _, ...rest } = stored;
  expect(encodeSpec(decodeSpec(stored))).toEqual(rest);
});

test('a saga whose answers are kept is stored in a format that older versions leave alone', () => {
  const stored = { ...fixtures.spec, payloads: Uint8Array.from(Buffer.from(fixtures.spec.payloads, 'base64')) };
  const spec = decodeSpec(stored) as SagaSpec;
  const [first, ...rest] = spec.steps;
  const keeping = encodeSpec({ ...spec, steps: [{ ...first!, name: 'a', keepAnswer: true }, ...rest] });
  expect(keeping.format).toBe(2);
  expect(decodeSpec({ ...keeping, digest: '' })).toMatchObject({ steps: [{ name: 'a', keepAnswer: true }, ...rest] });
});

test('a newer format is refused, not guessed', () => {
  expect(() => fromRow({ ...fixtures.rows[0]!, format: stateFormat + 1 })).toThrow(/not known to this version/);
  const newer = { ...fixtures.spec, payloads: new Uint8Array(), format: specFormat + 1 };
  expect(() => decodeSpec(newer)).toThrow(/not known to this version/);
});
