/** Whatever arrives, parsing it ends in a request or in a refusal that names a field; never in anything else. */
import { checkSagaSpec, encodeSpec, isAmendsError, type Spec } from '@amends/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAll } from '../dtm/list.ts';
import { makeDtmSpec } from '../dtm/submission.ts';
import { parseDtmTransaction } from '../dtm/transaction.ts';
import { parseNewBranch } from '../native/branches.ts';
import { parseCreate } from '../native/create/create.ts';
import { parseJsonBody } from './json-text.ts';

const native = {
  gid: 'g1',
  mode: 'saga',
  steps: [
    { action: 'http://a/', compensate: '', kind: 'compensatable', payload: {}, timeoutMs: 5, retry: { delayMs: 5 }, after: [] },
  ],
  concurrent: true,
  timeoutMs: 5,
  headers: { a: 'b' },
};
const sagaOfAnswers = {
  mode: 'saga',
  steps: [
    {
      name: 'a',
      keepAnswer: true,
      action: 'http://a/',
      compensate: 'http://a/',
      compensatePayload: [{ $from: 'a', path: '$.b[0]' }],
    },
    { action: 'http://a/', payload: { c: { $from: 'a' } } },
  ],
};
const otherModes = [
  {
    mode: 'msg',
    prepare: true,
    queryUrl: 'http://a/',
    steps: [{ action: 'http://a/', payload: {} }],
    notBefore: '2030-01-01T00:00:00Z',
  },
  { mode: 'tcc', timeoutMs: 5, retry: { delayMs: 5 }, headers: { a: 'b' } },
  { mode: 'xa', prepare: true },
  { mode: 'workflow', name: 'a', input: {}, resumeUrl: 'http://a/', resumeAfterMs: 5 },
];
const branches = [
  { mode: 'tcc', branchId: '01', confirm: 'http://a/', cancel: '', payload: {} },
  { mode: 'xa', branchId: '01', url: 'http://a/' },
  { mode: 'workflow', branchId: '01', op: 'a', status: 'succeed', result: [] },
];
const dtm = {
  gid: 'g1',
  trans_type: 'saga',
  steps: [{ action: 'http://a/', compensate: '' }],
  payloads: ['{}'],
  custom_data: '{"concurrent":true,"orders":{"0":[]}}',
  branch_headers: { a: 'b' },
  retry_limit: 3,
};

const strangeTexts = [
  '',
  '\0',
  '\ud800',
  '__proto__',
  'http://[',
  'http://a\u2028',
  '1e999',
  '{"concurrent":true,"orders":{"0":[1e99]}}',
];
const strange = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(...strangeTexts, -0, 1e308, Number.MAX_SAFE_INTEGER, [[]], {}),
  fc.string({ unit: 'binary' }),
);

/** The template with one of its values, at any depth, replaced by something strange. */
function mutated(template: object) {
  const paths = pathsOf(template, []);
  return fc.tuple(fc.constantFrom(...paths), strange).map(([path, value]) => replaced(template, path, value));
}

function pathsOf(value: unknown, path: readonly string[]): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

function replaced(value: unknown, path: readonly string[], by: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>;
  copy[key] = replaced(copy[key], rest, by);
  return copy;
}

/** Whether it became a spec that can be stored; refusals must be operating errors that say something. */
function accepted(parse: () => Spec): boolean {
  try {
    const spec = parse();
    if (spec.mode === 'saga') checkSagaSpec(spec);
    encodeSpec(spec);
    return true;
  } catch (error) {
    if (!isAmendsError(error, 'invalid_request') && !isAmendsError(error, 'topic_not_found')) throw error;
    expect(error.message.length).toBeGreaterThan(10);
    return false;
  }
}

const parsed = (body: unknown) => parseJsonBody(Buffer.from(JSON.stringify(body) ?? ''));
const context = {
  defaults: { requestTimeoutMs: 3_000, retryIntervalMs: 10_000, timeoutToFailMs: 35_000, runAhead: true },
  subscribersOf: () => undefined,
};
const dtmSpec = (fields: unknown) => makeDtmSpec(parseDtmTransaction({ fields }), context);

describe('hostile input', () => {
  it('is a request or a refusal: native bodies', () => {
    expect(accepted(() => parseCreate(parsed(native)).spec())).toBe(true);
    fc.assert(
      fc.property(mutated(native), (body) => void accepted(() => parseCreate(parsed(body)).spec())),
      { numRuns: 1_000 },
    );
  });

  it.each([sagaOfAnswers, ...otherModes])('is a request or a refusal: native bodies of every mode, %j', (template) => {
    expect(accepted(() => parseCreate(parsed(template)).spec())).toBe(true);
    fc.assert(
      fc.property(mutated(template), (body) => void accepted(() => parseCreate(parsed(body)).spec())),
      { numRuns: 300 },
    );
  });

  it.each(branches)('is a request or a refusal: registered branches, %j', (template) => {
    const look = (body: unknown) => {
      try {
        parseNewBranch(parsed(body));
      } catch (error) {
        if (!isAmendsError(error, 'invalid_request')) throw error;
      }
    };
    fc.assert(fc.property(mutated(template), look), { numRuns: 300 });
  });

  it('is a request or a refusal: DTM bodies', () => {
    expect(accepted(() => dtmSpec(parsed(dtm)))).toBe(true);
    fc.assert(
      fc.property(mutated(dtm), (body) => void accepted(() => dtmSpec(parsed(body)))),
      { numRuns: 1_000 },
    );
  });

  it('is a request or a refusal: any bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(bytes, (body) => void accepted(() => parseCreate(parseJsonBody(body)).spec())),
      { numRuns: 1_000 },
    );
  });

  it('is a request or a refusal: queries of lists', () => {
    const names = ['gid', 'position', 'limit', 'status', 'transType', 'createTimeStart', 'createTimeEnd'];
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.nat().map(String), fc.array(fc.string()));
    const query = fc.dictionary(fc.constantFrom(...names), value);
    const look = (asked: Record<string, unknown>) => {
      try {
        parseAll(asked);
      } catch (error) {
        if (!isAmendsError(error, 'invalid_request')) throw error;
      }
    };
    fc.assert(fc.property(query, look), { numRuns: 1_000 });
  });
});
