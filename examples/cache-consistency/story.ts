/** Stories of a price: one that changes, one that is refused, and one whose cache is away when it changes. */
import assert from 'node:assert/strict';
import type { Example, Stage } from '../stage/example.ts';
import { tell } from '../stage/tell.ts';

type Service = 'catalogue' | 'cache';

const run = Date.now().toString(36);
/** Redis may hold the prices of earlier runs. */
const product = `lamp-${run}`;

/** A catalogue and the cache before it. */
export const cacheConsistency: Example<Service> = {
  name: 'cache-consistency',
  databases: ['redis'],
  services: {
    catalogue: { script: 'catalogue.ts', asksServer: true },
    cache: { script: 'cache.ts', uses: ['redis'] },
  },
  stories: [
    {
      title: 'The lamp costs 10.00, which customers read from the cache; then 12.00, and the cache has forgotten the old price',
      async play(stage) {
        await changePrice(stage, 'first', 1_000);
        await readUntilCached(stage, 1_000);
        const gid = await changePrice(stage, 'second', 1_200);
        return ending(stage, gid, 'succeeded', 1_200);
      },
    },
    {
      title: 'A price below nothing is refused: database and cache stay as they are',
      async play(stage) {
        const gid = `third-${run}`;
        assert.equal((await change(stage, { change: gid, product, cents: -5 })).status, 409);
        return ending(stage, gid, 'failed', 1_200);
      },
    },
    {
      title: 'The lamp costs 9.00 now, while the power of the cache is cut: it forgets the old price when it is back',
      async play(stage) {
        await readUntilCached(stage, 1_200);
        await stage.kill('cache');
        const gid = `fourth-${run}`;
        assert.equal((await change(stage, { change: gid, product, cents: 900 })).status, 202);
        await stage.missed(gid);
        await stage.restart('cache');
        return ending(stage, gid, 'succeeded', 900);
      },
    },
  ],
};

const headers = { 'content-type': 'application/json' };

/** Has the catalogue change a price. */
export function change(
  { url }: Pick<Stage<Service>, 'url'>,
  wish: { change: string; product: string; cents: number },
): Promise<Response> {
  return fetch(`${url.catalogue}/price`, { method: 'POST', headers, body: JSON.stringify({ ...wish, cache: url.cache }) });
}

/** What a customer sees. */
export async function read({ url }: Pick<Stage<Service>, 'url'>, of: string): Promise<{ cents: number | null; cached: boolean }> {
  const answer = await fetch(`${url.cache}/price/${encodeURIComponent(of)}?${new URLSearchParams({ catalogue: url.catalogue })}`);
  if (!answer.ok) throw new Error(`the cache answers ${answer.status}`);
  return (await answer.json()) as { cents: number | null; cached: boolean };
}

async function changePrice(stage: Stage<Service>, name: string, cents: number): Promise<string> {
  const gid = `${name}-${run}`;
  assert.equal((await change(stage, { change: gid, product, cents })).status, 202);
  assert.equal((await stage.amends.wait(gid, { waitMs: 20_000 })).outcome, 'succeeded');
  return gid;
}

/** Reads until it comes from the cache. */
async function readUntilCached(stage: Stage<Service>, cents: number): Promise<void> {
  for (;;) {
    const seen = await read(stage, product);
    assert.equal(seen.cents, cents);
    if (seen.cached) return;
  }
}

async function ending(stage: Stage<Service>, gid: string, outcome: 'succeeded' | 'failed', cents: number) {
  assert.equal((await stage.amends.wait(gid, { waitMs: 20_000 })).outcome, outcome);
  const stored = (await (await fetch(`${stage.url.catalogue}/price/${product}`)).json()) as { readonly cents: number };
  const state = { database: stored.cents, customers: (await read(stage, product)).cents! };
  assert.deepEqual(state, { database: cents, customers: cents });
  return { gid, state };
}

if (import.meta.main) await tell(cacheConsistency);
