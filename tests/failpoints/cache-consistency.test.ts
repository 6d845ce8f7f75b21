/** Whoever dies while a price changes, and wherever: in the end customers read what the database says. */
import { Redis } from 'ioredis';
import { afterAll, expect } from 'vitest';
import { cacheConsistency, change, read } from '../../examples/cache-consistency/story.ts';
import { describeWith } from '../../tools/services/service.ts';
import { exerciseFailpoints, type Play } from './exercise.ts';
import { insist, type System, waitForEnd } from './system.ts';

type CacheConsistencyService = keyof typeof cacheConsistency.services;

const oldCents = 100;

await describeWith('redis', 'with Redis', (url) => {
  const redis = new Redis(url);
  afterAll(() => redis.quit());

  const plays: readonly Play<CacheConsistencyService>[] = [
    { title: 'a price that changes', run: (system, id) => play(system, id, 200) },
    { title: 'a price that is refused', run: (system, id) => play(system, id, -1) },
  ];

  async function play(system: System<CacheConsistencyService>, id: string, cents: number): Promise<void> {
    const first = await insistOnChange(system, { change: `${id}-first`, product: id, cents: oldCents });
    if (first === 'succeeded') await keepOldPrice(id);
    const second = await insistOnChange(system, { change: `${id}-second`, product: id, cents });
    if (cents < 0) expect(second).toBe('failed');
    const before = first === 'succeeded' ? oldCents : null;
    const expected = second === 'succeeded' ? cents : before;
    const price = await insist(
      async () => (await (await fetch(`${system.url.catalogue}/price/${encodeURIComponent(id)}`)).json()) as { cents: number },
    );
    expect(price.cents).toBe(expected);
    const seen = await insist(() => read(system, id));
    expect(seen.cents).toBe(expected);
    // A refusal, too, leaves the cache as it was.
    if (first === 'succeeded' && second === 'failed') expect(seen.cached).toBe(true);
  }

  /** The old price is in the cache, as readers leave it there once the moment of quiet is over. */
  async function keepOldPrice(product: string): Promise<void> {
    await redis.set(`price:${product}`, oldCents);
  }

  exerciseFailpoints(cacheConsistency, plays, { redis: url });
});

async function insistOnChange(system: System<CacheConsistencyService>, wish: Parameters<typeof change>[1]): Promise<string> {
  await insist(() => expectAnswer(change(system, wish)));
  return (await waitForEnd(system.amends, wish.change)).outcome;
}

/** What was given up while the catalogue was away is refused from then on, which is an answer too. */
async function expectAnswer(asked: Promise<Response>): Promise<void> {
  const { status } = await asked;
  if (status !== 202 && status !== 409 && status !== 500) throw new Error(`answered ${status}`);
}
