/**
 * An application of tcc or xa: registers and calls its participants itself, then submits or aborts; sometimes it dies in between.
 */
import type { TransactionRequest } from '@amends/coordinator';
import type { BranchId, TccSpec, XaSpec } from '@amends/core';
import { type Movement, payloadOf } from '../nodes/participant.ts';
import type { Client } from './client.ts';
import { drawRetry, drawRunAhead, drawTransfer } from './mode-maker.ts';
import { hosts } from './saga-maker.ts';

/** Lives the life of one transaction. */
export async function runTwoPhases(client: Client, mode: 'tcc' | 'xa'): Promise<void> {
  const { chance } = client;
  const spec = drawSpec(client, mode);
  if ((await client.prepare(spec)) === null) return;
  const movements = drawTransfer(chance, chance.whole(1, 3));
  for (const [index, movement] of movements.entries()) {
    if (chance.yes(0.05)) return;
    if (chance.yes(0.1)) await client.pause(0, 15_000);
    if (await joins(client, mode, { index, movement })) continue;
    if (!chance.yes(0.1)) await end(client, { type: 'aborted', reason: 'a participant refused' });
    return;
  }
  if (chance.yes(0.08)) return;
  await end(client, { type: 'submitted' });
  if (chance.yes(0.2)) await client.request({ type: 'submitted' });
  await client.follow();
}

/** Decides; sometimes a branch that was forgotten comes too late, and must not join what is known to be decided. */
async function end(client: Client, request: TransactionRequest): Promise<void> {
  const { chance } = client;
  const said = await client.request(request);
  if (said === null || !chance.yes(0.15)) return;
  const url = `http://${chance.pick(hosts)}/branch/09`;
  const payload = payloadOf({ account: 'open', amount: 0, refusable: true, undoable: false });
  const branch = { kind: 'participant', branchId: '09' as BranchId, forward: url, backward: url, payload } as const;
  await client.request({ type: 'registered', branch });
}

interface Part {
  readonly index: number;
  readonly movement: Movement;
}

/** Registers a branch, then has its first phase done. @returns whether it agreed */
async function joins(client: Client, mode: 'tcc' | 'xa', { index, movement }: Part): Promise<boolean> {
  const { chance } = client;
  const branchId = `0${index + 1}` as BranchId;
  const host = chance.pick(hosts);
  const payload = payloadOf(movement);
  const url = `http://${host}/branch/${branchId}`;
  const branch = { kind: 'participant', branchId, forward: url, backward: url, payload } as const;
  const registered = await client.request({ type: 'registered', branch });
  if (registered === null || (registered.verdict !== 'taken' && registered.verdict !== 'repeated')) return false;
  if (chance.yes(0.05)) await client.request({ type: 'registered', branch });
  if (chance.yes(0.05)) await client.request({ type: 'registered', branch: { ...branch, payload: new Uint8Array([32]) } });
  const op = mode === 'tcc' ? 'try' : 'action';
  return (await client.call(host, { branchId, mode, op, payload })) === 200;
}

function drawSpec({ chance }: Client, mode: 'tcc' | 'xa'): TccSpec | XaSpec {
  return {
    mode,
    payloads: [],
    timeoutMs: chance.whole(500, 20_000),
    timeoutReason: 'time is up',
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
