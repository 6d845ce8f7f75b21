/**
 * The rules between the fields of a saga's spec. The shape is wire's business; what a shape may mean is decided here,
 * once for all protocols.
 */
import { type FieldIssue, refuse } from '../words/errors.ts';
import { limits } from '../words/limits.ts';
import type { Way } from '../words/op.ts';
import type { RetryPolicy } from '../words/retry.ts';
import { referencesOf } from './payload-template.ts';
import { payloadBytesOf, payloadIndex } from './payloads.ts';
import type { SagaSpec, SagaStep } from './spec.ts';

/**
 * Refuses a saga that cannot be carried out as it says.
 * @throws AmendsError `invalid_request` naming the field
 */
export function checkSagaSpec(spec: SagaSpec): void {
  const { steps, payloads } = spec;
  if (steps.length === 0) refuse('steps', 'must have at least one step');
  if (steps.length > limits.branchesMax) refuse('steps', `has ${steps.length} steps, at most ${limits.branchesMax} are allowed`);
  const own = steps.reduce((count, step) => (step.compensatePayload === undefined ? count : count + 1), 0);
  if (payloads.length !== steps.length + own)
    refuse('payloads', `has ${payloads.length} entries for ${steps.length} steps; give one for each step`);
  checkPayloadBytes(spec);
  if (spec.timeoutMs !== null) checkRange('timeoutMs', spec.timeoutMs, limits.transactionTimeoutMsMax);
  if (spec.alarmAfterMs !== null) checkRange('alarmAfterMs', spec.alarmAfterMs, limits.transactionTimeoutMsMax);
  steps.forEach(checkStep);
  const order = checkOrder(steps, (index) => `steps[${index}].after`);
  if (steps.some((step) => step.kind !== 'compensatable')) checkPointOfNoReturn(steps, order);
  if (steps.some(({ name, keepAnswer }) => name !== undefined || keepAnswer)) checkNames(steps);
  if (spec.templates !== undefined) checkReferences(spec, order);
}

function checkPayloadBytes(spec: SagaSpec): void {
  const bytes = payloadBytesOf(spec);
  if (bytes > limits.payloadBytesMax)
    refuse('payloads', `have ${bytes} bytes together, at most ${limits.payloadBytesMax} are allowed`);
}

function checkStep(step: SagaStep, index: number): void {
  const issue = stepIssue(step);
  if (issue !== null) refuse(`steps[${index}].${issue.field}`, issue.message);
}

/** What is wrong with a step by itself; null: nothing. */
function stepIssue({ kind, compensate, timeoutMs, actionRetry, compensateRetry }: SagaStep): FieldIssue | null {
  if (kind !== 'compensatable' && compensate !== '')
    return { field: 'compensate', message: `a ${kind} step is never undone; leave it out or make the step compensatable` };
  if (!isWithin(timeoutMs, limits.callTimeoutMsMax)) return rangeIssue('timeoutMs', timeoutMs, limits.callTimeoutMsMax);
  const retryIssue = policyIssue('retry', actionRetry) ?? policyIssue('compensateRetry', compensateRetry);
  if (retryIssue !== null) return retryIssue;
  if (kind !== 'compensatable' && rollsBack(actionRetry))
    return { field: 'retry.atEnd', message: `a ${kind} step without a verdict cannot be rolled back; use hold` };
  if (!rollsBack(compensateRetry)) return null;
  return { field: 'compensateRetry.atEnd', message: 'a compensation cannot be rolled back; use hold' };
}

function rollsBack({ atEnd, attemptsMax }: RetryPolicy): boolean {
  return atEnd === 'roll-back' && attemptsMax !== null;
}

/** What names of steps are made of. */
export const stepNameForm = /^[\p{L}_][\p{L}\p{N}_-]*$/u;

function checkNames(steps: readonly SagaStep[]): void {
  const seen = new Set<string>();
  steps.forEach(({ name, keepAnswer, action }, index) => {
    if (name === undefined) {
      if (keepAnswer) refuse(`steps[${index}].keepAnswer`, 'is of no use to a step without a name; give it one');
      return;
    }
    if (name.length > limits.stepNameCharactersMax || !stepNameForm.test(name))
      refuse(
        `steps[${index}].name`,
        `is ${JSON.stringify(name)}, must be at most ${limits.stepNameCharactersMax} letters, digits, _ or -, beginning with a letter`,
      );
    if (seen.has(name)) refuse(`steps[${index}].name`, `is ${JSON.stringify(name)}, as that of a step before it`);
    if (keepAnswer && action === '') refuse(`steps[${index}].keepAnswer`, 'is of no use to a step that calls nobody');
    seen.add(name);
  });
}

/** A payload refers to steps that have succeeded before its own; that of a compensation also to its own action. */
function checkReferences(spec: SagaSpec, order: readonly number[]): void {
  const ancestors = ancestorBits(spec.steps, order);
  spec.steps.forEach((step, index) => {
    checkStepReferences(spec, index, { way: 'forward', field: `steps[${index}].payload`, ancestors: ancestors[index]! });
    if (step.compensate === '') return;
    const field = `steps[${index}].${step.compensatePayload === undefined ? 'payload' : 'compensatePayload'}`;
    checkStepReferences(spec, index, { way: 'backward', field, ancestors: ancestors[index]! });
  });
}

interface Referring {
  readonly way: Way;
  readonly field: string;
  readonly ancestors: Uint32Array;
}

