/** What a workflow has recorded: read when a run begins, added to step by step. */
import { AmendsClientError, type ClientErrorCode } from '../../api/client-error.ts';
import type { RecordedStep, TransactionPort, WorkflowStart, WorkflowState } from '../../api/transaction-port.ts';
import { jsonOf } from '../../barriers/kept-json.ts';
import { BusinessFailure, NeedsAttention } from '../../participants/verdict.ts';

/**
 * What a step gave: JSON. `done`: it failed although it was done, because what it returned cannot be kept; so it is undone too.
 */
export type Outcome = { readonly value: unknown } | Failure;

interface Failure {
  readonly failure: string;
  readonly done?: true;
}

/** Where something is recorded. */
interface JournalKey {
  readonly branchId: string;
  readonly op: string;
}

/** The records of one workflow. */
export interface Journal {
  has(key: JournalKey): boolean;
  /** @throws Error when it is recorded under another name: the function does not do the same each time */
  read(key: JournalKey, name: string): Outcome | undefined;
  /**
   * Records, durably.
   * @returns what is recorded: this, or a failure when it cannot be kept, or what another run has recorded before
   * @throws EndedElsewhere. NeedsAttention: not even a failure can be recorded
   */
  write(key: JournalKey, name: string, outcome: Outcome): Promise<Outcome>;
}

/** The workflow was ended by another run. */
export class EndedElsewhere extends Error {
  readonly state: WorkflowState;
  constructor(state: WorkflowState) {
    super('the workflow was ended by another run');
    this.state = state;
  }
}

/** Whether nothing runs any more. */
export function isEnded({ status }: WorkflowState): boolean {
  return status === 'succeed' || status === 'failed';
}

/** What an ended workflow gave. @throws BusinessFailure when it was rolled back */
export function resultOf({ status, reason, result }: WorkflowState): unknown {
  if (status === 'failed') throw new BusinessFailure(reason);
  return result === '' ? undefined : JSON.parse(result);
}

export function openJournal(
  port: TransactionPort,
  start: WorkflowStart,
  { recorded, signal }: Pick<WorkflowState, 'recorded'> & { readonly signal: AbortSignal | undefined },
): Journal {
  const records = new Map<string, RecordedStep>();
  const remember = (steps: readonly RecordedStep[]) => {
    for (const step of steps) records.set(textOf(step), step);
  };
  remember(recorded);

  /** Another run was faster, or has ended it all. */
  async function recordedBefore(key: JournalKey, error: unknown): Promise<RecordedStep> {
    const now = await port.prepareWorkflow(start, signal);
    if (isEnded(now)) throw new EndedElsewhere(now);
    remember(now.recorded);
    const other = records.get(textOf(key));
    if (other === undefined) throw error;
    return other;
  }

  return {
    has: (key) => records.has(textOf(key)),
    read(key, name) {
      const record = records.get(textOf(key));
      return record && outcomeOf(record, name);
    },
    async write(key, name, outcome) {
      try {
        return await register(key, name, outcome);
      } catch (error) {
        if (!isRefused(error)) throw error;
        const failure = failed(`what ${name} returned cannot be kept: ${error.message}`);
        if ('value' in outcome) return register(key, name, failure).catch((again: unknown) => stopOn(again));
        return stopOn(error);
      }
    },
  };

  async function register(key: JournalKey, name: string, outcome: Outcome): Promise<Outcome> {
    const step = recordOf(key, name, outcome);
    try {
      await port.register({ mode: 'workflow', gid: start.gid, ...step }, signal);
      return outcomeOf(step, name);
    } catch (error) {
      if (!(error instanceof AmendsClientError && error.code === 'conflict')) throw error;
      return outcomeOf(await recordedBefore(key, error), name);
    }
  }
}

/** The failure of what was done and cannot be kept. */
export function failed(reason: string): Failure {
  return { failure: reason, done: true };
}

/** Codes that say that the same content will never be taken. */
const refusals: ReadonlySet<ClientErrorCode> = new Set(['invalid_request', 'too_large', 'value_refused']);

function isRefused(error: unknown): error is AmendsClientError {
  return error instanceof AmendsClientError && refusals.has(error.code);
}

function stopOn(error: unknown): never {
  if (!isRefused(error)) throw error;
  throw new NeedsAttention(`the workflow can record nothing more, so it can neither go on nor be undone: ${error.message}`, {
    cause: error,
  });
}

function textOf({ branchId, op }: JournalKey): string {
  return `${branchId}-${op}`;
}

function recordOf({ branchId, op }: JournalKey, step: string, outcome: Outcome): RecordedStep {
  return { branchId, op, status: 'value' in outcome ? 'succeed' : 'failed', data: jsonOf({ step, ...outcome }, step) };
}

function outcomeOf({ branchId, data }: RecordedStep, name: string): Outcome {
  const { step, ...outcome } = JSON.parse(data) as { readonly step: string } & Outcome;
  if (step === name) return outcome;
  throw new Error(`the step ${branchId} is ${name}, but ${step} is recorded: the function must do the same each time`);
}
