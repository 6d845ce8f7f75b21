import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkSagaSpec, defaultRetry, isAmendsError, limits, type SagaSpec, type SagaStep } from '../index.ts';

const step: SagaStep = {
  kind: 'compensatable',
  action: 'http://x/do',
  compensate: 'http://x/undo',
  timeoutMs: 3_000,
  actionRetry: defaultRetry,
  compensateRetry: defaultRetry,
  after: [],
};
const pivot: SagaStep = { ...step, kind: 'pivot', compensate: '' };
const retriable: SagaStep = { ...step, kind: 'retriable', compensate: '' };

function saga(steps: readonly SagaStep[], rest: Partial<SagaSpec> = {}): SagaSpec {
  const payloads = steps.map(() => new Uint8Array());
  return {
    mode: 'saga',
    steps,
    payloads,
    timeoutMs: null,
    timeoutReason: '',
    alarmAfterMs: null,
    headers: {},
    face: 'native',
    trace: null,
    presentation: {},
    ...rest,
  };
}

function serial(...steps: SagaStep[]): SagaStep[] {
  return steps.map((each, index) => ({ ...each, after: index === 0 ? [] : [index - 1] }));
}

function complaintAbout(spec: SagaSpec): string {
  try {
    checkSagaSpec(spec);
  } catch (error) {
    if (isAmendsError(error, 'invalid_request')) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('a saga whose payloads refer to answers', () => {
  const keeper: SagaStep = { ...step, name: 'reserve', keepAnswer: true };
  const template = [{ from: 'reserve', path: ['id'] }];
  const concurrent = (...steps: SagaStep[]) => steps;
  const referring = (steps: readonly SagaStep[], index: number) =>
    saga(steps, { templates: steps.map((_, other) => (other === index ? template : null)) });
  const undone = (steps: readonly SagaStep[]) =>
    saga([{ ...steps[0]!, compensatePayload: steps.length }, ...steps.slice(1)], {
      payloads: [...steps, step].map(() => new Uint8Array()),
      templates: [...steps.map(() => null), template],
    });

  test('may refer to what comes before, however far, and in its compensation to its own action', () => {
    expect(complaintAbout(referring(serial(keeper, step, step), 2))).toBe('accepted');
    expect(complaintAbout(undone(serial(keeper, step)))).toBe('accepted');
  });

  test.each([
    ['to nobody', referring(serial(step, step), 1), /^steps\[1\]\.payload: refers to the step "reserve", which is not there/],
    [
      'to a step that keeps nothing',
      referring(serial({ ...step, name: 'reserve' }, step), 1),
      /^steps\[1\]\.payload: refers to the answer of "reserve", which does not keep it/,
    ],
    ['to a later step', referring(serial(step, keeper), 0), /^steps\[0\]\.payload: .*does not come before it/],
    ['to a step beside it', referring(concurrent(keeper, step), 1), /^steps\[1\]\.payload: .*name it in after/],
    ['to itself', referring(serial(keeper), 0), /^steps\[0\]\.payload: .*own step; only compensatePayload can/],
    [
      'to a later step in its compensation',
      undone(serial({ ...step, name: 'x' }, keeper)),
      /^steps\[0\]\.compensatePayload: .*does not come before it/,
    ],
    ['by a name that two have', saga(serial(keeper, keeper)), /^steps\[1\]\.name: is "reserve", as that of a step before it/],
    ['by a name that is none', saga([{ ...step, name: 'a b' }]), /^steps\[0\]\.name: is "a b", must be at most 64 letters/],
    ['to a step without a name', saga([{ ...step, keepAnswer: true }]), /^steps\[0\]\.keepAnswer: .*without a name/],
    ['to a step that calls nobody', saga([{ ...keeper, action: '' }]), /^steps\[0\]\.keepAnswer: .*calls nobody/],
  ])('must not refer %s', (_what, spec, complaint) => {
    expect(complaintAbout(spec)).toMatch(complaint);
  });
});

describe('a saga is refused, with the field named,', () => {
  test.each([
    ['with an alarm at once', saga([step], { alarmAfterMs: 0 }), /^alarmAfterMs: is 0, must be a whole number from 1/],
    ['without steps', saga([]), /^steps: must have at least one/],
    [
      'with too many steps',
      saga(Array.from({ length: limits.branchesMax + 1 }, () => step)),
      /^steps: has 1001 steps, at most 1000/,
    ],
    [
      'with fewer payloads than steps',
      saga([step, step], { payloads: [new Uint8Array()] }),
      /^payloads: has 1 entries for 2 steps/,
    ],
    [
      'with payloads too large',
      saga([step], { payloads: [new Uint8Array(limits.payloadBytesMax + 1)] }),
      /^payloads: have \d+ bytes/,
    ],
    ['with a time-out of nothing', saga([step], { timeoutMs: 0 }), /^timeoutMs: is 0/],
    ['with a call time-out that is no number', saga([{ ...step, timeoutMs: Number.NaN }]), /^steps\[0\]\.timeoutMs/],
    [
      'with a pause too long',
      saga([{ ...step, actionRetry: { ...defaultRetry, delayMs: 1e12 } }]),
      /^steps\[0\]\.retry\.delayMs/,
    ],
    ['that waits for a step that is not there', saga([{ ...step, after: [1] }]), /^steps\[0\]\.after: names step 1/],
    ['that waits for itself', saga([{ ...step, after: [0] }]), /^steps\[0\]\.after: names the step itself/],
    ['that names a step twice', saga([step, { ...step, after: [0, 0] }]), /^steps\[1\]\.after: names step 0 twice/],
    [
      'that goes in a circle',
      saga([
        { ...step, after: [1] },
        { ...step, after: [0] },
      ]),
      /cycle/,
    ],
    ['with a pivot that has a compensation', saga([{ ...pivot, compensate: 'http://x' }]), /^steps\[0\]\.compensate: a pivot/],
    ['with two pivots', saga(serial(pivot, pivot)), /^steps\[1\]\.kind: is a second pivot/],
    ['with something to undo after the pivot', saga(serial(pivot, step)), /^steps\[0\]\.kind: is pivot, but step 1/],
    ['with something to undo beside the pivot', saga([step, pivot]), /^steps\[1\]\.kind: is pivot, but step 0/],
    [
      'with a retriable step before the pivot',
      saga(serial(step, retriable, pivot)),
      /^steps\[1\]\.kind: is retriable, but step 2/,
    ],
    [
      'with a pivot that gives up by rolling back',
      saga([{ ...pivot, actionRetry: { ...defaultRetry, attemptsMax: 2, atEnd: 'roll-back' } }]),
      /^steps\[0\]\.retry\.atEnd/,
    ],
    [
      'with a compensation that gives up by rolling back',
      saga([{ ...step, compensateRetry: { ...defaultRetry, attemptsMax: 2, atEnd: 'roll-back' } }]),
      /^steps\[0\]\.compensateRetry\.atEnd/,
    ],
  ])('%s', (_, spec, complaint) => {
    expect(complaintAbout(spec)).toMatch(complaint);
  });
});

describe('a saga is accepted', () => {
  test.each([
    ['with one step', saga([step])],
    ['with compensatable steps, a pivot, retriable ones', saga(serial(step, step, pivot, retriable, retriable))],
    ['with concurrent steps before the pivot', saga([step, step, { ...pivot, after: [0, 1] }, { ...retriable, after: [2] }])],
    [
      'with 1,000 steps that wait for all before them',
      saga(Array.from({ length: 300 }, (_, i) => ({ ...step, after: upTo(i) }))),
    ],
  ])('%s', (_, spec) => {
    expect(complaintAbout(spec)).toBe('accepted');
  });

  test('for every graph whose arrows point backwards', () => {
    const graph = fc.array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(graph, (arrows) => {
        const steps = arrows.map((targets, i) => ({ ...step, after: i === 0 ? [] : [...new Set(targets.map((t) => t % i))] }));
        expect(complaintAbout(saga(steps))).toBe('accepted');
      }),
    );
  });
});

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
