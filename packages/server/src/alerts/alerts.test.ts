/** The operator's web hook is told once of each call that goes on failing, and of what is held. */
import { describe, expect, it } from 'vitest';
import { deadAddress, participant } from '../testing/participant.ts';
import { type RunningServer, runningServer, silentLog } from '../testing/running-server.ts';
import type { Alert } from './alert.ts';
import { webHook } from './web-hook.ts';

/** A web hook that remembers, and can be waited for. */
async function hook(answers: readonly number[] = []) {
  const alerts: Alert[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  let calls = 0;
  const { url } = await participant({ '/hook': (response) => response.writeHead(answers[calls++] ?? 200).end() }, (body) => {
    alerts.push(JSON.parse(body));
    for (const { count, resolve } of waiting) if (alerts.length >= count) resolve();
  });
  const told = (count: number) =>
    new Promise<void>((resolve) => (alerts.length >= count ? resolve() : waiting.push({ count, resolve })));
  return { url: `${url}/hook`, alerts, told };
}

/** A native saga whose calls are tried again at once; held after as many attempts. */
const saga = (gid: string, urls: readonly string[], attemptsMax: number, rest: object = {}) => ({
  gid,
  mode: 'saga',
  steps: urls.map((action) => ({ action, retry: { delayMs: 1, attemptsMax, atEnd: 'hold' } })),
  ...rest,
});
/** Waits until its attempts are used up. */
async function held(amends: RunningServer, gid: string): Promise<void> {
  while ((await amends.rest(gid)).hold === null);
}
const begin = (amends: RunningServer, body: object) => amends.post('/api/v1/transactions', body);

describe('the web hook', () => {
  it('is told once of a call that has failed three times in a row, as DTM tells it, and not of each failure after that', async () => {
    const { url, alerts, told } = await hook();
    const bank = await participant({ '/a': (response) => response.writeHead(500).end('out of order') });
    const amends = await runningServer({ 'alert.webHook': url });
    await begin(amends, saga('g', [`${bank.url}/a`], 9));
    await held(amends, 'g');
    expect(bank.calls).toHaveLength(9);
    await amends.stop();
    await told(1);
    expect(alerts).toEqual([
      {
        gid: 'g',
        status: 'submitted',
        branch: `${bank.url}/a`,
        error: expect.stringMatching(/500.*out of order/),
        retry_count: 3,
      },
    ]);
  });

  it('is told of each branch, with the status that it has then', async () => {
    const { url, alerts, told } = await hook();
    const bank = await participant({ '/a': 500, '/b': 500 });
    const amends = await runningServer({ 'alert.webHook': url });
    await begin(amends, saga('g', [`${bank.url}/a`, `${bank.url}/b`], 4, { concurrent: true }));
    await told(2);
    expect(alerts.map(({ branch }) => branch).toSorted()).toEqual([`${bank.url}/a`, `${bank.url}/b`]);
    const undone = await participant({ '/no': 409, '/undo': 500 });
    const steps = [
      { action: `${undone.url}/yes`, compensate: `${undone.url}/undo`, retry: { delayMs: 1 } },
      { action: `${undone.url}/no` },
    ];
    await begin(amends, { gid: 'u', mode: 'saga', steps });
    await told(3);
    expect(alerts[2]).toMatchObject({ gid: 'u', status: 'aborting', branch: `${undone.url}/undo`, retry_count: 3 });
  });

  it('is told after as many failures as the configuration says', async () => {
    const { url, alerts, told } = await hook();
    const bank = await participant({ '/a': 500 });
    const amends = await runningServer({ 'alert.webHook': url, 'alert.retryLimit': '5' });
    await begin(amends, saga('g', [`${bank.url}/a`], 7));
    await held(amends, 'g');
    await told(1);
    await amends.stop();
    expect(alerts).toMatchObject([{ retry_count: 5 }]);
  });

  it('is told again when somebody has had it tried again by hand and it goes on failing', async () => {
    const { url, alerts, told } = await hook();
    const bank = await participant({ '/a': 500 });
    const amends = await runningServer({ 'alert.webHook': url });
    await begin(amends, saga('g', [`${bank.url}/a`], 4));
    await held(amends, 'g');
    await amends.post('/api/v1/transactions/g/retry', { reason: 'mended?' });
    await told(2);
    expect(alerts.map(({ retry_count: count }) => count)).toEqual([3, 3]);
  });

  it('is told of what is held before that, whatever it is', async () => {
    const { url, alerts, told } = await hook();
    const bank = await participant({ '/a': 500 });
    const amends = await runningServer({ 'alert.webHook': url, 'participants.deny': 'localhost' });
    await begin(amends, saga('once', [`${bank.url}/a`], 1));
    await begin(amends, saga('never', ['http://localhost:9/a'], 9));
    await told(2);
    expect(alerts.toSorted((one, other) => (one.gid < other.gid ? -1 : 1))).toMatchObject([
      { gid: 'never', branch: 'http://localhost:9/a', error: expect.stringMatching(/^address-forbidden: .*participants\.deny$/) },
      { gid: 'once', branch: `${bank.url}/a`, error: expect.stringMatching(/^attempts-exhausted: /), retry_count: 1 },
    ]);
  });

  it('hears nothing of refusals, of what is ongoing, of questions and of workflows that run again', async () => {
    const { url, alerts } = await hook();
    const bank = await participant({ '/no': 409, '/ask': 500, '/later': 425 });
    const amends = await runningServer({ 'alert.webHook': url, 'alert.retryLimit': '1' });
    await begin(amends, saga('refused', [`${bank.url}/no`], 9));
    await amends.end('refused');
    await begin(amends, saga('ongoing', [`${bank.url}/later`], 9));
    const asked = { delayMs: 60_000 };
    const steps = [{ action: `${bank.url}/a` }];
    await begin(amends, {
      gid: 'm',
      mode: 'msg',
      prepare: true,
      queryUrl: `${bank.url}/ask`,
      askAfterMs: 1,
      steps,
      retry: asked,
    });
    await bank.called('/ask');
    await amends.rest('m');
    await amends.stop();
    expect(alerts).toEqual([]);
  });
});

describe('delivery', () => {
  const alert: Alert = { gid: 'g', status: 'submitted', branch: 'http://a/', error: 'http_500', retry_count: 3 };
  const logged = () => {
    const lines: object[] = [];
    return { lines, log: { ...silentLog, error: (fields: object) => lines.push(fields) } };
  };

  it('is tried again for a while, then named in the log', async () => {
    const { url, alerts, told } = await hook([500, 503, 200]);
    const { log, lines } = logged();
    const slow = webHook({ url, log, pausesMs: [1, 1, 1] });
    slow.tell(alert);
    await told(3);
    await slow.close(1_000);
    expect([alerts.length, lines]).toEqual([3, []]);
    const dead = webHook({ url: `${await deadAddress()}/hook`, log, pausesMs: [1] });
    dead.tell(alert);
    await dead.close(1_000);
    expect(lines).toMatchObject([{ ...alert, trouble: expect.stringMatching(/ECONNREFUSED/) }]);
  });

  it('at the stop of the server: what waits is told once more, what hangs is broken off and named', async () => {
    const silent = await participant({ '/hook': () => {} });
    const { log, lines } = logged();
    const hanging = webHook({ url: `${silent.url}/hook`, log });
    for (let count = 0; count < 20; count++) hanging.tell(alert);
    await silent.called('/hook');
    await hanging.close(10);
    expect(lines).toHaveLength(20);
  });
});
