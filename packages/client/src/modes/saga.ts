/**
 * The saga builder: compensatable steps, then at most one pivot, then retriable steps. A saga is immutable: each `step` makes a
 * new one. The types allow only the steps that may come next; the same rule is checked at run time, and by the server.
 */
import type { AnswerReference, NewSaga, NewStep, RetryPolicy, StepKind, Transaction } from '../api/api-types.ts';
import { invalidField } from '../api/client-error.ts';

/** Options of a whole saga. */
export interface SagaOptions {
  /** How long it may stay undecided before it is rolled back. Milliseconds; default: for ever. */
  readonly timeoutMs?: number;
  /**
   * How long it may stay unfinished before an alarm is raised, which does nothing else. Milliseconds; default 5 minutes, null:
   * for ever.
   */
  readonly alarmAfterMs?: number | null;
  /**
   * false: the coordinator stores each step before it calls the next one. true (default): it may call steps one after the other
   * and store that later, which makes a quick saga quicker. After a crash it then also undoes steps that it may have called, so a
   * participant can get a compensation of an action that never ran. A barrier lets that pass; set this to false when a
   * participant has none and cannot take it.
   */
  readonly runAhead?: boolean;
  /** Added to every call. */
  readonly headers?: Readonly<Record<string, string>>;
  /** true: steps without `after` start at once. false (default): each of them follows the step before it. */
  readonly concurrent?: boolean;
}

/**
 * Makes a payload that refers to answers of steps. It is run once, while the saga is built. What `from` returns is a reference,
 * not the answer: it can be put into the payload, but nothing can be computed from it.
 */
export type PayloadOfAnswers<Names extends string> = (from: FromAnswer<Names>) => unknown;

/** Makes a reference to the answer of the step with that name, or to a part of it such as `$.items[0].id`. */
export type FromAnswer<Names extends string> = (step: Names, path?: AnswerPath) => AnswerReference;

/** A path into a JSON answer. */
export type AnswerPath = '$' | `$.${string}` | `$[${number}]${string}`;

interface AnyStep<Names extends string> {
  /** Absolute http or https address that does the step; empty: nothing to call. */
  readonly action: string;
  /** The name by which payloads refer to its answer; unique within the saga. */
  readonly name?: string;
  /** Keep the answer of the action, at most 64 KiB of JSON, for payloads of later steps and of compensations. */
  readonly keepAnswer?: boolean;
  /** JSON, sent as the body of each call; or a function that makes it of answers of earlier steps. Default `{}`. */
  readonly payload?: Json | PayloadOfAnswers<Names>;
  /** Time for one call, answer included. Milliseconds; default 10 s. */
  readonly timeoutMs?: number;
  /** How the action is repeated while there is no verdict. */
  readonly retry?: RetryPolicy;
  /** Indexes, from 0, of the steps that must have succeeded before this one starts. */
  readonly after?: readonly number[];
}

/** Anything but a function. */
type Json = object | string | number | boolean | null | undefined;

/** A step that can be undone by a call. */
export interface UndoableStep<Names extends string = string, Own extends string = string> extends AnyStep<Names> {
  readonly kind?: 'compensatable';
  /** Address that undoes the action. */
  readonly compensate: string;
  /** Body of the compensation instead of `payload`; a function may refer to the answer of its own action too. */
  readonly compensatePayload?: Json | PayloadOfAnswers<Names | Own>;
  /** How the compensation is repeated while there is no verdict. */
  readonly compensateRetry?: RetryPolicy;
  readonly irreversible?: never;
}

/** A step before the point of no return that leaves nothing to undo, or that cannot be undone. */
export interface IrreversibleStep<Names extends string = string> extends AnyStep<Names> {
  readonly kind?: 'compensatable';
  /** Says that it has no compensation on purpose: a roll back skips this step. */
  readonly irreversible: true;
  readonly compensate?: never;
  readonly compensatePayload?: never;
  readonly compensateRetry?: never;
}

/** The point of no return. When it fails, all before it is undone; after its success a saga only goes forward. */
export interface PivotStep<Names extends string = string> extends AnyStep<Names> {
  readonly kind: 'pivot';
  readonly compensate?: never;
  readonly compensatePayload?: never;
  readonly compensateRetry?: never;
  readonly irreversible?: never;
}

/** A step after the point of no return, which is repeated until it succeeds. */
export interface RetriableStep<Names extends string = string> extends AnyStep<Names> {
  readonly kind: 'retriable';
  readonly compensate?: never;
  readonly compensatePayload?: never;
  readonly compensateRetry?: never;
  readonly irreversible?: never;
}

