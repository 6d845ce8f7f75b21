import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshGid } from '../../tests/databases.ts';
import { openStage, type Stage } from '../../tests/stage.ts';
import { ParticipantError } from '../participants/participant-request.ts';
import { BusinessFailure, Ongoing } from '../participants/verdict.ts';
import type { Tcc } from './tcc.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({
    routes: (client) => ({
      '/nested': async (call) => {
        const tcc = client.joinTcc(call);
        return [await tcc.call(branch()), await tcc.call(branch())];
      },
    }),
  });
});
afterAll(() => stage.close());

const branch = () => ({ try: `${stage.app}/ok`, confirm: `${stage.app}/ok`, cancel: `${stage.app}/ok`, payload: { cents: 5 } });
const trying = (path: string) => ({ ...branch(), try: `${stage.app}${path}` });

describe('a TCC transaction', () => {
  it('confirms what was tried, with the answers of the tries', async () => {
    const gid = freshGid();
    const answers: unknown[] = [];
    const work = async (tcc: Tcc) => {
      answers.push(await tcc.call(branch()), await tcc.call(branch()));
    };
    expect(await stage.client.tcc(work, { gid, waitMs: 5_000 })).toMatchObject({ gid, outcome: 'succeeded', mode: 'tcc' });
    expect(answers).toEqual([{ branch: '01' }, { branch: '02' }]);
    expect(stage.callsOf(gid)).toEqual(['ok try 01', 'ok try 02', 'ok confirm 02', 'ok confirm 01']);
  });

  it.each([
    ['a try refuses', '/refuse', BusinessFailure],
    ['a try is not decided', '/later', Ongoing],
    ['a try breaks', '/broken', ParticipantError],
  ])('cancels everything when %s, and throws what has happened', async (_what, path, error) => {
    const gid = freshGid();
    const run = stage.client.tcc(
      async (tcc) => {
        await tcc.call(branch());
        await tcc.call(trying(path));
      },
      { gid },
    );
    await expect(run).rejects.toThrow(error);
    expect(await stage.client.wait(gid, { waitMs: 5_000 })).toMatchObject({
      outcome: 'failed',
      reason: expect.stringMatching(/\w/),
    });
    expect(stage.callsOf(gid).slice(2)).toEqual(['ok cancel 02', 'ok cancel 01']);
  });

  it('cancels everything when the application throws, and when it gives up', async () => {
    const gid = freshGid();
    const giveUp = new AbortController();
    const run = stage.client.tcc(
      async (tcc) => {
        await tcc.call(branch());
        giveUp.abort();
        await tcc.call(branch());
      },
      { gid, signal: giveUp.signal },
    );
    await expect(run).rejects.toMatchObject({ code: 'aborted' });
    expect(await stage.client.wait(gid, { waitMs: 5_000 })).toMatchObject({ outcome: 'failed' });
    expect(stage.callsOf(gid)).toEqual(['ok try 01', 'ok cancel 01']);
  });

  it('is not confirmed when a try has failed, even if the application passes over that', async () => {
    const gid = freshGid();
    const run = stage.client.tcc((tcc) => tcc.call(trying('/refuse')).catch(() => {}), { gid });
    await expect(run).rejects.toThrow('sold out');
    expect(await stage.client.wait(gid, { waitMs: 5_000 })).toMatchObject({ outcome: 'failed' });
  });

  it('waits for tries that the application does not wait for', async () => {
    const gid = freshGid();
    const work = (tcc: Tcc) => {
      void tcc.call(branch());
      void tcc.call(trying('/refuse'));
    };
    await expect(stage.client.tcc(work, { gid })).rejects.toThrow('sold out');
    await stage.client.wait(gid, { waitMs: 5_000 });
    expect(stage.callsOf(gid).slice(0, 2).sort()).toEqual(['ok try 01', 'refuse try 02']);
    expect(stage.callsOf(gid).slice(2).sort()).toEqual(['ok cancel 01', 'ok cancel 02']);
  });

  it('is rolled back by the coordinator when its application is silent for too long, and takes no branch after that', async () => {
    const gid = freshGid();
    const run = stage.client.tcc(
      async (tcc) => {
        await tcc.call(branch());
        await stage.client.wait(gid, { waitMs: 10_000 });
        await tcc.call(branch());
      },
      { gid, timeoutMs: 1_000 },
    );
    await expect(run).rejects.toMatchObject({ code: 'conflict', gid });
    expect(stage.callsOf(gid)).toEqual(['ok try 01', 'ok cancel 01']);
  });

  it('gives branches branches of their own', async () => {
    const gid = freshGid();
    await stage.client.tcc((tcc) => tcc.call(trying('/nested')), { gid, waitMs: 5_000 });
    expect(stage.callsOf(gid)).toEqual([
      'nested try 01',
      'ok try 0101',
      'ok try 0102',
      'ok confirm 0102',
      'ok confirm 0101',
      'ok confirm 01',
    ]);
  });

  it('can be driven by hand, each step as often as one likes', async () => {
    const { client, app } = stage;
    const open = await client.begin('tcc');
    const again = await client.begin('tcc', { gid: open.gid });
    const own = { branchId: '01', confirm: `${app}/ok`, cancel: `${app}/ok`, payload: 1 };
    await open.register(own);
    await again.register(own);
    await expect(open.register({ ...own, payload: 2 })).rejects.toMatchObject({ code: 'conflict' });
    expect(await open.callBranch(`${app}/ok`, { branchId: '01', op: 'try' }, { payload: 1 })).toEqual({ branch: '01' });
    expect(await open.submit({ waitMs: 5_000 })).toMatchObject({ outcome: 'succeeded' });
    expect(await again.submit()).toMatchObject({ outcome: 'succeeded' });
    await expect(open.abort('too late')).rejects.toMatchObject({ code: 'conflict' });
  });
});
