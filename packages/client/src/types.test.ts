/** What compiles and what must not; checked by `npm run check`. */
import type { ErrorCode } from '@amends/core';
import type * as wire from '@amends/wire';
import { describe, expectTypeOf, it } from 'vitest';
import type * as own from './api-types.ts';
import { barrier, type LocalDatabase } from './barrier.ts';
import type { AmendsClient } from './client.ts';
import type { ForwardSaga, Saga } from './saga.ts';

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

describe('the types of the API', () => {
  it("are the server's", () => {
    expectTypeOf<own.TransactionBody>().toEqualTypeOf<DeepReadonly<wire.TransactionBody>>();
    expectTypeOf<own.TransactionSummary>().toEqualTypeOf<DeepReadonly<wire.TransactionSummaryBody>>();
    expectTypeOf<own.TransactionList>().toEqualTypeOf<DeepReadonly<wire.TransactionListBody>>();
    expectTypeOf<own.HistoryEntry>().toEqualTypeOf<DeepReadonly<wire.HistoryEntryBody>>();
    expectTypeOf<own.History>().toEqualTypeOf<DeepReadonly<wire.HistoryBody>>();
    expectTypeOf<own.Health>().toEqualTypeOf<DeepReadonly<wire.HealthBody>>();
    expectTypeOf<own.Problem>().toEqualTypeOf<DeepReadonly<wire.ProblemBody>>();
    expectTypeOf<own.ServerErrorCode>().toEqualTypeOf<ErrorCode>();
    expectTypeOf<own.NewTransaction>().toEqualTypeOf<DeepReadonly<wire.NewTransaction>>();
    expectTypeOf<own.NewSaga>().toEqualTypeOf<DeepReadonly<wire.NewSaga>>();
    expectTypeOf<own.NewMessage>().toEqualTypeOf<DeepReadonly<wire.NewMessage>>();
    expectTypeOf<own.NewDelivery>().toEqualTypeOf<DeepReadonly<wire.NewDelivery>>();
    expectTypeOf<own.NewTcc>().toEqualTypeOf<DeepReadonly<wire.NewTcc>>();
    expectTypeOf<own.NewXa>().toEqualTypeOf<DeepReadonly<wire.NewXa>>();
    expectTypeOf<own.NewWorkflow>().toEqualTypeOf<DeepReadonly<wire.NewWorkflow>>();
    expectTypeOf<own.NewBranch>().toEqualTypeOf<DeepReadonly<wire.NewBranch>>();
    expectTypeOf<own.Conclusion>().toEqualTypeOf<DeepReadonly<wire.Conclusion>>();
    expectTypeOf<own.NewSubscription>().toEqualTypeOf<DeepReadonly<wire.NewSubscription>>();
    expectTypeOf<own.Topic>().toEqualTypeOf<DeepReadonly<wire.TopicBody>>();
    expectTypeOf<own.TopicList>().toEqualTypeOf<DeepReadonly<wire.TopicListBody>>();
    expectTypeOf<own.NewStep>().toEqualTypeOf<DeepReadonly<wire.NewStep>>();
  });

  it('tell a transaction by its outcome', () => {
    expectTypeOf<own.Transaction>().toExtend<DeepReadonly<wire.TransactionBody>>();
    expectTypeOf<own.Transaction['outcome']>().toEqualTypeOf<wire.TransactionBody['outcome']>();
    expectTypeOf<own.Transaction['status']>().toEqualTypeOf<wire.TransactionBody['status']>();
    expectTypeOf<Extract<own.Transaction, { outcome: 'failed' }>>().toEqualTypeOf<own.FailedTransaction>();
    expectTypeOf<own.SucceededTransaction['finishedAt']>().toEqualTypeOf<string>();
    expectTypeOf<own.RunningTransaction['finishedAt']>().toEqualTypeOf<null>();
  });
});

describe('the types of the builder', () => {
  const undoable = { action: 'http://a/do', compensate: 'http://a/undo' };
  const pivot = { kind: 'pivot', action: 'http://b/do' } as const;
  const retriable = { kind: 'retriable', action: 'http://c/do' } as const;

  it('know what may come next', () => {
    const compiles = (saga: Saga, forward: ForwardSaga, client: AmendsClient) => {
      expectTypeOf(client.saga().step(undoable)).toEqualTypeOf<Saga>();
      expectTypeOf(saga.step({ action: '', irreversible: true })).toEqualTypeOf<Saga>();
      expectTypeOf(saga.step(pivot)).toEqualTypeOf<ForwardSaga>();
      expectTypeOf(saga.step(retriable)).toEqualTypeOf<ForwardSaga>();
      expectTypeOf(forward.step(retriable)).toEqualTypeOf<ForwardSaga>();
      expectTypeOf(saga.submit()).resolves.toEqualTypeOf<own.Transaction>();
      // @ts-expect-error: neither a compensation nor the word that there is none
      saga.step({ action: 'http://a/do' });
      // @ts-expect-error: both
      saga.step({ ...undoable, irreversible: true });
      // @ts-expect-error: a pivot is never undone
      saga.step({ ...undoable, kind: 'pivot' });
      // @ts-expect-error: a misspelt key
      saga.step({ ...undoable, paylaod: 1 });
      // @ts-expect-error: past the point of no return nothing can be undone
      forward.step(undoable);
      // @ts-expect-error: there is one point of no return
      forward.step(pivot);
    };
    expectTypeOf(compiles).toBeFunction();
  });

  it('know which answers a payload can refer to', () => {
    const reserve = { name: 'reserve', keepAnswer: true, action: 'http://a/do', compensate: 'http://a/undo' } as const;
    const compiles = (saga: Saga) => {
      saga
        .step({ ...reserve, compensatePayload: (from) => ({ id: from('reserve', '$.id') }) })
        .step({
          ...undoable,
          name: 'kept-nothing',
          payload: (from) => ({ all: from('reserve'), first: from('reserve', '$[0].id') }),
        })
        .step({ ...pivot, name: 'pay', keepAnswer: true, payload: (from) => from('reserve', '$') })
        .step({ ...retriable, payload: (from) => [from('reserve', '$.id'), from('pay')] });
      expectTypeOf(saga.step(reserve)).toEqualTypeOf<Saga<'reserve'>>();
      expectTypeOf(saga.step({ ...reserve, keepAnswer: false })).toEqualTypeOf<Saga>();
      // @ts-expect-error: a misspelt name
      saga.step(reserve).step({ ...undoable, payload: (from) => from('reserv') });
      // @ts-expect-error: a step that keeps no answer
      saga.step({ ...undoable, name: 'look' }).step({ ...undoable, payload: (from) => from('look') });
      // @ts-expect-error: its own answer is not there before it is called
      saga.step({ ...reserve, payload: (from) => from('reserve') });
      // @ts-expect-error: not a path
      saga.step(reserve).step({ ...undoable, payload: (from) => from('reserve', 'id') });
      // @ts-expect-error: a pivot is never undone
      saga.step({ ...pivot, compensatePayload: {} });
    };
    expectTypeOf(compiles).toBeFunction();
  });

  it('keep promises out of the barrier', () => {
    const compiles = (db: LocalDatabase) => {
      const call = { gid: 'g', transType: 'saga', branchId: '01', op: 'action' };
      expectTypeOf(barrier(db, call, () => 5)).toEqualTypeOf<number | undefined>();
      // @ts-expect-error: the transaction would end before the promise
      barrier(db, call, async () => 5);
    };
    expectTypeOf(compiles).toBeFunction();
  });
});
