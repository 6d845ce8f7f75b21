import { decorated, openMemoryStore } from '@amends/store';
import { describe, expect, it } from 'vitest';
import { deadAddress, participant } from '../testing/participant.ts';
import { type RunningServer, runningServer } from '../testing/running-server.ts';
import { scratchFolder } from '../testing/scratch.ts';

const success = { status: 200, body: { dtm_result: 'SUCCESS' } };
const says = (message: string) => ({ status: 500, body: { message } });

function topics(amends: RunningServer) {
  const get = (path: string, query: Record<string, string>) => amends.get(`/api/dtmsvr/${path}?${new URLSearchParams(query)}`);
  return {
    subscribe: (topic: string, url: string, remark = '') => get('subscribe', { topic, url, remark }),
    unsubscribe: (topic: string, url: string) => get('unsubscribe', { topic, url }),
    remove: (topic: string) => amends.ask('DELETE', `/api/dtmsvr/topic/${topic}`),
    kv: async (key: string) => (await get('queryKV', { cat: 'topics', key })).body.kv,
    scan: async (query: Record<string, string>) => (await get('scanKV', { cat: 'topics', ...query })).body,
    publish: (gid: string, topic: string) =>
      amends.post('/api/dtmsvr/submit', {
        gid,
        trans_type: 'msg',
        steps: [{ action: `topic://${topic}` }],
        payloads: ['{}'],
        wait_result: true,
      }),
  };
}

const stores = [
  ['memory', () => 'memory:'],
  ['SQLite', () => `sqlite:${scratchFolder()}/amends.db`],
] as const;

describe('topics of DTM', () => {
  it.each(stores)('are subscribed to, unsubscribed from and deleted, with the words of DTM: %s', async (_name, store) => {
    const { subscribe, unsubscribe, remove, kv } = topics(await runningServer({ store: store() }));
    expect(await subscribe('', 'http://a/')).toMatchObject(says('empty topic'));
    expect(await subscribe('t', '')).toMatchObject(says('empty url'));
    expect(await subscribe('t', 'http://a/', 'first')).toMatchObject(success);
    expect(await subscribe('t', 'http://a/')).toMatchObject(says('this url exists'));
    expect(await subscribe('t', 'localhost:58080/busi.Busi/TransIn')).toMatchObject(success);
    expect(await kv('t')).toEqual([
      {
        id: expect.any(Number),
        create_time: expect.stringMatching(/Z$/),
        update_time: expect.stringMatching(/Z$/),
        cat: 'topics',
        k: 't',
        v: '[{"url":"http://a/","remark":"first"},{"url":"localhost:58080/busi.Busi/TransIn","remark":""}]',
        version: 2,
      },
    ]);
    expect(await unsubscribe('none', 'http://a/')).toMatchObject(says('no such a topic'));
    expect(await unsubscribe('t', 'http://b/')).toMatchObject(says('no such an url '));
    expect(await unsubscribe('t', 'http://a/')).toMatchObject(success);
    expect(await unsubscribe('t', 'localhost:58080/busi.Busi/TransIn')).toMatchObject(success);
    expect(await unsubscribe('t', 'http://a/')).toMatchObject(says('this topic is empty'));
    expect(await kv('t')).toMatchObject([{ v: '[]', version: 4 }]);
    expect(await remove('t')).toMatchObject(success);
    expect(await remove('t')).toMatchObject(says('storage: NotFound'));
    expect(await kv('t')).toEqual([]);
  });

  it('made again after they were deleted go on with a higher version, and forget their old subscribers', async () => {
    const { subscribe, remove, kv, publish } = topics(await runningServer());
    const bank = await participant();
    await subscribe('t', `${bank.url}/old`);
    await remove('t');
    expect(await publish('g1', 't')).toMatchObject({ body: { message: 'topic not found' } });
    await subscribe('t', `${bank.url}/new`);
    expect(await kv('t')).toMatchObject([{ version: 3 }]);
    expect(await publish('g2', 't')).toMatchObject(success);
    expect(bank.calls).toEqual(['action /new']);
  });

  it.each(stores)('lose nothing when twenty subscribe at once: %s', async (_name, store) => {
    const { subscribe, kv } = topics(await runningServer({ store: store() }));
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => subscribe('t', `http://a/${index}`)));
    expect(answers.map(({ status }) => status)).toEqual(new Array(20).fill(200));
    const [topic] = await kv('t');
    expect(topic.version).toBe(20);
    expect(JSON.parse(topic.v)).toHaveLength(20);
  });

  it('count at once on every node of a store', async () => {
    const store = openMemoryStore();
    const one = await runningServer({}, { store });
    const other = await runningServer({}, { store: decorated(store, { close: async () => {} }) });
    const bank = await participant();
    expect(await topics(one).publish('g1', 't')).toMatchObject({ body: { message: 'topic not found' } });
    await topics(other).subscribe('t', `${bank.url}/a`);
    expect(await topics(one).publish('g2', 't')).toMatchObject(success);
    await topics(one).subscribe('t', `${bank.url}/b`);
    expect(await topics(other).publish('g3', 't')).toMatchObject(success);
    expect(bank.calls).toEqual(['action /a', 'action /a', 'action /b']);
  });

  it('are listed page by page, in order of their names', async () => {
    const { subscribe, remove, scan } = topics(await runningServer());
    for (const name of ['c', 'a', 'b', 'gone']) await subscribe(name, 'http://a/');
    await remove('gone');
    const first = await scan({ limit: '2' });
    const last = await scan({ limit: '2', position: first.next_position });
    const names = [first, last].map(({ kv }) => kv.map(({ k }: { k: string }) => k));
    expect(names).toEqual([['a', 'b'], ['c']]);
    expect([first.next_position === '', last.next_position]).toEqual([false, '']);
    expect(await scan({ cat: 'other' })).toEqual({ kv: [], next_position: '' });
  });

  it('leave a row in the audit for each change, by the name of who made it', async () => {
    const store = openMemoryStore();
    const amends = await runningServer({}, { store });
    await amends.ask('GET', '/api/dtmsvr/subscribe?topic=t&url=http%3A%2F%2Fa%2F', undefined, { 'x-amends-actor': 'ann' });
    await topics(amends).subscribe('t', 'http://a/');
    await topics(amends).remove('t');
    const rows = await store.audit({ limit: 9 });
    expect(rows.map(({ gid, actor, verb, detail }) => [gid, actor, verb, JSON.parse(detail)])).toEqual([
      ['', 'anonymous', 'delete-topic', { topic: 't' }],
      ['', 'ann', 'subscribe', { topic: 't', url: 'http://a/', remark: '' }],
    ]);
  });

  it('are not changed by pictures on other web pages', async () => {
    const amends = await runningServer();
    const path = '/api/dtmsvr/subscribe?topic=t&url=http%3A%2F%2Fa%2F';
    for (const site of ['cross-site', 'same-site'])
      expect((await amends.ask('GET', path, undefined, { 'sec-fetch-site': site })).status).toBe(403);
    expect(await topics(amends).kv('t')).toEqual([]);
  });

  it.each([
    ['a broken address', { topic: 't', url: 'nonsense' }, /^url: is "nonsense"/],
    ['a long name', { topic: 't'.repeat(129), url: 'http://a/' }, /^topic: has 129 characters/],
    ['a line break in the name', { topic: 'a\nb', url: 'http://a/' }, /^topic: must not contain/],
    ['a long remark', { topic: 't', url: 'http://a/', remark: 'r'.repeat(1_025) }, /^remark: /],
  ])('refuse %s, naming the field', async (_what, query, message) => {
    const amends = await runningServer();
    const answer = await amends.get(`/api/dtmsvr/subscribe?${new URLSearchParams(query)}`);
    expect(answer).toMatchObject({ status: 400, body: { message: expect.stringMatching(message) } });
  });
});

