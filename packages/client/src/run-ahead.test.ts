/** What the client sends of `runAhead`, seen by a relay before the server. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshGid } from '../tests/databases.ts';
import { type Listening, listen } from '../tests/listen.ts';
import { openStage, type Stage } from '../tests/stage.ts';
import { AmendsClient } from './client.ts';

let stage: Stage;
let relay: Listening;
let client: AmendsClient;
/** The bodies of requests that begin transactions. */
const created: { readonly mode: string; readonly runAhead?: boolean }[] = [];

beforeAll(async () => {
  stage = await openStage();
  relay = await listen(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    const { method = 'GET', url = '' } = request;
    if (/\/transactions(\?|$)/.test(url)) created.push(JSON.parse(body));
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(stage.server.url + url, method === 'GET' ? {} : { method, headers, body });
    response.writeHead(answer.status, headers).end(await answer.text());
  });
  client = new AmendsClient({ server: relay.url });
});
afterAll(async () => {
  await client.close();
  await relay.close();
  await stage.close();
});

/** Runs one transaction of each mode that may run ahead. */
async function runAll(options: { readonly runAhead?: boolean }): Promise<readonly string[]> {
  const ok = `${stage.app}/ok`;
  const how = () => ({ gid: freshGid(), waitMs: 5_000 });
  const ended = [
    await client.saga(options).step({ action: ok, compensate: ok }).submit(how()),
    await client.message(options).step({ action: ok }).submit(how()),
    await client.tcc((tcc) => tcc.call({ try: ok, confirm: ok, cancel: ok }), { ...options, ...how() }),
    await client.xa(() => {}, { ...options, ...how() }),
  ];
  return ended.map(({ outcome }) => outcome);
}

const modes = ['saga', 'msg', 'tcc', 'xa'];

it('tells the server that it must not run ahead, in every mode that may', async () => {
  created.length = 0;
  expect(await runAll({ runAhead: false })).toEqual(modes.map(() => 'succeeded'));
  expect(created.map(({ mode, runAhead }) => [mode, runAhead])).toEqual(modes.map((mode) => [mode, false]));
});

it.each([{}, { runAhead: true }])('says nothing of it otherwise (%o)', async (options) => {
  created.length = 0;
  expect(await runAll(options)).toEqual(modes.map(() => 'succeeded'));
  expect(created.map((body) => 'runAhead' in body)).toEqual(modes.map(() => false));
});
