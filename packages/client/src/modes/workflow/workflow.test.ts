import { once } from 'node:events';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { serve } from '@hono/node-server';
import express from 'express';
import { Hono } from 'hono';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freshGid } from '../../../tests/databases.ts';
import { openStage, type Stage } from '../../../tests/stage.ts';
import type { OnlyJson } from '../../barriers/kept-json.ts';
import { AmendsClient } from '../../client.ts';
import { participant as inExpress } from '../../participants/express.ts';
import { participant as inHono } from '../../participants/hono.ts';
import { BusinessFailure, type Handler, Ongoing } from '../../participants/verdict.ts';
import type { Workflow, WorkflowFunction } from './workflow.ts';

let stage: Stage;
let gid: string;
let log: string[] = [];
beforeAll(async () => {
  stage = await openStage({ routes: (client) => ({ '/resume': client.resumeWorkflows() }) });
});
afterAll(() => stage.close());
beforeEach(() => {
  gid = freshGid();
  log = [];
});

let names = 0;
function workflow<Input, Result>(
  work: WorkflowFunction<Input, Result> & OnlyJson<Input> & OnlyJson<Result>,
  client = stage.client,
  name = `w${names++}`,
) {
  return client.workflow(name, work, { resume: `${stage.app}/resume`, retryDelayMs: 1_000 });
}

/** A step that notes what becomes of it. */
function noted(w: Workflow, name: string, act: () => unknown = () => name): Promise<unknown> {
  const note = (what: string) => () => void log.push(`${what} ${name}`);
  const doing = () => {
    log.push(`do ${name}`);
    return act();
  };
  return w.do(name, doing, { onRollback: note('undo'), onCommit: note('commit') });
}
const refuse = () => {
  throw new BusinessFailure('sold out');
};
/** Breaks the first time. */
function breaking(): () => string {
  let broken = false;
  return () => {
    if (broken) return 'well';
    broken = true;
    throw new Error('power cut');
  };
}

