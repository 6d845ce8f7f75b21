/** What a workflow has recorded: read when a run begins, added to step by step. */
import { AmendsClientError } from './client-error.ts';
import type { RecordedStep, TransactionPort, WorkflowStart, WorkflowState } from './transaction-port.ts';
import { BusinessFailure } from './verdict.ts';

/** What a step gave: JSON. */
export type Outcome = { readonly value: unknown } | { readonly failure: string };

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
   * @returns what is recorded: this, or what another run has recorded before
   * @throws EndedElsewhere
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

/** The journal of a workflow that is open. */
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
      const step = recordOf(key, name, outcome);
      try {
        await port.register({ mode: 'workflow', gid: start.gid, ...step }, signal);
        return outcomeOf(step, name);
      } catch (error) {
        if (!(error instanceof AmendsClientError && error.code === 'conflict')) throw error;
        return outcomeOf(await recordedBefore(key, error), name);
      }
    },
  };
}

function textOf({ branchId, op }: JournalKey): string {
  return `${branchId}-${op}`;
}

function recordOf({ branchId, op }: JournalKey, step: string, outcome: Outcome): RecordedStep {
  return { branchId, op, status: 'value' in outcome ? 'succeed' : 'failed', data: JSON.stringify({ step, ...outcome }) };
}

function outcomeOf({ branchId, data }: RecordedStep, name: string): Outcome {
  const { step, ...outcome } = JSON.parse(data) as { readonly step: string } & Outcome;
  if (step === name) return outcome;
  throw new Error(`the step ${branchId} is ${name}, but ${step} is recorded: the function must do the same each time`);
}
