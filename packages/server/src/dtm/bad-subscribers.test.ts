/**
 * Addresses that can never be called are refused when they subscribe; one that is there all the same keeps nobody from a message.
 */
import { openMemoryStore, type Store } from '@amends/store';
import { describe, expect, it } from 'vitest';
import { grpcClient } from '../testing/grpc-peer.ts';
import { deadAddress, participant } from '../testing/participant.ts';
import { type RunningServer, runningServer } from '../testing/running-server.ts';

/** What an attempt to subscribe was told: status and text of a refusal, as HTTP has it; null: done. */
type Subscribe = (amends: RunningServer, url: string) => Promise<string | null>;

const overHttp: Subscribe = async (amends, url) => {
  const { status, body } = await amends.get(`/api/dtmsvr/subscribe?${new URLSearchParams({ topic: 't', url })}`);
  return status === 200 ? null : `${status} ${body.message}`;
};
const overGrpc: Subscribe = async (amends, url) => {
  const answer = await grpcClient(amends.grpcAddress).dtm('Subscribe', { Topic: 't', URL: url, Remark: '' });
  return 'reply' in answer ? null : `${answer.code === 3 ? 400 : answer.code} ${answer.message}`;
};
const natively: Subscribe = async (amends, url) => {
  const { status, body } = await amends.ask('PUT', '/api/v1/topics/t/subscriptions', { url });
  return status === 200 ? null : `${status} ${body.detail}`;
};

const faces = [
  ['HTTP', overHttp],
  ['gRPC', overGrpc],
  ['the native API', natively],
] as const;

const bad = [
  ['metadata', 'http://169.254.169.254/latest', /^400 url: 169\.254\.169\.254 is link-local/],
  ['metadata, spelt otherwise', 'http://0xa9fea9fe/', /^400 url: 169\.254\.169\.254 is link-local/],
  ['metadata, by gRPC', '169.254.169.254:80/busi.Busi/TransIn', /^400 url: 169\.254\.169\.254 is link-local/],
  ['what the configuration denies', 'http://10.1.2.3/', /^400 url: 10\.1\.2\.3 is denied by participants\.deny/],
  ['no address', 'nonsense', /^400 url: is "nonsense"/],
  ['an address that is none', 'http://256.1.1.1/', /^400 url: is "http:\/\/256\.1\.1\.1\/"/],
  ['a host that is none, by gRPC', '256.1.1.1:80/busi.Busi/TransIn', /^400 url: has the host "256\.1\.1\.1"/],
  ['port 0', 'http://bank:0/', /^400 url: has port 0/],
  ['a topic', 'topic://other', /^400 url: /],
] as const;

describe.each(faces)('subscribing over %s', (_name, subscribe) => {
  it.each(bad)('is refused at once for %s', async (_what, url, message) => {
    const amends = await runningServer({ 'participants.deny': '10.0.0.0/8' });
    expect(await subscribe(amends, url)).toMatch(message);
    expect((await amends.get('/api/v1/topics')).body.topics).toEqual([]);
    expect(await subscribe(amends, 'http://10.example.com/a')).toBeNull();
  });
});

/** A topic with subscribers as an older version, or another configuration, let them in. */
async function storeWith(urls: readonly string[]): Promise<Store> {
  const store = openMemoryStore();
  const subscribers = urls.map((url) => ({ url, remark: '' }));
  const content = JSON.stringify({ subscribers, createdAt: 1, updatedAt: 1 });
  const document = { kind: 'topic', key: 't', expectedVersion: 0, content };
  await store.commit([{ row: null, documents: [document], audit: [] }]);
  return store;
}

const toTopic = { trans_type: 'msg', steps: [{ action: 'topic://t' }], payloads: ['{}'] };

describe('a topic with a subscriber that can never be called', () => {
  const asDtm = (amends: RunningServer) => amends.post('/api/dtmsvr/submit', { gid: 'g', ...toTopic });
  const asNative = (amends: RunningServer) =>
    amends.post('/api/v1/transactions', { gid: 'g', mode: 'msg', steps: [{ action: 'topic://t', payload: {} }] });

  it.each([
    ['DTM', 'a forbidden one', 'http://169.254.169.254/x', asDtm],
    ['natively', 'a forbidden one', 'http://169.254.169.254/x', asNative],
    ['DTM', 'a gRPC method, in a message over HTTP', '169.254.169.254:80/busi.Busi/TransIn', asDtm],
  ])('%s: delivers to the others, and shows that one as held: %s', async (_face, _what, url, publish) => {
    const shop = await participant();
    const amends = await runningServer({}, { store: await storeWith([url, `${shop.url}/a`, `${shop.url}/b`]) });
    expect((await publish(amends)).status).toBeLessThan(300);
    await Promise.all(['/a', '/b'].map((path) => shop.called(path)));
    const shown = await amends.rest('g');
    expect(shown).toMatchObject({ hold: { code: 'address-forbidden', branchId: '01-01' } });
    expect(shown.branches[1]!.calls).toMatchObject([{ at: 'given-up', attempts: 1 }]);
    expect(shop.calls.toSorted()).toEqual(['action /a', 'action /b']);
  });

  it('delivers to the others while that one has no address at all', async () => {
    const shop = await participant();
    const amends = await runningServer({}, { store: await storeWith(['nonsense', `${shop.url}/a`]) });
    expect((await asDtm(amends)).status).toBe(200);
    await shop.called('/a');
  });

  it('can have it unsubscribed', async () => {
    const amends = await runningServer({}, { store: await storeWith(['nonsense', 'http://169.254.169.254/x']) });
    for (const url of ['nonsense', 'http://169.254.169.254/x'])
      expect((await amends.get(`/api/dtmsvr/unsubscribe?${new URLSearchParams({ topic: 't', url })}`)).status).toBe(200);
    expect((await amends.get('/api/v1/topics')).body.topics).toMatchObject([{ subscribers: [] }]);
  });
});

describe('a topic with a subscriber that is away', () => {
  it('delivers to the others at once, and to that one when it is back', async () => {
    let status = 500;
    const shop = await participant({ '/away': (response) => response.writeHead(status).end() });
    const urls = [`${await deadAddress()}/dead`, `${shop.url}/away`, `${shop.url}/here`];
    const amends = await runningServer({}, { store: await storeWith(urls) });
    await amends.post('/api/dtmsvr/submit', { gid: 'g', ...toTopic });
    await Promise.all(['/here', '/away'].map((path) => shop.called(path)));
    status = 200;
    const { branches } = await amends.rest('g');
    expect(branches.map(({ branchId, calls }) => [branchId, calls[0]!.at])).toEqual([
      ['00', 'idle'],
      ['01-01', 'waiting'],
      ['01-02', 'waiting'],
      ['01-03', 'succeed'],
    ]);
  });
});

describe('what is submitted again', () => {
  it('is told how it ended, although its participant may not be called by now', async () => {
    const bank = await participant();
    const store = openMemoryStore();
    const submit = (amends: RunningServer, gid: string) =>
      amends.post('/api/dtmsvr/submit', {
        gid,
        trans_type: 'saga',
        steps: [{ action: `${bank.url}/a` }],
        payloads: ['{}'],
        wait_result: true,
      });
    const before = await runningServer({}, { store });
    expect((await submit(before, 'g')).status).toBe(200);
    const now = await runningServer({ 'participants.deny': '127.0.0.0/8' }, { store });
    expect((await submit(now, 'g')).status).toBe(200);
    expect((await submit(now, 'other')).status).toBe(400);
  });
});