describe('a workflow', () => {
  it('gives what its function returns, and completes its steps in reverse order', async () => {
    const order = workflow(async (w, input: { cents: number }) => {
      const a = await noted(w, 'a');
      await noted(w, 'b');
      return { a, cents: input.cents };
    });
    expect(await order.run({ cents: 5 }, { gid })).toEqual({ a: 'a', cents: 5 });
    expect(log).toEqual(['do a', 'do b', 'commit b', 'commit a']);
    expect(await stage.client.get(gid)).toMatchObject({ outcome: 'succeeded', mode: 'workflow' });
  });

  it('gives the same when it is run again under its gid, without doing anything', async () => {
    const order = workflow((w) => noted(w, 'a'));
    expect([await order.run(null, { gid }), await order.run(null, { gid })]).toEqual(['a', 'a']);
    expect(log).toEqual(['do a', 'commit a']);
  });

  it('undoes its steps in reverse order when a step refuses, but for that step', async () => {
    const order = workflow(async (w) => {
      await noted(w, 'a');
      await noted(w, 'b');
      await noted(w, 'c', refuse);
    });
    for (let i = 0; i < 2; i++) await expect(order.run(null, { gid })).rejects.toThrow(new BusinessFailure('sold out'));
    expect(log).toEqual(['do a', 'do b', 'do c', 'undo b', 'undo a']);
    expect(await stage.client.get(gid)).toMatchObject({ outcome: 'failed', reason: 'sold out' });
  });

  it('undoes the step that refuses where it says so', async () => {
    const undone: string[] = [];
    const order = workflow((w) => w.do('a', refuse, { onRollback: (call) => undone.push(call.op), rollBackRefused: true }));
    await expect(order.run(null)).rejects.toThrow('sold out');
    expect(undone).toEqual(['rollback']);
  });

  it('goes on after a crash where it was: recorded steps are not done again (RUN-1)', async () => {
    const act = breaking();
    const order = workflow(async (w) => {
      await noted(w, 'a');
      return noted(w, 'b', act);
    });
    await expect(order.run(null, { gid })).rejects.toThrow('power cut');
    expect(await stage.client.get(gid)).toMatchObject({ outcome: 'running' });
    expect(await order.run(null, { gid })).toBe('well');
    expect(log).toEqual(['do a', 'do b', 'do b', 'commit b', 'commit a']);
  });

  it('is taken up by the coordinator, with its input, when nobody else does', async () => {
    const act = breaking();
    const order = workflow(async (w, input: string) => `${await noted(w, 'a', act)}, ${input}`);
    await expect(order.run('ann', { gid })).rejects.toThrow('power cut');
    expect(await stage.client.wait(gid, { waitMs: 20_000 })).toMatchObject({ outcome: 'succeeded' });
    expect(await order.run('ann', { gid })).toBe('well, ann');
    expect(log).toEqual(['do a', 'do a', 'commit a']);
  });

  it('keeps to what was decided when its second phase breaks off (RUN-2)', async () => {
    const act = breaking();
    const order = workflow(async (w) => {
      await w.do('a', () => 1, { onRollback: () => void log.push('undo a') });
      await w.do('b', () => 2, { onRollback: () => void log.push(`undo b ${act()}`) });
      if (log.length === 0) throw new BusinessFailure('changed my mind');
      await w.do('c', () => log.push('do c'));
    });
    log = [];
    await expect(order.run(null, { gid })).rejects.toThrow('power cut');
    log.push('again');
    await expect(order.run(null, { gid })).rejects.toThrow('changed my mind');
    expect(log).toEqual(['again', 'undo b well', 'undo a']);
  });

  it('does not decide before every step that was begun has an answer (RUN-3)', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const order = workflow(async (w) => {
      await Promise.all([
        noted(w, 'slow', () => held),
        noted(w, 'quick', () => {
          setImmediate(release);
          return refuse();
        }),
      ]);
    });
    await expect(order.run(null)).rejects.toThrow('sold out');
    expect(log).toEqual(['do slow', 'do quick', 'undo slow']);
  });

  it('is not ended while a step has no verdict, even if its function passes over that', async () => {
    const order = workflow(async (w) => {
      await noted(w, 'a', () => {
        throw new Ongoing('not paid yet');
      }).catch(() => {});
      return 'done';
    });
    await expect(order.run(null, { gid })).rejects.toThrow('not paid yet');
    expect(await stage.client.get(gid)).toMatchObject({ outcome: 'running' });
    await stage.client.terminate(gid, { reason: 'the test is over' });
  });

  it('goes by what the first of two runs has recorded (RUN-4)', async () => {
    const other = new AmendsClient({ server: stage.server.url });
    let arrived = 0;
    let release = () => {};
    const both = new Promise<void>((resolve) => {
      release = resolve;
    });
    const work = async (w: Workflow) =>
      w.do('draw', async () => {
        arrived++;
        if (arrived === 2) release();
        await both;
        return { number: arrived, by: freshGid() };
      });
    const name = `race${names++}`;
    const [one, two] = await Promise.all([
      workflow(work, stage.client, name).run(null, { gid }),
      workflow(work, other, name).run(null, { gid }),
    ]);
    expect(one).toEqual(two);
    await other.close();
  });

  it('says so when its function has changed', async () => {
    const act = breaking();
    const first = workflow(async (w) => {
      await w.do('reserve', () => 1);
      await w.do('pay', act);
    });
    await expect(first.run(null, { gid })).rejects.toThrow('power cut');
    const other = new AmendsClient({ server: stage.server.url });
    const changed = workflow((w) => w.do('pay', () => 1), other, first.name);
    await expect(changed.run(null, { gid })).rejects.toThrow('the step 01 is pay, but reserve is recorded');
    await stage.client.terminate(gid, { reason: 'the test is over' });
    await other.close();
  });

  it('goes on in a newer version of the application, which would begin it with other options', async () => {
    const step = breaking();
    const first = workflow((w) => w.do('pay', step));
    await expect(first.run(null, { gid })).rejects.toThrow('power cut');
    const newer = new AmendsClient({ server: stage.server.url });
    const options = { resume: `${stage.app}/elsewhere`, callTimeoutMs: 2_000, headers: { 'x-version': '2' } };
    const order = newer.workflow(first.name, (w) => w.do('pay', step), options);
    expect(await order.run(null, { gid })).toBe('well');
    await newer.close();
  });

  it.each([
    ['a BigInt', 1n, 'BigInt'],
    ['a function', () => {}, 'function'],
    ['a Map inside of it', { seats: new Map() }, 'Map'],
    ['more than a coordinator takes', 'x'.repeat(1_100_000), 'cannot be kept'],
    ['a key that a coordinator refuses', { constructor: 1 }, 'cannot be kept'],
  ])('does a step that returns %s once, undoes it, and fails with the reason', async (_what, result, reason) => {
    const order = workflow(async (w) => {
      await noted(w, 'a');
      await noted(w, 'b', () => result);
      await noted(w, 'c');
    });
    for (let i = 0; i < 2; i++) await expect(order.run(null, { gid })).rejects.toThrow(reason);
    expect(log).toEqual(['do a', 'do b', 'undo b', 'undo a']);
    expect(await stage.client.get(gid)).toMatchObject({ outcome: 'failed', reason: expect.stringContaining(reason) });
  });

  it.each([
    ['a BigInt', { cents: 1n }],
    ['more than a coordinator takes', 'x'.repeat(1_100_000)],
  ])('is undone when it returns %s', async (_what, result) => {
    const order = workflow<null, unknown>(async (w) => {
      await noted(w, 'a');
      return result;
    });
    await expect(order.run(null, { gid })).rejects.toThrow(BusinessFailure);
    expect(log).toEqual(['do a', 'undo a']);
    expect(await stage.client.get(gid)).toMatchObject({ outcome: 'failed' });
  });

  it('ends, however long the reason is', async () => {
    const order = workflow(async () => {
      throw new BusinessFailure(`sold out\0 ${'x'.repeat(5_000)}`);
    });
    await expect(order.run(null, { gid })).rejects.toThrow('sold out');
    expect(await stage.client.get(gid)).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('sold out') });
  });

  it('takes its 100th step, and more', async () => {
    const order = workflow(async (w) => {
      let sum = 0;
      for (let i = 1; i <= 120; i++) sum += await w.do(`step ${i}`, () => i);
      return sum;
    });
    expect(await order.run(null, { gid })).toBe(7_260);
    const { progress } = await stage.client.get(gid);
    expect(progress.filter(({ op }) => op === 'action').map(({ branchId }) => branchId)).toEqual(
      expect.arrayContaining(['01', '99', '100', '120']),
    );
  });

  it('is undone where there is no room for another step', async () => {
    const order = workflow(async (w) => {
      await noted(w, 'first');
      await Promise.all(Array.from({ length: 1_000 }, (_, i) => w.do(`step ${i}`, () => i)));
    });
    await expect(order.run(null, { gid })).rejects.toThrow('no room for the step');
    expect(log).toEqual(['do first', 'undo first']);
    expect(await stage.client.get(gid)).toMatchObject({ outcome: 'failed' });
  }, 60_000);

  it('is the same run when the keys of its input come in another order', async () => {
    const order = workflow((w, input: Readonly<Record<string, number>>) => noted(w, `${input['a']}`));
    await order.run({ a: 1, b: 2 }, { gid });
    expect(await order.run({ b: 2, a: 1 }, { gid })).toBe('1');
    expect(log).toEqual(['do 1', 'commit 1']);
  });

  it('refuses a gid that belongs to a run with another input, or of another workflow', async () => {
    const order = workflow((w, input: number) => noted(w, `${input}`));
    await order.run(1, { gid });
    await expect(order.run(2, { gid })).rejects.toMatchObject({ code: 'conflict', gid });
    await expect(workflow(async () => {}).run(null, { gid })).rejects.toMatchObject({ code: 'conflict', gid });
    expect(log).toEqual(['do 1', 'commit 1']);
  });

  it('can be given up by its caller', async () => {
    const giveUp = new AbortController();
    const order = workflow(async (w) => {
      giveUp.abort();
      await w.fetch(`${stage.app}/ok`);
    });
    await expect(order.run(null, { gid, signal: giveUp.signal })).rejects.toThrow();
    expect(await stage.client.get(gid)).toMatchObject({ outcome: 'running' });
    await stage.client.terminate(gid, { reason: 'the test is over' });
  });
});

