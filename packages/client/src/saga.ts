/**
 * The saga builder: compensatable steps, then at most one pivot, then retriable steps. Immutable: each `step` gives a new
 * saga. The types know what may come next; whoever has no types hears it at run time, and the server holds the same rule.
 */
import type { NewSaga, NewStep, RetryPolicy, StepKind, Transaction } from './api-types.ts';
import { invalid } from './client-error.ts';

/** What holds for the whole saga. */
export interface SagaOptions {
  /** Undecided after this time it is rolled back. Milliseconds; default: never. */
  readonly timeoutMs?: number;
  /** Added to every call. */
  readonly headers?: Readonly<Record<string, string>>;
  /** true: steps without `after` start at once; false (default): each of them follows the step before it. */
  readonly concurrent?: boolean;
}

interface AnyStep {
  /** Absolute http or https address that does the step; empty: nothing to call. */
  readonly action: string;
  /** JSON, sent as the body of each call. Default `{}`. */
  readonly payload?: unknown;
  /** Time for one call, answer included. Milliseconds; default 10 s. */
  readonly timeoutMs?: number;
  /** How the action is tried again while there is no verdict. */
  readonly retry?: RetryPolicy;
  /** Indexes, from 0, of the steps that must have succeeded before this one starts. */
  readonly after?: readonly number[];
}

/** A step that can be undone by a call. */
export interface UndoableStep extends AnyStep {
  readonly kind?: 'compensatable';
  /** Address that undoes the action. */
  readonly compensate: string;
  /** How the compensation is tried again. */
  readonly compensateRetry?: RetryPolicy;
  readonly irreversible?: never;
}

/** A step before the point of no return that leaves nothing to undo, or nothing that could be. */
export interface IrreversibleStep extends AnyStep {
  readonly kind?: 'compensatable';
  /** Says that the missing compensation is no oversight: a roll back passes over this step. */
  readonly irreversible: true;
  readonly compensate?: never;
  readonly compensateRetry?: never;
}

/** The point of no return: it may fail, and then all before it is undone; after its success a saga only goes forward. */
export interface PivotStep extends AnyStep {
  readonly kind: 'pivot';
  readonly compensate?: never;
  readonly compensateRetry?: never;
  readonly irreversible?: never;
}

/** A step after the point of no return; tried until it succeeds. */
export interface RetriableStep extends AnyStep {
  readonly kind: 'retriable';
  readonly compensate?: never;
  readonly compensateRetry?: never;
  readonly irreversible?: never;
}

/** Any step. */
export type SagaStep = UndoableStep | IrreversibleStep | PivotStep | RetriableStep;

/** How to submit. */
export interface SubmitOptions {
  /** Identity chosen by the caller: submitting the same again begins nothing new. Default: one is made. */
  readonly gid?: string;
  /** Wait this long for the outcome. Milliseconds; default 0: not at all. */
  readonly waitMs?: number;
  /** Gives up waiting and trying; what was submitted goes on. */
  readonly signal?: AbortSignal;
}

interface Submittable {
  /**
   * Begins the saga, once, however often the request has to be repeated.
   * @returns the transaction: ended, on hold, or as it is after `waitMs`
   * @throws AmendsClientError
   */
  submit(options?: SubmitOptions): Promise<Transaction>;
}

/** A saga that can still be undone: any step may follow. */
export interface Saga extends Submittable {
  /** @throws AmendsClientError `invalid_request` when the step has no `compensate` and does not say `irreversible: true` */
  step(step: UndoableStep | IrreversibleStep): Saga;
  step(step: PivotStep | RetriableStep): ForwardSaga;
}

/** A saga past its point of no return: only retriable steps may follow. */
export interface ForwardSaga extends Submittable {
  /** @throws AmendsClientError `invalid_request` for another kind */
  step(step: RetriableStep): ForwardSaga;
}

/** Sends what was built. */
export type Submit = (saga: NewSaga, options: SubmitOptions) => Promise<Transaction>;

/** An empty saga. */
export function emptySaga(options: SagaOptions, submit: Submit): Saga {
  return sagaOf([], options, submit);
}

function sagaOf(steps: readonly NewStep[], options: SagaOptions, submit: Submit): Saga & ForwardSaga {
  return {
    step(step: SagaStep) {
      checkStep(steps, step);
      return sagaOf([...steps, newStep(step)], options, submit);
    },
    submit: (how = {}) => submit({ mode: 'saga', steps, ...options }, how),
  };
}

function newStep({ irreversible, payload = {}, ...step }: SagaStep): NewStep {
  return { ...step, payload };
}

const rank: Readonly<Record<StepKind, number>> = { compensatable: 0, pivot: 1, retriable: 2 };

function checkStep(before: readonly NewStep[], step: SagaStep): void {
  const field = `steps[${before.length}]`;
  const { kind = 'compensatable', action, compensate, irreversible } = step;
  if (rank[kind] === undefined) throw invalid(`${field}.kind`, `is ${kind}; must be compensatable, pivot or retriable`);
  const last = before.at(-1)?.kind ?? 'compensatable';
  if (rank[kind] < rank[last] || (kind === 'pivot' && last === 'pivot'))
    throw invalid(`${field}.kind`, `a ${kind} step (${action}) cannot follow a ${last} one; only retriable steps can`);
  if (kind !== 'compensatable' && compensate) throw invalid(`${field}.compensate`, `a ${kind} step (${action}) is never undone`);
  if (kind === 'compensatable' && !compensate && irreversible !== true)
    throw invalid(
      `${field}.compensate`,
      `the step ${action} does not say how it is undone; name the address in \`compensate\`, or say \`irreversible: true\``,
    );
}
