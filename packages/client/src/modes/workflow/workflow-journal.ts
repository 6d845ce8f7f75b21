/** The records of a workflow: read when a run begins, and added to step by step. */
import { AmendsClientError, type ClientErrorCode } from '../../api/client-error.ts';
import type { RecordedStep, TransactionPort, WorkflowStart, WorkflowState } from '../../api/transaction-port.ts';
import { toJson } from '../../barriers/kept-json.ts';
import { BusinessFailure, NeedsAttention } from '../../participants/verdict.ts';
import { type Ending, unkeepableFailure } from './workflow-ending.ts';

/** The place of a record. */
interface JournalKey {
  readonly branchId: string;
  readonly op: string;
}

/** The records of one workflow. */
export interface Journal {
  has(key: JournalKey): boolean;
  /** @throws Error when the record has another name, because the function does not do the same each time */
  read(key: JournalKey, name: string): Ending | undefined;
  /**
   * Records how a step ended, durably.
   * @returns what is recorded: this, or a failure when it cannot be kept, or what another run recorded before
   * @throws EndedElsewhere. NeedsAttention: not even a failure can be recorded
   */
  write(key: JournalKey, name: string, ending: Ending): Promise<Ending>;
}

/** Another run has ended the workflow. */
export class EndedElsewhere extends Error {
  readonly state: WorkflowState;
  constructor(state: WorkflowState) {
    super('the workflow was ended by another run');
    this.state = state;
  }
}

/** Whether a workflow has ended. */
export function isEnded({ status }: WorkflowState): boolean {
  return status === 'succeed' || status === 'failed';
}

/** Reads the result of a workflow that has ended. @throws BusinessFailure when it was rolled back */
export function readEnd({ status, reason, result }: WorkflowState): unknown {
  if (status === 'failed') throw new BusinessFailure(reason);
  return result === '' ? undefined : JSON.parse(result);
}

/** Opens the journal of a workflow that has not ended. */
export function openJournal(
  port: TransactionPort,
  start: WorkflowStart,
  { recorded, signal }: Pick<WorkflowState, 'recorded'> & { readonly signal: AbortSignal | undefined },
): Journal {
  const records = new Map<string, RecordedStep>();
  const remember = (steps: readonly RecordedStep[]) => {
    for (const step of steps) records.set(keyText(step), step);
  };
  remember(recorded);

  /** Finds the record of another run that was faster. @throws EndedElsewhere when that run has ended the workflow */
  async function findRecord(key: JournalKey, error: unknown): Promise<RecordedStep> {
    const now = await port.prepareWorkflow(start, signal);
    if (isEnded(now)) throw new EndedElsewhere(now);
    remember(now.recorded);
    const other = records.get(keyText(key));
    if (other === undefined) throw error;
    return other;
  }

  return {
    has: (key) => records.has(keyText(key)),
    read(key, name) {
      const record = records.get(keyText(key));
      return record && readRecord(record, name);
    },
    async write(key, name, ending) {
      try {
        return await register(key, name, ending);
      } catch (error) {
        if (!isRefused(error)) throw error;
        const failure = unkeepableFailure(`what ${name} returned cannot be kept: ${error.message}`);
        if ('value' in ending) return register(key, name, failure).catch((again: unknown) => stopForHuman(again));
        return stopForHuman(error);
      }
    },
  };

  async function register(key: JournalKey, name: string, ending: Ending): Promise<Ending> {
    const step = recordOf(key, name, ending);
    try {
      await port.register({ mode: 'workflow', gid: start.gid, ...step }, signal);
      return readRecord(step, name);
    } catch (error) {
      if (!(error instanceof AmendsClientError && error.code === 'conflict')) throw error;
      return readRecord(await findRecord(key, error), name);
    }
  }
}

/** Codes that say that the server will never take this content. */
const refusals: ReadonlySet<ClientErrorCode> = new Set(['invalid_request', 'too_large', 'value_refused']);

function isRefused(error: unknown): error is AmendsClientError {
  return error instanceof AmendsClientError && refusals.has(error.code);
}

function stopForHuman(error: unknown): never {
  if (!isRefused(error)) throw error;
  throw new NeedsAttention(`the workflow can record nothing more, so it can neither go on nor be undone: ${error.message}`, {
    cause: error,
  });
}

function keyText({ branchId, op }: JournalKey): string {
  return `${branchId}-${op}`;
}

function recordOf({ branchId, op }: JournalKey, step: string, ending: Ending): RecordedStep {
  return { branchId, op, status: 'value' in ending ? 'succeed' : 'failed', data: toJson({ step, ...ending }, step) };
}

function readRecord({ branchId, data }: RecordedStep, name: string): Ending {
  const { step, ...ending } = JSON.parse(data) as { readonly step: string } & Ending;
  if (step === name) return ending;
  throw new Error(`the step ${branchId} is ${name}, but ${step} is recorded: the function must do the same each time`);
}
