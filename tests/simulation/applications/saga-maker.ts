/** Draws sagas: serial, concurrent and partly ordered; with points of no return, time-outs, retry limits, empty URLs. */
import type { PayloadTemplate, RetryPolicy, SagaSpec, SagaStep, StepKind } from '@amends/core';
import { flooredPrefix, type Movement, payloadOf } from '../nodes/participant.ts';
import type { Chance } from '../world/random.ts';
import { drawRunAhead } from './mode-maker.ts';

/** The hosts that sagas call. */
export const hosts = ['ledger.test', 'stock.test', 'mail.test'] as const;

/** Each host's accounts at the start; the floored ones run short now and then. */
export const openingBalances: Readonly<Record<string, number>> = {
  [`${flooredPrefix}a`]: 100,
  [`${flooredPrefix}b`]: 40,
  open: 0,
};

interface StepPlan {
  readonly kind: StepKind;
  readonly after: number[];
  callsAction: boolean;
  callsCompensate: boolean;
  movement: Movement;
}

/** Draws one saga. All its movements together add up to nothing. */
export function drawSaga(chance: Chance): SagaSpec {
  const plans = drawPlans(chance);
  drawMovements(chance, plans);
  const steps = plans.map((plan, index) => stepOf(chance, plan, index));
  const payloads = plans.map(({ movement }) => payloadOf(movement));
  return {
    mode: 'saga',
    ...drawAnswer(chance, steps, payloads),
    ...drawRunAhead(chance),
    timeoutMs: chance.yes(0.4) ? chance.whole(1_000, 40_000) : null,
    timeoutReason: 'time is up',
    alarmAfterMs: chance.yes(0.4) ? chance.whole(500, 40_000) : null,
    headers: {},
    face: chance.pick(['native', 'dtm']),
    trace: null,
    presentation: {},
  };
}

/** Another request under the same gid, different in a header or by a key of a payload, which means nothing to its participant. */
export function change(chance: Chance, spec: SagaSpec): SagaSpec {
  if (chance.yes(0.5)) return { ...spec, headers: { ...spec.headers, 'x-changed': 'yes' } };
  return { ...spec, payloads: spec.payloads.with(0, withKey(spec.payloads[0]!)) };
}

function drawPlans(chance: Chance): StepPlan[] {
  const shape = chance.pick(['serial', 'concurrent', 'partial'] as const);
  const plans: StepPlan[] = [];
  const add = (kind: StepKind, after: number[]) => {
    const callsAction = !chance.yes(0.06);
    const callsCompensate = kind === 'compensatable' && !chance.yes(0.1);
    const refusable = kind !== 'retriable';
    const movement = { account: 'open', amount: 0, refusable, undoable: kind === 'compensatable' };
    plans.push({ kind, after, callsAction, callsCompensate, movement });
  };
  const compensatable = chance.whole(1, 4);
  for (let index = 0; index < compensatable; index++) {
    const before = plans.map((_, other) => other);
    if (shape === 'serial') add('compensatable', before.slice(-1));
    else add('compensatable', shape === 'concurrent' ? [] : before.filter(() => chance.yes(0.4)));
  }
  if (!chance.yes(0.4)) return plans;
  const undoable = plans.map((_, index) => index);
  const pivot = chance.yes(0.7);
  if (pivot) add('pivot', undoable);
  const retriable = chance.whole(pivot ? 0 : 1, 2);
  const before = pivot ? [plans.length - 1] : undoable;
  for (let index = 0; index < retriable; index++) add('retriable', before);
  return plans;
}

/** One step pays, another one gets it; both must be there or gone together. */
function drawMovements(chance: Chance, plans: readonly StepPlan[]): void {
  const moving = plans.filter((plan) => plan.callsAction && (plan.callsCompensate || plan.kind !== 'compensatable'));
  const payer = moving.find(({ kind }) => kind === 'compensatable');
  const payee = moving.findLast((plan) => plan !== payer);
  if (payer === undefined || payee === undefined) return;
  const amount = chance.whole(1, 60);
  const account = chance.pick([`${flooredPrefix}a`, `${flooredPrefix}b`]);
  payer.movement = { ...payer.movement, account, amount: -amount };
  payee.movement = { ...payee.movement, amount };
}

function stepOf(chance: Chance, plan: StepPlan, index: number): SagaStep {
  const host = chance.pick(hosts);
  const { kind, after } = plan;
  return {
    kind,
    action: plan.callsAction ? `http://${host}/step/${index + 1}/action` : '',
    compensate: plan.callsCompensate ? `http://${host}/step/${index + 1}/compensate` : '',
    timeoutMs: chance.whole(300, 6_000),
    actionRetry: drawPolicy(chance, kind === 'compensatable' ? chance.pick(['roll-back', 'hold']) : 'hold'),
    compensateRetry: drawPolicy(chance, 'hold'),
    after,
  };
}

/** Now and then a step keeps its answer for the payload of a later one. */
function drawAnswer(chance: Chance, steps: readonly SagaStep[], payloads: readonly Uint8Array[]) {
  const later = steps.flatMap(({ after }, index) => (after.length > 0 ? [index] : []));
  const to = later.length === 0 ? -1 : chance.pick(later);
  const from = to === -1 ? -1 : steps[to]!.after[0]!;
  if (!chance.yes(0.3) || from === -1 || steps[from]!.action === '') return { steps, payloads };
  const pieces = new TextDecoder().decode(payloads[to]).replace(/\}$/, ',"told":');
  const template: PayloadTemplate = [pieces, { from: answering, path: ['by'] }, '}'];
  return {
    steps: steps.with(from, { ...steps[from]!, name: answering, keepAnswer: true }),
    payloads: payloads.with(to, new Uint8Array()),
    templates: steps.map((_, index) => (index === to ? template : null)),
  };
}

const answering = 'asked';

function drawPolicy(chance: Chance, atEnd: RetryPolicy['atEnd']): RetryPolicy {
  const delayMs = chance.yes(0.05) ? chance.whole(30_000, 40_000) : chance.whole(50, 2_000);
  return {
    kind: chance.pick(['fixed', 'exponential']),
    delayMs,
    delayMsMax: chance.whole(1_000, 12_000),
    attemptsMax: chance.yes(0.4) ? chance.whole(1, 4) : null,
    atEnd,
  };
}

function withKey(payload: Uint8Array): Uint8Array {
  return new TextEncoder().encode(new TextDecoder().decode(payload).replace(/\}$/, ',"changed":true}'));
}