function checkStepReferences(spec: SagaSpec, index: number, { way, field, ancestors }: Referring): void {
  for (const { from } of referencesOf(spec.templates?.[payloadIndex(spec, index, way)] ?? [])) {
    const meant = spec.steps.findIndex(({ name }) => name === from);
    if (meant === -1) refuse(field, `refers to the step ${JSON.stringify(from)}, which is not there`);
    if (spec.steps[meant]!.keepAnswer !== true)
      refuse(field, `refers to the answer of ${JSON.stringify(from)}, which does not keep it; say keepAnswer there`);
    if (meant === index && way === 'backward') continue;
    if (meant === index) refuse(field, 'refers to the answer of its own step; only compensatePayload can');
    if (!hasBit(ancestors, meant))
      refuse(field, `refers to the answer of ${JSON.stringify(from)}, which does not come before it; name it in after`);
  }
}

function policyIssue(field: string, { delayMs, delayMsMax, attemptsMax }: RetryPolicy): FieldIssue | null {
  const { retryDelayMsMax: max } = limits;
  if (!isWithin(delayMs, max)) return rangeIssue(`${field}.delayMs`, delayMs, max);
  if (!isWithin(delayMsMax, max)) return rangeIssue(`${field}.delayMsMax`, delayMsMax, max);
  if (attemptsMax === null || isWithin(attemptsMax, Number.MAX_SAFE_INTEGER)) return null;
  return rangeIssue(`${field}.attemptsMax`, attemptsMax, Number.MAX_SAFE_INTEGER);
}

function checkRange(field: string, value: number, max: number): void {
  if (!isWithin(value, max)) refuse(field, rangeIssue(field, value, max).message);
}

function isWithin(value: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= 1 && value <= max;
}

function rangeIssue(field: string, value: number, max: number): FieldIssue {
  return { field, message: `is ${value}, must be a whole number from 1 to ${max}` };
}

/** What a step says about its place among the others. */
export type Ordered = Pick<SagaStep, 'after'>;

/**
 * Refuses steps that name what is not there, themselves, or each other in a circle.
 * @param fieldOf names the field in which a step, by index, says what comes before it
 * @returns the indexes so ordered that each step comes after those in its `after`
 * @throws AmendsError `invalid_request` naming that field
 */
export function checkOrder(steps: readonly Ordered[], fieldOf: (index: number) => string): number[] {
  steps.forEach(({ after }, index) => {
    checkAfter(after, { index, count: steps.length, fieldOf });
  });
  // Most name only steps before them.
  const isInOrder = steps.every(({ after }, index) => after.every((before) => before < index));
  return isInOrder ? steps.map((_, index) => index) : topologicalOrder(steps, fieldOf);
}

interface Place {
  readonly index: number;
  readonly count: number;
  readonly fieldOf: (index: number) => string;
}

function checkAfter(after: readonly number[], { index, count, fieldOf }: Place): void {
  const seen = after.length > 1 ? new Set<number>() : null;
  for (const before of after) {
    if (!Number.isInteger(before) || before < 0 || before >= count)
      refuse(fieldOf(index), `names step ${before}; steps are numbered from 0 to ${count - 1}`);
    if (before === index) refuse(fieldOf(index), 'names the step itself');
    if (seen?.has(before)) refuse(fieldOf(index), `names step ${before} twice`);
    seen?.add(before);
  }
}

function topologicalOrder(steps: readonly Ordered[], fieldOf: Place['fieldOf']): number[] {
  const missing = steps.map((step) => step.after.length);
  const dependents = dependentsOf(steps);
  const order = missing.flatMap((count, index) => (count === 0 ? [index] : []));
  for (let next = 0; next < order.length; next++) {
    for (const dependent of dependents[order[next]!]!) {
      missing[dependent]!--;
      if (missing[dependent] === 0) order.push(dependent);
    }
  }
  if (order.length < steps.length)
    refuse(fieldOf(missing.findIndex((count) => count > 0)), 'is part of a cycle: the steps wait for each other');
  return order;
}

/** For each step, the steps that name it in `after`. */
export function dependentsOf(steps: readonly Ordered[]): readonly (readonly number[])[] {
  const dependents: number[][] = steps.map(() => []);
  steps.forEach((step, index) => {
    for (const before of step.after) dependents[before]!.push(index);
  });
  return dependents;
}

/** Everything that can be undone must be done before the first thing that cannot; one pivot at most stands between. */
function checkPointOfNoReturn(steps: readonly SagaStep[], order: readonly number[]): void {
  const pivots = steps.flatMap((step, index) => (step.kind === 'pivot' ? [index] : []));
  if (pivots.length > 1) refuse(`steps[${pivots[1]}].kind`, 'is a second pivot; steps after the pivot are retriable');
  const required = steps.flatMap((step, index) => (step.kind === 'compensatable' ? [index] : []));
  const ancestors = ancestorBits(steps, order);
  steps.forEach((step, index) => {
    if (step.kind === 'compensatable') return;
    const before = step.kind === 'retriable' ? [...required, ...pivots] : required;
    const missing = before.find((other) => !hasBit(ancestors[index]!, other));
    if (missing !== undefined)
      refuse(
        `steps[${index}].kind`,
        `is ${step.kind}, but step ${missing} (${steps[missing]!.kind}) does not come before it: what can be undone must be done before what cannot`,
      );
  });
}

function ancestorBits(steps: readonly SagaStep[], order: readonly number[]): Uint32Array[] {
  const words = Math.ceil(steps.length / 32);
  const bits = steps.map(() => new Uint32Array(words));
  for (const index of order) {
    const own = bits[index]!;
    for (const before of steps[index]!.after) {
      const theirs = bits[before]!;
      for (let word = 0; word < words; word++) own[word]! |= theirs[word]!;
      own[before >>> 5]! |= 1 << (before & 31);
    }
  }
  return bits;
}

function hasBit(bits: Uint32Array, index: number): boolean {
  return (bits[index >>> 5]! & (1 << (index & 31))) !== 0;
}
