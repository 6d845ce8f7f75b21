/** An application that sends a two-phase message: announces it, commits its local transaction, submits; or dies in between. */
import type { BranchId, MsgSpec, MsgStep } from '@amends/core';
import { type Movement, payloadOf } from '../nodes/participant.ts';
import type { Chance } from '../world/random.ts';
import type { Client } from './client.ts';
import { drawRetry, drawRunAhead } from './mode-maker.ts';
import { hosts } from './saga-maker.ts';

/** Lives the life of one message. */
export async function runMessage(client: Client): Promise<void> {
  const { chance, around } = client;
  const home = chance.pick(hosts);
  const amount = chance.whole(1, 60);
  const prepared = chance.yes(0.85);
  const spec = drawSpec(client, { home, amount: prepared ? amount : 0 });
  if (!prepared) {
    await client.submit(spec);
    return client.follow();
  }
  if ((await client.prepare(spec)) === null || chance.yes(0.06)) return;
  if (chance.yes(0.2)) await client.pause(0, 12_000);
  const refused = chance.yes(0.2);
  const committed = !refused && around.participants.get(home)!.commitLocally(client.gid, { ...plain, amount: -amount });
  if (!refused) around.world.coverage.count('modes', committed ? 'msg local commit' : 'msg asked before the local commit');
  if (chance.yes(0.15)) return;
  const said = committed ? await client.submit(spec) : await client.request({ type: 'aborted', reason: 'no money' });
  // Once it is known to be aborted, a confused submit must not bring it back.
  if (said !== null && chance.yes(0.1)) await client.request({ type: 'submitted' });
  await client.follow();
}

const plain: Movement = { account: 'open', amount: 0, refusable: false, undoable: false };

function drawSpec({ chance }: Client, { home, amount }: { readonly home: string; readonly amount: number }): MsgSpec {
  const steps = drawDeliveries(chance);
  return {
    mode: 'msg',
    steps,
    payloads: steps.map((_, index) => payloadOf({ ...plain, amount: index === 0 ? amount : 0 })),
    query: chance.yes(0.1) ? '' : `http://${home}/query`,
    askAfterMs: chance.whole(300, 10_000),
    delayMs: chance.yes(0.3) ? chance.whole(1, 20_000) : 0,
    notBefore: null,
    concurrent: chance.yes(0.4),
    callTimeoutMs: chance.whole(300, 6_000),
    retry: drawRetry(chance),
    headers: {},
    face: chance.pick(['native', 'dtm']),
    presentation: {},
    ...drawRunAhead(chance),
    trace: null,
    alarmAfterMs: chance.yes(0.2) ? chance.whole(500, 40_000) : null,
  };
}

/** One to three steps, each of which may name a topic with two or three subscribers. */
function drawDeliveries(chance: Chance): MsgStep[] {
  return Array.from({ length: chance.whole(1, 3) }, (_, index) => {
    const step = `0${index + 1}`;
    const ids = chance.yes(0.25) ? Array.from({ length: chance.whole(2, 3) }, (__, at) => `${step}-0${at + 1}`) : [step];
    return ids.map((id) => ({ branchId: id as BranchId, action: `http://${chance.pick(hosts)}/step/${id}` }));
  }).flat();
}