describe('a step that calls a participant', () => {
  it('gives its answer, and is completed by address', async () => {
    const order = workflow((w) => w.fetch<{ branch: string }>(`${stage.app}/ok`, { payload: 1, onCommit: `${stage.app}/ok` }));
    expect(await order.run(null, { gid })).toEqual({ branch: '01' });
    expect(stage.callsOf(gid)).toEqual(['ok action 01', 'ok commit 01']);
  });

  it('is undone by address when another refuses', async () => {
    const order = workflow(async (w) => {
      await w.fetch(`${stage.app}/ok`, { payload: 1, onRollback: `${stage.app}/ok` });
      await w.fetch(`${stage.app}/refuse`, { onRollback: `${stage.app}/ok` });
    });
    await expect(order.run(null, { gid })).rejects.toThrow('sold out');
    expect(stage.callsOf(gid)).toEqual(['ok action 01', 'refuse action 02', 'ok rollback 01']);
  });
});

describe('the resume handler', () => {
  it.each([
    [
      'Express',
      async (handler: Handler) => {
        const server = express()
          .post('/', express.json({ strict: false }), inExpress(handler))
          .listen(0, '127.0.0.1');
        await once(server, 'listening');
        return server;
      },
    ],
    [
      'Hono',
      async (handler: Handler) => {
        const { fetch } = new Hono().post('/', inHono(handler));
        const server = serve({ fetch, hostname: '127.0.0.1', port: 0 }) as NetServer;
        await once(server, 'listening');
        return server;
      },
    ],
  ])('works in %s as it does in Fastify', async (_name, listen) => {
    const act = breaking();
    const client = new AmendsClient({ server: stage.server.url });
    const server = await listen(client.resumeWorkflows());
    const resume = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const order = client.workflow('order', (w, _input: string) => noted(w, 'a', act), { resume, retryDelayMs: 1_000 });
    await expect(order.run('ann', { gid })).rejects.toThrow('power cut');
    expect(await client.wait(gid, { waitMs: 20_000 })).toMatchObject({ outcome: 'succeeded' });
    expect(log).toEqual(['do a', 'do a', 'commit a']);
    await client.close();
    server.close();
  });
});

describe('the registry', () => {
  it('refuses a name that is taken', () => {
    const { name } = workflow(async () => {});
    expect(() => workflow(async () => {}, stage.client, name)).toThrow(name);
  });

  it('does not know others', async () => {
    await expect(async () =>
      stage.client.resumeWorkflows()({ gid, transType: 'workflow', branchId: '00', op: 'nobody', body: 1 }),
    ).rejects.toThrow('no workflow nobody');
  });
});
