import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import Fastify, { type FastifyReply } from 'fastify';
import { expect, it, onTestFinished } from 'vitest';
import { isFast } from '../testing/is-fast.ts';
import { watchCaller } from './caller.ts';
import { HttpDtmRequest } from './dtm-request.ts';

/** A caller whose request has been read and not answered. */
async function waitingCaller() {
  const app = Fastify();
  onTestFinished(() => app.close());
  const { promise: asked, resolve: tell } = Promise.withResolvers<{ readonly reply: FastifyReply }>();
  app.post('/', (_request, reply) => {
    // A reply is a promise of its end.
    tell({ reply });
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const hangUp = new AbortController();
  const answer = fetch(url, { method: 'POST', body: 'text', signal: hangUp.signal })
    .then((response) => response.text())
    .catch(() => 'hung up');
  const { reply } = await asked;
  await setImmediate();
  return { reply, caller: watchCaller(reply), answer, hangUp: () => hangUp.abort() };
}

it('a caller is gone when it hangs up, not when its body has been read', async () => {
  const { caller, answer, hangUp } = await waitingCaller();
  expect(caller.aborted).toBe(false);
  const gone = new Promise<void>((resolve) => caller.addEventListener('abort', resolve));
  hangUp();
  await gone;
  expect([caller.aborted, await answer]).toEqual([true, 'hung up']);
});

it('who no longer listens does not hear of the end of the answer', async () => {
  const { reply, caller, answer } = await waitingCaller();
  let heard = false;
  const listener = () => {
    heard = true;
  };
  caller.addEventListener('abort', listener);
  caller.removeEventListener('abort', listener);
  const closed = once(reply.raw, 'close');
  reply.send('answer');
  await closed;
  expect([heard, await answer]).toEqual([false, 'answer']);
});

it('what is made for each request has a hidden class, so that nothing of it outlives its answer', async () => {
  const { reply, caller, answer } = await waitingCaller();
  const request = new HttpDtmRequest(reply.request, reply, () => ({ fields: {} }));
  const are = [caller, request, request.caller].map(isFast);
  reply.send('answer');
  await answer;
  expect(are).toEqual([true, true, true]);
});
