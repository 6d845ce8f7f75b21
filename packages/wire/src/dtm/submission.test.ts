import { checkSagaSpec, isAmendsError, isSameRequest, type SagaSpec, type Transaction } from '@amends/core';
import { describe, expect, it } from 'vitest';
import { dtmAnswerOf } from './http-answer.ts';
import { resultOfSubmit, resultOfWait } from './request-result.ts';
import { makeDtmSpec } from './submission.ts';
import { parseDtmTransaction } from './transaction.ts';

const context = {
  defaults: { requestTimeoutMs: 3_000, retryIntervalMs: 10_000, timeoutToFailMs: 35_000, runAhead: true },
  subscribersOf: () => undefined,
};
const steps = [
  { action: 'http://a/out', compensate: 'http://a/out/undo' },
  { action: 'http://b/in', compensate: 'http://b/in/undo' },
];
const minimal = { gid: 'g1', trans_type: 'saga', steps, payloads: ['{"a":1}', 'null'] };

const parse = (fields: unknown) => {
  const dtm = parseDtmTransaction({ fields });
  return { ...dtm, spec: makeDtmSpec(dtm, context) as SagaSpec };
};
const specOf = (change: object) => parse({ ...minimal, ...change }).spec;

function refusal(body: unknown): string {
  try {
    checkSagaSpec(parse(body).spec);
  } catch (error) {
    if (isAmendsError(error)) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'accepted';
}

describe('what a DTM client submits', () => {
  it('becomes a spec with the policies that DTM has by default', () => {
    const forEver = { kind: 'exponential', delayMs: 10_000, delayMsMax: 300_000, attemptsMax: null, atEnd: 'hold' };
    const { gid, spec, wait_result: waits } = parse(minimal);
    expect([gid, waits]).toEqual(['g1', false]);
    expect(spec).toMatchObject({ mode: 'saga', timeoutMs: null, headers: {}, face: 'dtm' });
    expect(spec.steps).toEqual([
      { kind: 'compensatable', ...steps[0], timeoutMs: 3_000, actionRetry: forEver, compensateRetry: forEver, after: [] },
      { kind: 'compensatable', ...steps[1], timeoutMs: 3_000, actionRetry: forEver, compensateRetry: forEver, after: [0] },
    ]);
    expect(spec.payloads.map((payload) => Buffer.from(payload).toString())).toEqual(['{"a":1}', 'null']);
  });

  it('may name its times and limits', () => {
    const spec = specOf({ request_timeout: 8, retry_interval: 400, retry_limit: 2, timeout_to_fail: 5, wait_result: true });
    expect(spec.steps[0]).toMatchObject({
      timeoutMs: 8_000,
      actionRetry: { delayMs: 400_000, delayMsMax: 400_000, attemptsMax: 3, atEnd: 'roll-back' },
      compensateRetry: { delayMs: 400_000, attemptsMax: 3, atEnd: 'hold' },
    });
    expect([spec.timeoutMs, spec.timeoutReason]).toEqual([5_000, 'Timeout after 5 seconds']);
  });

  it('may be concurrent with orders', () => {
    const spec = specOf({ custom_data: '{"concurrent":true,"orders":{"1":[0]}}' });
    expect(spec.steps.map((step) => step.after)).toEqual([[], [0]]);
    expect(specOf({ custom_data: '{"concurrent":true}' }).steps.map((step) => step.after)).toEqual([[], []]);
    expect(specOf({ custom_data: '{"Concurrent":false,"Orders":null}' }).steps.map((step) => step.after)).toEqual([[], [0]]);
  });

  it('may be as untidy as the clients are', () => {
    const { gid, spec } = parse({
      Gid: 'a;\r\nb"\'',
      TRANS_TYPE: 'saga',
      steps: steps.map((step, index) => ({ ...step, data: `{"n":${index}}`, op: null })),
      payloads: null,
      passthrough_headers: [],
      subType: 'x',
      protocol: '',
      rollback_reason: null,
      request_timeout: null,
      branch_headers: null,
      status: 4,
    });
    expect(gid).toBe('ab"\'');
    expect(spec.payloads.map((payload) => Buffer.from(payload).toString())).toEqual(['{"n":0}', '{"n":1}']);
  });

  it('ignores payloads beyond the steps', () => {
    expect(specOf({ payloads: ['a', 'b', 'c'] }).payloads).toHaveLength(2);
  });

  it.each([
    ['no object', [], /^invalid_request body: /],
    ['no gid', { ...minimal, gid: ';\n' }, /^invalid_request gid: is missing/],
    ['a long gid', { ...minimal, gid: 'g'.repeat(129) }, /^invalid_request gid: /],
    ['no type', { ...minimal, trans_type: null }, /^invalid_request trans_type: is "", must be "saga"/],
    ['an unknown type', { ...minimal, trans_type: 'magic' }, /^invalid_request trans_type: is "magic"/],
    ['an unknown protocol', { ...minimal, protocol: 'smoke' }, /^invalid_request protocol: is "smoke", must be "http"/],
    ['no steps', { ...minimal, steps: null }, /^invalid_request steps: /],
    ['steps of a wrong type', { ...minimal, steps: 'x' }, /^invalid_request steps: is "x", must be an array/],
    ['a step of a wrong type', { ...minimal, steps: [7] }, /^invalid_request steps\[0\]: is 7, must be an object/],
    ['fewer payloads than steps', { ...minimal, payloads: ['x'] }, /^invalid_request payloads: has 1 entries for 2 steps/],
    ['a payload of a wrong type', { ...minimal, payloads: [{}, ''] }, /^invalid_request payloads\[0\]: is \{\}, must be a text/],
    ['a URL of a wrong type', { ...minimal, steps: [{ action: 5 }, {}] }, /^invalid_request steps\[0\]\.action: is 5/],
    ['a broken URL', { ...minimal, steps: [{ action: 'http://' }, {}] }, /^invalid_request steps\[0\]\.action: /],
    [
      'a port that nobody has',
      { ...minimal, steps: [{ action: 'http://bank:0/a' }, {}] },
      /^invalid_request steps\[0\]\.action: has port 0/,
    ],
    [
      'a gRPC port that nobody has',
      { ...minimal, protocol: 'grpc', steps: [{ action: 'bank:70000/bank.Bank/Out' }, {}] },
      /port 70000/,
    ],
    [
      'half a character in the name of a workflow',
      {
        ...minimal,
        trans_type: 'workflow',
        query_prepared: 'http://shop/resume',
        custom_data: JSON.stringify({ name: 'a\ud800' }),
      },
      /^invalid_request custom_data\.name: .*half of a character/,
    ],
    [
      'a header that gRPC cannot carry',
      { ...minimal, protocol: 'grpc', branch_headers: { a: 'é' } },
      /branch_headers\.a: must be printable/,
    ],
    ['5,000 steps', { ...minimal, steps: new Array(5000).fill({}) }, /^invalid_request steps: has 5000 entries/],
    ['a number as text', { ...minimal, retry_limit: '3' }, /^invalid_request retry_limit: is "3"/],
    ['a fraction', { ...minimal, timeout_to_fail: 1.5 }, /^invalid_request timeout_to_fail: is 1.5/],
    ['a negative number', { ...minimal, request_timeout: -1 }, /^invalid_request request_timeout: is -1/],
    ['a huge number', { ...minimal, retry_interval: 1e15 }, /^invalid_request retry_interval: /],
    [
      'half a character in a header',
      { ...minimal, branch_headers: { a: '\ud83d' } },
      /^invalid_request branch_headers\.a: .*surrogate/,
    ],
    ['a header that breaks its line', { ...minimal, branch_headers: { a: 'x\ny' } }, /^invalid_request branch_headers\.a: /],
    ['custom data that is not JSON', { ...minimal, custom_data: '{' }, /^invalid_request custom_data: /],
    [
      'orders out of range',
      { ...minimal, custom_data: '{"concurrent":true,"orders":{"7":[0]}}' },
      /^invalid_request custom_data\.orders: names step "7"/,
    ],
    [
      'orders of a wrong type',
      { ...minimal, custom_data: '{"concurrent":true,"orders":{"1":["0"]}}' },
      /^invalid_request custom_data\.orders\.1: /,
    ],
    [
      'a cycle',
      { ...minimal, custom_data: '{"concurrent":true,"orders":{"1":[0],"0":[1]}}' },
      /^invalid_request custom_data\.orders\.\d: is part of a cycle/,
    ],
  ])('is refused for %s', (_what, body, message) => {
    expect(refusal(body)).toMatch(message);
  });
});

describe('the answer to a submission', () => {
  const tx = (change: Partial<Transaction>) => ({ status: 'submitted', reason: '', hold: null, ...change }) as Transaction;
  const asked = parse(minimal);
  const waiting = parse({ ...minimal, wait_result: true });
  const submittedAnswer = (...told: Parameters<typeof resultOfSubmit>) => {
    const result = resultOfSubmit(...told);
    return result === null ? null : dtmAnswerOf(result);
  };
  const waitedAnswer = (transaction: Transaction) => dtmAnswerOf(resultOfWait(transaction));

  it('is success at once, or after waiting', () => {
    expect(submittedAnswer(asked, { verdict: 'created', transaction: tx({}) })).toEqual({
      status: 200,
      body: { dtm_result: 'SUCCESS' },
    });
    expect(submittedAnswer(asked, { verdict: 'repeated', transaction: tx({}) })?.status).toBe(200);
    expect(submittedAnswer(waiting, { verdict: 'created', transaction: tx({}) })).toBeNull();
    expect(waitedAnswer(tx({ status: 'succeed' }))).toEqual({ status: 200, body: { dtm_result: 'SUCCESS' } });
  });

  it('tells a failure with its reason, ending in FAILURE', () => {
    expect(waitedAnswer(tx({ status: 'failed', reason: 'Timeout after 5 seconds' }))).toEqual({
      status: 409,
      body: { dtm_result: 'FAILURE', message: 'Timeout after 5 seconds FAILURE' },
    });
    expect(waitedAnswer(tx({ status: 'failed', reason: 'url:x return failed: no FAILURE' }))).toMatchObject({
      body: { message: 'url:x return failed: no FAILURE' },
    });
  });

  it('tells an open outcome as ongoing', () => {
    expect(waitedAnswer(tx({ status: 'aborting' }))).toEqual({
      status: 425,
      body: { dtm_result: 'ONGOING', message: 'the outcome is open: status aborting ONGOING' },
    });
  });

  it('tells how it ended when it is asked for again, and refuses what is different', () => {
    const repeated = (change: Partial<Transaction>) => submittedAnswer(asked, { verdict: 'repeated', transaction: tx(change) });
    expect(repeated({ status: 'succeed' })?.status).toBe(200);
    expect(repeated({ status: 'failed', reason: 'no money' })).toEqual({
      status: 409,
      body: { dtm_result: 'FAILURE', message: "current status 'failed', cannot sumbmit. no money FAILURE" },
    });
    expect(repeated({ status: 'aborting' })?.status).toBe(409);
    expect(submittedAnswer(asked, { verdict: 'different', transaction: tx({ status: 'succeed' }) })?.status).toBe(409);
    expect(submittedAnswer(asked, { verdict: 'different', transaction: tx({}) })).toMatchObject({
      status: 409,
      body: { message: expect.stringMatching(/other content, cannot submit\. FAILURE$/) },
    });
  });
});

it('whether a transaction may run ahead of what is stored is the server’s to say', () => {
  const specWith = (runAhead: boolean) =>
    makeDtmSpec(parseDtmTransaction({ fields: minimal }), { ...context, defaults: { ...context.defaults, runAhead } });
  expect(specWith(false).runAhead).toBe(false);
  expect(specWith(true)).not.toHaveProperty('runAhead');
  expect(isSameRequest(specWith(true), specWith(false))).toBe(true);
});