describe('resetCronTime of DTM', () => {
  it('has everything tried now that would wait long, up to a limit', async () => {
    const amends = await runningServer();
    const bank = await participant();
    let url = await deadAddress();
    const saga = (gid: string, interval: number) => ({
      gid,
      trans_type: 'saga',
      steps: [{ action: `${url}/a` }],
      payloads: ['{}'],
      retry_interval: interval,
    });
    for (const gid of ['g1', 'g2', 'g3']) await amends.post('/api/dtmsvr/submit', saga(gid, 1_000));
    await amends.post('/api/dtmsvr/submit', saga('soon', 20));
    url = bank.url;
    await amends.post('/api/dtmsvr/submit', saga('done', 1_000));
    await amends.end('done');
    for (const gid of ['g1', 'g2', 'g3', 'soon']) await amends.rest(gid);
    const reset = async (query: string) => (await amends.get(`/api/dtmsvr/resetCronTime?${query}`)).body;
    expect(await reset('limit=2')).toEqual({ succeed_count: 2, has_remaining: true });
    const attempts = async (gid: string) => (await amends.rest(gid)).branches[0]!.calls[0]!.attempts;
    expect((await Promise.all(['g1', 'g2', 'g3', 'soon'].map(attempts))).reduce((sum, one) => sum + one)).toBe(6);
    expect(await reset('timeout=100000')).toEqual({ succeed_count: 0, has_remaining: false });
    expect(await amends.get('/api/dtmsvr/resetCronTime?timeout=abc')).toMatchObject({
      status: 400,
      body: { message: 'timeout: convert to int error: abc' },
    });
  });

  it('makes no delay shorter', async () => {
    const amends = await runningServer();
    await amends.post('/api/dtmsvr/submit', {
      gid: 'g1',
      trans_type: 'msg',
      steps: [{ action: 'http://a/' }],
      payloads: [''],
      custom_data: '{"delay":3600}',
    });
    expect((await amends.get('/api/dtmsvr/resetCronTime')).body).toEqual({ succeed_count: 0, has_remaining: false });
  });
});
