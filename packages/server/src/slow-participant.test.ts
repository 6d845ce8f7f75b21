/** A participant that is slow for everybody at once: its callers wait for their turn, and nothing else happens to them. */
import type { ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { participant } from './testing/participant.ts';
import { runningServer } from './testing/running-server.ts';
import { scratchFolder } from './testing/scratch.ts';

const answerMs = 600;

const answerLater = (response: ServerResponse) => void setTimeout(() => response.writeHead(200).end('{}'), answerMs);

it('1,000 sagas of DTM clients that allow one attempt of three seconds make 1,000 calls, and all succeed', async () => {
  const bank = await participant({ '/debit': answerLater });
  const amends = await runningServer({ store: `sqlite:${scratchFolder()}/amends.db` });
  const gids = Array.from({ length: 1_000 }, (_, index) => `slow-${index}`);
  const sagaOf = (gid: string) => ({
    gid,
    trans_type: 'saga',
    steps: [{ action: `${bank.url}/debit`, compensate: `${bank.url}/refund` }],
    payloads: ['{}'],
    request_timeout: 3,
    retry_limit: 1,
    retry_interval: 1,
  });
  const answers = await Promise.all(gids.map((gid) => amends.post('/api/dtmsvr/submit', sagaOf(gid))));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  const ends = await Promise.all(gids.map((gid) => amends.end(gid)));
  expect(new Set(ends.map(({ outcome }) => outcome))).toEqual(new Set(['succeeded']));
  expect(bank.calls).toHaveLength(1_000);
});

it('what is being called, or waits for it, has no Retry-After, though its alarm is far away', async () => {
  let answer = () => {};
  const held = (response: ServerResponse) => {
    answer = () => void response.writeHead(200).end('{}');
  };
  const bank = await participant({ '/debit': held });
  const amends = await runningServer({ perHostInFlightMax: '1' });
  const steps = [{ action: `${bank.url}/debit`, kind: 'pivot' }];
  const called = await amends.post('/api/v1/transactions', { gid: 'called', mode: 'saga', steps });
  await bank.called('/debit');
  const waits = await amends.post('/api/v1/transactions', { gid: 'waits', mode: 'saga', steps });
  for (const gid of ['called', 'waits']) {
    const { headers, body } = await amends.get(`/api/v1/transactions/${gid}`);
    expect(headers.get('retry-after')).toBeNull();
    expect(body).toMatchObject({ outcome: 'running', wakeAt: null });
  }
  expect([called, waits].map(({ headers }) => headers.get('retry-after'))).toEqual([null, null]);
  answer();
  await amends.end('called');
});
