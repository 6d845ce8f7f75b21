/** What compiles and what must not; checked by `npm run check`. */
import type { ErrorCode } from '@amends/core';
import type * as wire from '@amends/wire/native';
import type { Redis } from 'ioredis';
import type { ClientSession, MongoClient } from 'mongodb';
import type { Pool as MysqlPool, PoolConnection } from 'mysql2/promise';
import type { Pool, PoolClient } from 'pg';
import { describe, expectTypeOf, it } from 'vitest';
import type * as own from './api/api-types.ts';
import { mongoBarrier } from './barriers/mongodb/mongodb.ts';
import { mysqlBarrier } from './barriers/mysql/mysql.ts';
import { postgresBarrier, postgresXa } from './barriers/postgres/postgres.ts';
import { redisBarrier } from './barriers/redis/redis.ts';
import { barrier, type LocalDatabase } from './barriers/sqlite/sqlite.ts';
import type { AmendsClient } from './client.ts';
import type { ForwardSaga, Saga } from './modes/saga.ts';
import type { RegisteredWorkflow, Workflow } from './modes/workflow/workflow.ts';
import type { Call } from './participants/call.ts';

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

describe('the types of the API', () => {
  it("are the server's", () => {
    expectTypeOf<own.TransactionBody>().toEqualTypeOf<DeepReadonly<wire.TransactionBody>>();
    expectTypeOf<own.TransactionSummary>().toEqualTypeOf<DeepReadonly<wire.TransactionSummaryBody>>();
    expectTypeOf<own.TransactionList>().toEqualTypeOf<DeepReadonly<wire.TransactionListBody>>();
    expectTypeOf<own.HistoryEntry>().toEqualTypeOf<DeepReadonly<wire.HistoryEntryBody>>();
    expectTypeOf<own.History>().toEqualTypeOf<DeepReadonly<wire.HistoryBody>>();
    expectTypeOf<own.AuditEntry>().toEqualTypeOf<DeepReadonly<wire.AuditEntryBody>>();
    expectTypeOf<own.Audit>().toEqualTypeOf<DeepReadonly<wire.AuditBody>>();
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

describe('the types of the modes', () => {
  it('carry the answers of branches and the results of workflows', () => {
    const compiles = async (client: AmendsClient) => {
      const branch = { try: 'http://a/try', confirm: '', cancel: '' };
      expectTypeOf(client.tcc((tcc) => tcc.call(branch))).resolves.toEqualTypeOf<own.Transaction>();
      expectTypeOf(client.xa((xa) => xa.call('http://a'))).resolves.toEqualTypeOf<own.Transaction>();
      // @ts-expect-error: nobody would know how to undo it
      await client.tcc((tcc) => tcc.call({ try: 'http://a/try', confirm: '' }));
      const resume = { resume: 'http://a/resume' };
      const order = client.workflow(
        'order',
        async (w, input: { readonly cents: number }) => {
          expectTypeOf(w.do('add', () => input.cents)).resolves.toEqualTypeOf<number>();
          expectTypeOf(w.do('add', async () => 'cents')).resolves.toEqualTypeOf<string>();
          expectTypeOf(w.fetch<{ id: number }>('http://a')).resolves.toEqualTypeOf<{ id: number }>();
          return `${input.cents}`;
        },
        resume,
      );
      expectTypeOf(order).toEqualTypeOf<RegisteredWorkflow<{ readonly cents: number }, string>>();
      expectTypeOf(order.run({ cents: 5 })).resolves.toEqualTypeOf<string>();
      // @ts-expect-error: another input
      await order.run({ dollars: 5 });
      // @ts-expect-error: nobody could have it go on
      client.workflow('order', async () => {});
    };
    expectTypeOf(compiles).toBeFunction();
  });

  it('refuse steps, inputs and results of workflows that JSON cannot hold', () => {
    const compiles = async (client: AmendsClient, w: Workflow) => {
      const resume = { resume: 'http://a/resume' };
      await w.do('void', () => {});
      await w.do('promise', async () => ({
        id: 1,
        seats: ['a', null],
        more: { deep: [{ deeper: undefined as string | undefined }] },
      }));
      await w.do('unknown', (): unknown => 1);
      await w.do('never', (): never => {
        throw new Error();
      });
      // @ts-expect-error: JSON has no BigInt
      await w.do('bigint', () => 1n);
      // @ts-expect-error: nor inside of an object
      await w.do('deep', async () => ({ rows: [{ cents: 1n as bigint | number }] }));
      // @ts-expect-error: a Date comes back as a text
      await w.do('date', () => new Date());
      // @ts-expect-error: a Map comes back empty
      await w.do('map', () => ({ seats: new Map<string, number>() }));
      // @ts-expect-error: a function comes back as nothing
      await w.do('function', () => () => 1);
      // @ts-expect-error: what it is begun with is kept too
      client.workflow('input', async (_w, _cents: bigint) => 1, resume);
      // @ts-expect-error: and what it returns
      client.workflow('result', async () => new Set([1]), resume);
    };
    expectTypeOf(compiles).toBeFunction();
  });

  it('know each database by what its driver calls a transaction', () => {
    const compiles = async (client: AmendsClient, pool: Pool, mysql: MysqlPool, redis: Redis, mongo: MongoClient) => {
      const call = { gid: 'g', transType: 'saga', branchId: '01', op: 'action' };
      const message = client.message().step({ action: 'http://a' });
      const how = { queryPrepared: 'http://a/ask' };
      await message.doAndSubmit(postgresBarrier(pool), (tx) => expectTypeOf(tx).toEqualTypeOf<PoolClient>(), how);
      await message.doAndSubmit(mysqlBarrier(mysql), (tx) => expectTypeOf(tx).toEqualTypeOf<PoolConnection>(), how);
      await message.doAndSubmit(mongoBarrier(mongo), (tx) => expectTypeOf(tx).toEqualTypeOf<ClientSession>(), how);
      await message.doAndSubmit(redisBarrier(redis), (tx) => expectTypeOf(tx.adjust('k', 1)).resolves.toBeString(), how);
      expectTypeOf(postgresBarrier(pool).run(call, async () => 5)).resolves.toEqualTypeOf<number | undefined>();
      client.xaBranch(postgresXa(pool), (tx, { body }: Call<number>) => [expectTypeOf(tx).toEqualTypeOf<PoolClient>(), body]);
      expectTypeOf(client.saga({ runAhead: false })).toEqualTypeOf<Saga>();
      client.message({ runAhead: false });
      await client.xa(() => {}, { runAhead: false });
      // @ts-expect-error: the steps of a workflow are the application's own
      client.workflow('travel', async () => {}, { resume: 'http://a/resume', runAhead: false });
      // @ts-expect-error: nobody could be asked
      await message.doAndSubmit(postgresBarrier(pool), () => {}, {});
    };
    expectTypeOf(compiles).toBeFunction();
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