export type SagaStep = UndoableStep | IrreversibleStep | PivotStep | RetriableStep;

/** What a saga is submitted with. */
export interface SubmitOptions {
  /** Identity chosen by the caller. Submitting the same saga with it again begins nothing new. Default: one is made. */
  readonly gid?: string;
  /** The trace that it belongs to, as a W3C `traceparent`, which participants get. Default: none. */
  readonly traceparent?: string;
  /** Wait this long for the outcome. Milliseconds; default 0: not at all. */
  readonly waitMs?: number;
  /** Gives up the request. A saga that was submitted goes on. */
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

/** The names of the steps before, with the name of one more when it keeps its answer. */
type With<Names extends string, Name extends string, Keeps extends boolean> = Keeps extends true ? Names | Name : Names;

/** The name of a step, and whether it keeps its answer. */
interface Named<Name extends string, Keeps extends boolean> {
  readonly name?: Name;
  readonly keepAnswer?: Keeps;
}

/**
 * A saga that can still be undone: any step may follow.
 * @typeParam Names names of the steps that keep their answers, to which payloads of later steps can refer
 */
export interface Saga<Names extends string = never> extends Submittable {
  /** @throws AmendsClientError `invalid_request` when the step has no `compensate` and does not say `irreversible: true` */
  step<Name extends string = never, Keeps extends boolean = false>(
    step: (UndoableStep<Names, With<never, Name, Keeps>> | IrreversibleStep<Names>) & Named<Name, Keeps>,
  ): Saga<With<Names, Name, Keeps>>;
  step<Name extends string = never, Keeps extends boolean = false>(
    step: (PivotStep<Names> | RetriableStep<Names>) & Named<Name, Keeps>,
  ): ForwardSaga<With<Names, Name, Keeps>>;
}

/** A saga past its point of no return: only retriable steps may follow. */
export interface ForwardSaga<Names extends string = never> extends Submittable {
  /** @throws AmendsClientError `invalid_request` for another kind */
  step<Name extends string = never, Keeps extends boolean = false>(
    step: RetriableStep<Names> & Named<Name, Keeps>,
  ): ForwardSaga<With<Names, Name, Keeps>>;
}

/** Sends a saga that was built. */
export type Submit = (saga: NewSaga, options: SubmitOptions) => Promise<Transaction>;

/** Makes a saga without steps. */
export function emptySaga(options: SagaOptions, submit: Submit): Saga {
  return buildSaga([], options, submit);
}

function buildSaga(steps: readonly NewStep[], options: SagaOptions, submit: Submit): Saga<string> & ForwardSaga<string> {
  return {
    step(step: SagaStep) {
      checkStep(steps, step);
      return buildSaga([...steps, makeStep(step)], options, submit);
    },
    submit: (how = {}) =>
      submit({ mode: 'saga', steps, ...options, runAhead: options.runAhead === false ? false : undefined }, how),
  };
}

function makeStep({ irreversible, payload = {}, compensatePayload, ...step }: SagaStep): NewStep {
  const own = compensatePayload === undefined ? {} : { compensatePayload: renderPayload(compensatePayload) };
  return { ...step, payload: renderPayload(payload), ...own };
}

/** Makes a payload as it is sent: a function of it is run, and its references are objects. */
function renderPayload(payload: unknown): unknown {
  return typeof payload === 'function' ? (payload as PayloadOfAnswers<string>)(from) : payload;
}

const from: FromAnswer<string> = (step, path = '$') => Object.freeze({ $from: step, path });

const rank: Readonly<Record<StepKind, number>> = { compensatable: 0, pivot: 1, retriable: 2 };

function checkStep(before: readonly NewStep[], step: SagaStep): void {
  const field = `steps[${before.length}]`;
  const { kind = 'compensatable', action, compensate, irreversible } = step;
  if (rank[kind] === undefined) throw invalidField(`${field}.kind`, `is ${kind}; must be compensatable, pivot or retriable`);
  const last = before.at(-1)?.kind ?? 'compensatable';
  if (rank[kind] < rank[last] || (kind === 'pivot' && last === 'pivot'))
    throw invalidField(`${field}.kind`, `a ${kind} step (${action}) cannot follow a ${last} one; only retriable steps can`);
  if (kind !== 'compensatable' && compensate)
    throw invalidField(`${field}.compensate`, `a ${kind} step (${action}) is never undone`);
  if (kind === 'compensatable' && !compensate && irreversible !== true)
    throw invalidField(
      `${field}.compensate`,
      `the step ${action} does not say how it is undone; name the address in \`compensate\`, or say \`irreversible: true\``,
    );
}
