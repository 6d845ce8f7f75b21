/** Every stored format that was ever released can be read: the fixtures are frozen, only added to. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  decodeSpec,
  encodeSpec,
  fromRow,
  overdueSinceOf,
  type SagaSpec,
  type StoredSpec,
  specFormat,
  stateFormat,
  type TransactionRow,
  toRow,
} from '../index.ts';

type FrozenSpec = Omit<StoredSpec, 'payloads'> & { readonly payloads: string };

const first = frozen<{ rows: TransactionRow[]; spec: FrozenSpec }>('format-1');
const second = frozen<{ rows: TransactionRow[]; specs: FrozenSpec[] }>('format-2');
const third = frozen<{ rows: TransactionRow[] }>('format-3');
const fourth = frozen<{ rows: TransactionRow[] }>('format-4');

function frozen<Content>(name: string): Content {
  return JSON.parse(readFileSync(new URL(`../../fixtures/${name}.json`, import.meta.url), 'utf8')) as Content;
}

function thaw(spec: FrozenSpec): StoredSpec {
  return { ...spec, payloads: Uint8Array.from(Buffer.from(spec.payloads, 'base64')) };
}

describe('format 1', () => {
  test('of the state is read, and means what the same means in the newest', () => {
    expect(first.rows.length).toBeGreaterThan(3);
    first.rows.forEach((row, index) => {
      expect(fromRow(row).overdueSince).toBeNull();
      expect(toRow(fromRow(row), row)).toEqual(fourth.rows[index]);
    });
  });

  test('of a spec is read, has no trace, and is the same content as in the newest', () => {
    const { digest, ...stored } = thaw(first.spec);
    const spec = decodeSpec({ ...stored, digest });
    expect(spec).toMatchObject({ trace: null, alarmAfterMs: null, presentation: { custom_data: '{}' } });
    const { plan, payloads } = encodeSpec(spec);
    expect({ plan, payloads }).toEqual({ plan: stored.plan, payloads: stored.payloads });
    expect(second.specs[0]!.digest).toBe(digest);
  });
});

describe('format 2', () => {
  test('of the state is read, and means what the same means in the newest', () => {
    expect(second.rows.length).toBeGreaterThan(first.rows.length);
    second.rows.forEach((row, index) => {
      expect(toRow(fromRow(row), row)).toEqual(fourth.rows[index]);
    });
  });

  test('of a spec is read, and written again as it was', () => {
    const specs = second.specs.map((spec) => decodeSpec(thaw(spec)));
    expect(specs.map(({ face, alarmAfterMs, trace }) => [face, alarmAfterMs, trace?.flags])).toEqual([
      ['dtm', null, undefined],
      ['dtm', null, '01'],
      ['native', 300_000, '01'],
      ['native', null, undefined],
      ['native', 60_000, undefined],
    ]);
    specs.forEach((spec, index) => {
      const { digest: _, ...stored } = thaw(second.specs[index]!);
      expect(encodeSpec(spec)).toEqual(stored);
    });
  });
});

test('format 3 of the state is read, and means what the same means in the newest', () => {
  expect(third.rows.length).toBeGreaterThan(second.rows.length);
  third.rows.forEach((row, index) => {
    expect(fromRow(row).aheadUntil).toBeNull();
    expect(toRow(fromRow(row), row)).toEqual(fourth.rows[index]);
  });
  expect(third.rows.some((row) => fromRow(row).branches.some(({ forward }) => forward.at === 'given-up'))).toBe(true);
});

test('format 4 of the state is read, and written again as it was', () => {
  expect(fourth.rows.length).toBeGreaterThan(third.rows.length);
  for (const row of fourth.rows) expect(toRow(fromRow(row), row)).toEqual(row);
  expect(fourth.rows.filter((row) => fromRow(row).aheadUntil !== null)).toHaveLength(1);
});

test('lists see what is overdue without reading the whole state', () => {
  for (const row of [...first.rows, ...second.rows, ...third.rows, ...fourth.rows])
    expect(overdueSinceOf(row)).toBe(fromRow(row).overdueSince);
  expect(second.rows.some((row) => overdueSinceOf(row) !== null)).toBe(true);
  expect(overdueSinceOf({ format: stateFormat + 1, state: '{}' })).toBeNull();
});

test('a saga whose answers are kept is written and read', () => {
  const spec = decodeSpec(thaw(first.spec)) as SagaSpec;
  const [step, ...rest] = spec.steps;
  const keeping = encodeSpec({ ...spec, steps: [{ ...step!, name: 'a', keepAnswer: true }, ...rest] });
  expect(decodeSpec({ ...keeping, digest: '' })).toMatchObject({ steps: [{ name: 'a', keepAnswer: true }, ...rest] });
});

test('a newer format is refused, not guessed', () => {
  expect(() => fromRow({ ...first.rows[0]!, format: stateFormat + 1 })).toThrow(/not known to this version/);
  expect(() => decodeSpec({ ...thaw(first.spec), format: specFormat + 1 })).toThrow(/not known to this version/);
});
