/** An application whose function records its steps and is run again by the coordinator when it dies; two runs may cross. */
import type { TransactionView } from '@amends/coordinator';
import type { BranchId, Concluded, Progress, WorkflowSpec } from '@amends/core';
import { type Movement, payloadOf } from '../nodes/participant.ts';
import type { Client } from './client.ts';
import { drawTransfer } from './mode-maker.ts';
import { hosts } from './saga-maker.ts';

interface WorkflowPlan {
  readonly spec: WorkflowSpec;
  readonly steps: readonly { readonly host: string; readonly movement: Movement }[];
}

/** Starts the function and lets it be started again. */
export async function runWorkflow(client: Client): Promise<void> {
  const plan = drawPlan(client);
  const home = new URL(plan.spec.resume).host;
  const participant = client.around.participants.get(home)!;
  const others = participant.onResume;
  participant.onResume = (gid) => {
    if (gid !== client.gid) return others(gid);
    client.around.world.coverage.count('modes', 'workflow run again');
    void run(client, plan);
  };
  await run(client, plan);
  await client.follow();
}

/** One run of the function; it ends early when an answer is missing, and is run again later. */
async function run(client: Client, { spec, steps }: WorkflowPlan): Promise<void> {
  const prepared = await client.prepare(spec);
  if (prepared === null || prepared.view.transaction.status !== 'prepared') return;
  const recorded = new Map<string, Progress>();
  for (const branch of prepared.view.given.registered)
    if (branch.kind === 'progress') recorded.set(`${branch.branchId} ${branch.op}`, branch);
  const done: number[] = [];
  for (let index = 0; index < steps.length; index++) {
    const how = await step(client, recorded, { index, op: 'action', steps });
    if (how === 'open') return;
    if (how === 'failed') return undo(client, recorded, { done, steps });
    done.push(index);
  }
  await conclude(client, 'succeed');
}

/** Comes to the end; sometimes a confused run says the opposite or records a step when it is known to be over. */
async function conclude(client: Client, status: Concluded['status']): Promise<void> {
  const { chance } = client;
  if ((await client.request(conclusion(status))) === null) return;
  if (chance.yes(0.1)) await client.request(conclusion(status === 'succeed' ? 'failed' : 'succeed'));
  if (!chance.yes(0.1)) return;
  const branchId = '09' as BranchId;
  const branch: Progress = { kind: 'progress', branchId, op: 'action', status: 'succeed', payload: new Uint8Array() };
  await client.request({ type: 'registered', branch });
}

function conclusion(status: Concluded['status']) {
  const succeeded = status === 'succeed';
  const result = new Uint8Array(succeeded ? [1] : []);
  return { type: 'concluded', status, reason: succeeded ? '' : 'a step failed', result } as const;
}

type Steps = WorkflowPlan['steps'];

async function undo(
  client: Client,
  recorded: Map<string, Progress>,
  what: { readonly done: readonly number[]; readonly steps: Steps },
) {
  for (const index of [...what.done].reverse())
    if ((await step(client, recorded, { index, op: 'rollback', steps: what.steps })) !== 'succeed') return;
  await conclude(client, 'failed');
}

/** A step as it was recorded; or it is done and recorded now. `open`: nobody knows yet. */
async function step(
  client: Client,
  recorded: Map<string, Progress>,
  { index, op, steps }: { readonly index: number; readonly op: 'action' | 'rollback'; readonly steps: Steps },
): Promise<'succeed' | 'failed' | 'open'> {
  const branchId = `0${index + 1}` as BranchId;
  const known = recorded.get(`${branchId} ${op}`);
  if (known !== undefined) return known.status;
  if (client.chance.yes(0.06)) return 'open';
  const { host, movement } = steps[index]!;
  const answer = await client.call(host, { branchId, mode: 'workflow', op, payload: payloadOf(movement) });
  if (answer !== 200 && (answer !== 409 || op === 'rollback')) return 'open';
  if (client.chance.yes(0.06)) return 'open';
  const status = answer === 200 ? 'succeed' : 'failed';
  // Results of two runs differ: whoever is told so goes on with what the other one has recorded.
  const payload = new Uint8Array([answer & 255, client.chance.whole(0, 255)]);
  const branch: Progress = { kind: 'progress', branchId, op, status, payload };
  const said = await client.request({ type: 'registered', branch });
  if (said === null || said.verdict === 'wrong_status') return 'open';
  return findRecorded(said.view, branch)?.status ?? 'open';
}

function findRecorded({ given }: TransactionView, { branchId, op }: Progress): Progress | undefined {
  return given.registered
    .filter((branch) => branch.kind === 'progress')
    .find((branch) => branch.branchId === branchId && branch.op === op);
}

function drawPlan({ chance }: Client): WorkflowPlan {
  const retry = {
    kind: 'fixed',
    delayMs: chance.whole(200, 5_000),
    delayMsMax: 60_000,
    attemptsMax: null,
    atEnd: 'hold',
  } as const;
  return {
    spec: {
      mode: 'workflow',
      name: 'transfer',
      resume: `http://${chance.pick(hosts)}/resume`,
      payloads: [new Uint8Array([1])],
      callTimeoutMs: chance.whole(300, 6_000),
      retry,
      headers: {},
      face: chance.pick(['native', 'dtm']),
      presentation: {},
      trace: null,
      alarmAfterMs: chance.yes(0.2) ? chance.whole(500, 40_000) : null,
    },
    steps: drawTransfer(chance, chance.whole(1, 3)).map((movement) => ({ host: chance.pick(hosts), movement })),
  };
}
