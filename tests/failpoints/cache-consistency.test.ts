/** Whoever dies while a price changes, and wherever: in the end customers read what the database says. */
import { expect } from 'vitest';
import { cacheConsistency, change, read } from '../../examples/cache-consistency/story.ts';
import { describeWith } from '../../tools/services/service.ts';
import { exerciseFailpoints, type Play } from './exercise.ts';
import { finished, insist, type System } from './system.ts';

type Service = keyof typeof cacheConsistency.services;

const plays: readonly Play<Service>[] = [
  { title: 'a price that changes', run: (system, id) => play(system, id, 200) },
  { title: 'a price that is refused', untouched: ['cache', 'catalogue'], run: (system, id) => play(system, id, -1) },
];

async function play(system: System<Service>, id: string, cents: number): Promise<void> {
  const { amends, url } = system;
  await insist(() => answered(change(system, { change: `${id}-change`, product: id, cents })));
  const { outcome } = await finished(amends, `${id}-change`);
  if (cents < 0) expect(outcome).toBe('failed');
  const price = await insist(
    async () => (await (await fetch(`${url.catalogue}/price/${encodeURIComponent(id)}`)).json()) as { cents: number },
  );
  expect(price.cents).toBe(outcome === 'succeeded' ? cents : null);
  expect((await insist(() => read(system, id))).cents).toBe(price.cents);
}

/** What was given up while the catalogue was away is refused from then on, which is an answer too. */
async function answered(asked: Promise<Response>): Promise<void> {
  const { status } = await asked;
  if (status !== 202 && status !== 409 && status !== 500) throw new Error(`answered ${status}`);
}

await describeWith('redis', 'with Redis', (redis) => exerciseFailpoints(cacheConsistency, plays, { redis }));
