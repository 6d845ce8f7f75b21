import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import Fastify from 'fastify';
import { expect, it, onTestFinished } from 'vitest';
import { callerGone } from './caller-gone.ts';

it('aborts when the caller hangs up, not when the body has been read', async () => {
  const app = Fastify();
  onTestFinished(() => app.close());
  const { promise: asked, resolve: tell } = Promise.withResolvers<AbortSignal>();
  app.post('/', (_request, reply) => tell(callerGone(reply)));
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const caller = new AbortController();
  const answer = fetch(url, { method: 'POST', body: 'text', signal: caller.signal }).catch(() => 'hung up');
  const signal = await asked;
  await setImmediate();
  expect(signal.aborted).toBe(false);
  caller.abort();
  await once(signal, 'abort');
  expect(await answer).toBe('hung up');
});
