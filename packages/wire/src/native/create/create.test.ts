import { checkSagaSpec, defaultRetry, isAmendsError, type SagaSpec } from '@amends/core';
import { describe, expect, it } from 'vitest';
import { parseCreate } from './create.ts';

const step = { action: 'http://a/do', compensate: 'http://a/undo', payload: { amount: 30 } };

const sagaOf = (body: unknown) => parseCreate(body).spec() as SagaSpec;

/** Fields that a body is refused for. */
function refusedFields(body: unknown): string[] {
  try {
    const spec = parseCreate(body).spec();
    if (spec.mode === 'saga') checkSagaSpec(spec);
  } catch (error) {
    if (isAmendsError(error, 'invalid_request')) return error.issues.map((issue) => issue.field);
    throw error;
  }
  return [];
}

describe('the body that creates a transaction', () => {
  it('becomes a spec with every default filled in', () => {
    const body = { mode: 'saga', steps: [step, { action: 'http://b/do', kind: 'compensatable' }] };
    expect(parseCreate(body).gid).toBeNull();
    const spec = sagaOf(body);
    expect(spec.steps).toEqual([
      {
        kind: 'compensatable',
        action: 'http://a/do',
        compensate: 'http://a/undo',
        timeoutMs: 10_000,
        actionRetry: defaultRetry,
        compensateRetry: defaultRetry,
        after: [],
      },
      {
        kind: 'compensatable',
        action: 'http://b/do',
        compensate: '',
        timeoutMs: 10_000,
        actionRetry: defaultRetry,
        compensateRetry: defaultRetry,
        after: [0],
      },
    ]);
    expect(spec.payloads.map((payload) => Buffer.from(payload).toString())).toEqual(['{"amount":30}', '']);
    expect(spec).toMatchObject({ mode: 'saga', timeoutMs: null, headers: {}, face: 'native' });
  });

  it('starts steps without `after` at once when concurrent', () => {
    const spec = sagaOf({ mode: 'saga', concurrent: true, steps: [step, step, { ...step, after: [0, 1] }] });
    expect(spec.steps.map((each) => each.after)).toEqual([[], [], [0, 1]]);
  });

  it('fills in what a retry policy leaves out', () => {
    const spec = sagaOf({ mode: 'saga', steps: [{ ...step, retry: { delayMs: 90_000, attemptsMax: 3 } }] });
    expect(spec.steps[0]!.actionRetry).toEqual({ ...defaultRetry, delayMs: 90_000, delayMsMax: 90_000, attemptsMax: 3 });
  });

  it('sends an explicit null as JSON', () => {
    const spec = sagaOf({ mode: 'saga', steps: [{ ...step, payload: null }] });
    expect(Buffer.from(spec.payloads[0]!).toString()).toBe('null');
  });

  it('delivers to subscribers that are gRPC methods by gRPC', () => {
    const { spec, topics } = parseCreate({ mode: 'msg', steps: [{ action: 'topic://t' }, { action: 'http://a/' }] });
    expect(topics).toEqual(['t']);
    expect(spec(() => ['bank:58081/busi.Busi/TransIn'])).toMatchObject({ protocol: 'grpc' });
    expect(spec(() => ['http://b/']).protocol).toBeUndefined();
  });

  it('makes a message known again by all but its gid and whether it is prepared', () => {
    const message = { mode: 'msg', queryUrl: 'http://a/', steps: [{ action: 'topic://t', payload: 1 }] };
    const { requested } = parseCreate(message);
    expect(parseCreate({ ...message, gid: 'g', prepare: true }).requested).toBe(requested);
    expect(parseCreate({ ...message, delayMs: 1 }).requested).not.toBe(requested);
  });

  it.each([
    ['not an object', 7, ['body']],
    ['an unknown mode', { mode: 'magic', steps: [step] }, ['mode']],
    ['no mode', { steps: [step] }, ['mode']],
    ['no steps', { mode: 'saga' }, ['steps']],
    ['empty steps', { mode: 'saga', steps: [] }, ['steps']],
    ['too many steps', { mode: 'saga', steps: new Array(5_000).fill(step) }, ['steps']],
    ['an unknown key', { mode: 'saga', steps: [{ ...step, acton: 'x' }] }, ['steps[0].acton']],
    ['a wrong type', { mode: 'saga', steps: [{ action: 5 }] }, ['steps[0].action']],
    ['several faults', { mode: 'saga', steps: [{ action: 5 }], timeoutMs: 0 }, ['steps[0].action', 'timeoutMs']],
    ['a relative URL', { mode: 'saga', steps: [{ action: '/do' }] }, ['steps[0].action']],
    ['another scheme', { mode: 'saga', steps: [{ action: 'file:///etc/passwd' }] }, ['steps[0].action']],
    ['a password', { mode: 'saga', steps: [{ action: 'http://u:p@a/' }] }, ['steps[0].action']],
    ['a line break in a URL', { mode: 'saga', steps: [{ action: 'http://a/\r\nX: y' }] }, ['steps[0].action']],
    ['a long URL', { mode: 'saga', steps: [{ action: `http://a/${'x'.repeat(3000)}` }] }, ['steps[0].action']],
    ['a fraction', { mode: 'saga', steps: [{ ...step, timeoutMs: 1.5 }] }, ['steps[0].timeoutMs']],
    ['a negative number', { mode: 'saga', steps: [{ ...step, timeoutMs: -1 }] }, ['steps[0].timeoutMs']],
    ['a huge number', { mode: 'saga', steps: [step], timeoutMs: 1e300 }, ['timeoutMs']],
    ['an index out of range', { mode: 'saga', steps: [{ ...step, after: [1] }] }, ['steps[0].after']],
    ['a step after itself', { mode: 'saga', steps: [{ ...step, after: [0] }] }, ['steps[0].after']],
    ['a cycle', { mode: 'saga', steps: [{ ...step, after: [1] }, step] }, ['steps[0].after']],
    ['a gid with a line break', { gid: 'a\nb', mode: 'saga', steps: [step] }, ['gid']],
    ['a long gid', { gid: 'g'.repeat(200), mode: 'saga', steps: [step] }, ['gid']],
    ['the header Host', { mode: 'saga', steps: [step], headers: { host: 'b' } }, ['headers.host']],
    ['a line break in a header', { mode: 'saga', steps: [step], headers: { 'x-a': 'b\r\nc: d' } }, ['headers.x-a']],
    [
      'a pivot before what can be undone',
      { mode: 'saga', steps: [{ action: 'http://a', kind: 'pivot' }, step] },
      ['steps[0].kind'],
    ],
  ])('is refused for %s', (_what, body, fields) => {
    expect(refusedFields(body)).toEqual(fields);
  });
});

describe('running ahead of what is stored', () => {
  const bodies = [
    { mode: 'saga', steps: [step] },
    { mode: 'msg', steps: [{ action: 'http://a/in' }] },
    { mode: 'tcc' },
    { mode: 'xa' },
  ];

  it.each(bodies)('is forbidden by runAhead: false, and allowed by default: %j', (body) => {
    expect(parseCreate({ ...body, runAhead: false }).spec().runAhead).toBe(false);
    for (const allowed of [body, { ...body, runAhead: true }]) expect(parseCreate(allowed).spec()).not.toHaveProperty('runAhead');
    expect(refusedFields({ ...body, runAhead: 'no' })).toEqual(['runAhead']);
  });

  it('means nothing to a workflow, whose steps the application makes', () => {
    expect(refusedFields({ mode: 'workflow', name: 'w', runAhead: false })).toEqual(['runAhead']);
  });

  it('makes another message to a topic of the request only where it is forbidden', () => {
    const requested = (rest: object) => parseCreate({ mode: 'msg', steps: [{ action: 'topic://t' }], ...rest }).requested;
    expect(requested({ runAhead: true })).toBe(requested({}));
    expect(requested({ runAhead: false })).not.toBe(requested({}));
  });
});
