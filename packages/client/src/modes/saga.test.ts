import { describe, expect, it } from 'vitest';
import type { NewSaga, Transaction } from '../api/api-types.ts';
import { emptySaga, type Saga, type SagaStep } from './saga.ts';

const sent: NewSaga[] = [];

function saga(): Saga {
  sent.length = 0;
  return emptySaga({ timeoutMs: 5_000, headers: { 'x-shop': '7' }, concurrent: true }, async (built) => {
    sent.push(built);
    return {} as Transaction;
  });
}

/** As somebody would write it who has no types. */
function untyped(steps: readonly object[]): unknown {
  let built = saga();
  for (const step of steps) built = built.step(step as SagaStep & { kind: 'compensatable'; compensate: string });
  return built;
}

const undoable = { action: 'http://a/do', compensate: 'http://a/undo' };
const pivot = { kind: 'pivot', action: 'http://b/do' } as const;
const retriable = { kind: 'retriable', action: 'http://c/do' } as const;

describe('the saga builder', () => {
  it('sends the steps in order, with an empty object for a payload that was left out', async () => {
    await saga()
      .step({ ...undoable, payload: null, after: [] })
      .step({ action: 'http://a/look', irreversible: true })
      .step(pivot)
      .step(retriable)
      .submit();
    expect(sent).toEqual([
      {
        mode: 'saga',
        timeoutMs: 5_000,
        headers: { 'x-shop': '7' },
        concurrent: true,
        steps: [
          { ...undoable, payload: null, after: [] },
          { action: 'http://a/look', payload: {} },
          { ...pivot, payload: {} },
          { ...retriable, payload: {} },
        ],
      },
    ]);
  });

  it('sends functions of answers as references', async () => {
    await saga()
      .step({
        ...undoable,
        name: 'reserve',
        keepAnswer: true,
        compensatePayload: (from) => ({ id: from('reserve', '$.id') }),
      })
      .step({ ...undoable, payload: (from) => ({ ids: [from('reserve', '$.items[0].id')], all: from('reserve') }) })
      .submit();
    expect(sent[0]!.steps).toEqual([
      {
        ...undoable,
        name: 'reserve',
        keepAnswer: true,
        payload: {},
        compensatePayload: { id: { $from: 'reserve', path: '$.id' } },
      },
      { ...undoable, payload: { ids: [{ $from: 'reserve', path: '$.items[0].id' }], all: { $from: 'reserve', path: '$' } } },
    ]);
  });

  it('is immutable: two sagas can grow from one', async () => {
    const trunk = saga().step(undoable);
    const branch = trunk.step(pivot);
    await trunk.submit();
    await branch.submit();
    expect(sent.map(({ steps }) => steps.length)).toEqual([1, 2]);
  });

  it.each([
    ['no compensation', [undoable, { action: 'http://a/look' }], 'steps[1].compensate', /http:\/\/a\/look.*irreversible: true/],
    ['an empty compensation', [{ ...undoable, compensate: '' }], 'steps[0].compensate', /irreversible: true/],
    ['what can be undone after a pivot', [pivot, undoable], 'steps[1].kind', /http:\/\/a\/do.*cannot follow a pivot/],
    ['what can be undone after a retriable step', [retriable, undoable], 'steps[1].kind', /cannot follow a retriable/],
    ['a pivot after a retriable step', [retriable, pivot], 'steps[1].kind', /cannot follow a retriable/],
    ['a second pivot', [pivot, pivot], 'steps[1].kind', /only retriable steps can/],
    ['a pivot with a compensation', [{ ...undoable, kind: 'pivot' }], 'steps[0].compensate', /never undone/],
    ['an unknown kind', [{ ...undoable, kind: 'magic' }], 'steps[0].kind', /magic/],
  ])('refuses %s, naming the step', (_what, steps, field, message) => {
    expect(() => untyped(steps)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        message: expect.stringMatching(message),
        errors: [expect.objectContaining({ field })],
      }),
    );
  });
});
