/** `next_cron_interval` and `next_cron_time`: DTM has one pair for a transaction, here each call has a pause of its own. */
import {
  callName,
  type EpochMs,
  isFinished,
  type OpState,
  type RetryPolicy,
  retryDelayMs,
  type Spec,
  type Way,
  ways,
} from '@amends/core';
import { lastOutcomeIn } from './branch-times.ts';
import type { DtmRecord } from './record.ts';

/** The pair: the pause before the next attempt, which grows with those that failed, and the moment; null: it is not known. */
export interface Cron {
  readonly intervalMs: number;
  readonly at: EpochMs | null;
}

/** null: nothing more will happen. Whoever resets what is finished sees the moment of that, as with DTM. */
export function cronOf(record: DtmRecord): Cron | null {
  const { transaction, given, wakeAt, resetAt } = record;
  const base = policyOf(given.spec, 0, 'backward').delayMs;
  if (isFinished(transaction)) return resetAt === null ? null : { intervalMs: base, at: resetAt };
  const next = nextAttempt(record);
  return { intervalMs: next === null ? base : pauseMs(record, next), at: wakeAt };
}

/** An op that has been tried and is not over. */
interface OpenOp {
  readonly branch: number;
  readonly way: Way;
  readonly state: Extract<OpState, { readonly unknowns: number }>;
}

/**
 * What is tried again first; calls that are under way, given up, or due and waiting for their turn are tried again after
 * everything that waits for a moment.
 */
function nextAttempt({ transaction: { branches, updatedAt } }: DtmRecord): OpenOp | null {
  const open = branches.flatMap((branch, index) =>
    ways.flatMap((way): readonly OpenOp[] => {
      const state = branch[way];
      return 'unknowns' in state ? [{ branch: index, way, state }] : [];
    }),
  );
  const dueAt = ({ state }: OpenOp) =>
    state.at === 'waiting' && state.dueAt > updatedAt ? state.dueAt : Number.POSITIVE_INFINITY;
  return open.toSorted((one, other) => dueAt(one) - dueAt(other) || 0)[0] ?? null;
}

function pauseMs({ given, history }: DtmRecord, { branch, way, state }: OpenOp): number {
  const policy = policyOf(given.spec, branch, way);
  const { branchId, op } = callName(given, { branch, way });
  const isConstant = state.unknowns === 0 || lastOutcomeIn(history, branchId, op) === 'ongoing';
  return isConstant ? policy.delayMs : retryDelayMs(policy, state.unknowns, 0);
}

function policyOf(spec: Spec, branch: number, way: Way): RetryPolicy {
  if (spec.mode !== 'saga') return spec.retry;
  const { actionRetry, compensateRetry } = spec.steps[branch]!;
  return way === 'forward' ? actionRetry : compensateRetry;
}
