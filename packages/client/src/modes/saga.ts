/**
 * The saga builder: compensatable steps, then at most one pivot, then retriable steps. Immutable: each `step` gives a new
 * saga. The types know what may come next; whoever has no types hears it at run time, and the server holds the same rule.
 */
import type { AnswerReference, NewSaga, NewStep, RetryPolicy, StepKind, Transaction } from '../api/api-types.ts';
import { invalid } from '../api/client-error.ts';

/** What holds for the whole saga. */
export interface SagaOptions {
  /** Undecided after this time it is rolled back. Milliseconds; default: never. */
  readonly timeoutMs?: number;
  /** Not finished after this time, an alarm is raised; nothing else follows. Milliseconds; default 5 minutes, null: never. */
  readonly alarmAfterMs?: number | null;
  /** Added to every call. */
  readonly headers?: Readonly<Record<string, string>>;
  /** true: steps without `after` start at once; false (default): each of them follows the step before it. */
  readonly concurrent?: boolean;
}

/**
 * Makes a payload that refers to answers of steps. It is run once, while the saga is built: what `from` gives is not the
 * answer but stands for it, so nothing can be computed of it; it can only be put somewhere.
 */
export type PayloadOfAnswers<Names extends string> = (from: FromAnswer<Names>) => unknown;

/** Stands for the answer of the step of that name, or for a part of it such as `$.items[0].id`. */
export type FromAnswer<Names extends string> = (step: Names, path?: AnswerPath) => AnswerReference;

/** A path into a JSON answer. */
export type AnswerPath = '$' | `$.${string}` | `$[${number}]${string}`;

interface AnyStep<Names extends string> {
  /** Absolute http or https address that does the step; empty: nothing to call. */
  readonly action: string;
  /** By which payloads refer to its answer; unique within the saga. */
  readonly name?: string;
  /** Keep the answer of the action, at most 64 KiB of JSON, for payloads of later steps and of compensations. */
  readonly keepAnswer?: boolean;
  /** JSON, sent as the body of each call; or a function that makes it of answers of earlier steps. Default `{}`. */
  readonly payload?: Json | PayloadOfAnswers<Names>;
  /** Time for one call, answer included. Milliseconds; default 10 s. */
  readonly timeoutMs?: number;
  /** How the action is tried again while there is no verdict. */
  readonly retry?: RetryPolicy;
  /** Indexes, from 0, of the steps that must have succeeded before this one starts. */
  readonly after?: readonly number[];
}

/** What is no function. */
type Json = object | string | number | boolean | null | undefined;

/** A step that can be undone by a call. */
export interface UndoableStep<Names extends string = string, Own extends string = string> extends AnyStep<Names> {
  readonly kind?: 'compensatable';
  /** Address that undoes the action. */
  readonly compensate: string;
  /** Body of the compensation instead of `payload`; a function may refer to the answer of its own action too. */
  readonly compensatePayload?: Json | PayloadOfAnswers<Names | Own>;
  /** How the compensation is tried again. */
  readonly compensateRetry?: RetryPolicy;
  readonly irreversible?: never;
}

/** A step before the point of no return that leaves nothing to undo, or nothing that could be. */
export interface IrreversibleStep<Names extends string = string> extends AnyStep<Names> {
  readonly kind?: 'compensatable';
  /** Says that the missing compensation is no oversight: a roll back passes over this step. */
  readonly irreversible: true;
  readonly compensate?: never;
  readonly compensatePayload?: never;
  readonly compensateRetry?: never;
}

/** The point of no return: it may fail, and then all before it is undone; after its success a saga only goes forward. */
export interface PivotStep<Names extends string = string> extends AnyStep<Names> {
  readonly kind: 'pivot';
  readonly compensate?: never;
  readonly compensatePayload?: never;
  readonly compensateRetry?: never;
  readonly irreversible?: never;
}

/** A step after the point of no return; tried until it succeeds. */
export interface RetriableStep<Names extends string = string> extends AnyStep<Names> {
  readonly kind: 'retriable';
  readonly compensate?: never;
  readonly compensatePayload?: never;
  readonly compensateRetry?: never;
  readonly irreversible?: never;
}

/** Any step. */
export type SagaStep = UndoableStep | IrreversibleStep | PivotStep | RetriableStep;

export interface SubmitOptions {
  /** Identity chosen by the caller: submitting the same again begins nothing new. Default: one is made. */
  readonly gid?: string;
  /** The trace that it belongs to, as a W3C `traceparent`; participants are told. Default: none. */
  readonly traceparent?: string;
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

/** Names of the steps before, with that of one more when it keeps its answer. */
type With<Names extends string, Name extends string, Keeps extends boolean> = Keeps extends true ? Names | Name : Names;

/** How a step says its name, and whether its answer is kept. */
interface Named<Name extends string, Keeps extends boolean> {
  readonly name?: Name;
  readonly keepAnswer?: Keeps;
}

/**
 * A saga that can still be undone: any step may follow.
 * @typeParam Names of the steps that keep their answers; payloads of later steps can refer to these
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

/** Sends what was built. */
export type Submit = (saga: NewSaga, options: SubmitOptions) => Promise<Transaction>;

export function emptySaga(options: SagaOptions, submit: Submit): Saga {
  return sagaOf([], options, submit);
}

function sagaOf(steps: readonly NewStep[], options: SagaOptions, submit: Submit): Saga<string> & ForwardSaga<string> {
  return {
    step(step: SagaStep) {
      checkStep(steps, step);
      return sagaOf([...steps, newStep(step)], options, submit);
    },
    submit: (how = {}) => submit({ mode: 'saga', steps, ...options }, how),
  };
}

function newStep({ irreversible, payload = {}, compensatePayload, ...step }: SagaStep): NewStep {
  const own = compensatePayload === undefined ? {} : { compensatePayload: declared(compensatePayload) };
  return { ...step, payload: declared(payload), ...own };
}

/** A payload as it travels: references in the place of what a function took `from` where. */
function declared(payload: unknown): unknown {
  return typeof payload === 'function' ? (payload as PayloadOfAnswers<string>)(from) : payload;
}

const from: FromAnswer<string> = (step, path = '$') => Object.freeze({ $from: step, path });

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
