/** The coordinator by its native API. */
import type { Bytes, Conclusion, NewBranch as NewBranchBody, NewTransaction, Transaction, TransactionBody } from './api-types.ts';
import { AmendsClientError } from './client-error.ts';
import type { Connection } from './connection.ts';
import { makeGid } from './gid.ts';
import type { OnBehalf } from './pause.ts';
import type {
  NewBranch,
  Preparation,
  TransactionOptions,
  TransactionPort,
  WorkflowStart,
  WorkflowState,
} from './transaction-port.ts';

/** @param server base address of the server */
export function nativePort(connection: Connection, server: string): TransactionPort {
  const post = async (path: string, body: object, about: OnBehalf) => {
    try {
      return (await connection.send({ method: 'POST', path, body, repeatable: true, ...about })) as Transaction;
    } catch (error) {
      throw asConflict(error);
    }
  };
  const begin = (body: NewTransaction & { readonly gid: string }, about: OnBehalf) => post('/transactions', body, about);

  return {
    // Participants of other languages join by the routes that they know.
    address: `${server.replace(/\/+$/, '')}/api/dtmsvr`,
    newGid: makeGid,
    async prepare(transaction, signal) {
      const { gid } = transaction;
      await begin(preparedBody(transaction), { gid, signal });
    },
    async submit(transaction, signal) {
      const { gid, message } = transaction;
      if (message?.queryPrepared === '') await begin(messageBody(transaction, message, false), { gid, signal });
      else await post(`${pathOf(gid)}/submit`, {}, { gid, signal });
    },
    async abort(gid, _mode, reason) {
      await post(`${pathOf(gid)}/abort`, { reason: shortened(reason) }, { gid });
    },
    async register(branch, signal) {
      const { gid } = branch;
      await post(`${pathOf(gid)}/branches`, branchBody(branch), { gid, signal });
    },
    async prepareWorkflow(workflow, signal) {
      const { gid } = workflow;
      try {
        return stateOf(await begin(workflowBody(workflow), { gid, signal }));
      } catch (error) {
        // Begun with something else, perhaps by an older version of the application: what it was begun with holds.
        if (!(error instanceof AmendsClientError && error.code === 'conflict')) throw error;
        const request = { method: 'GET', path: pathOf(gid), repeatable: true, gid, signal } as const;
        const known = (await connection.send(request)) as Transaction;
        if (known.mode !== 'workflow') throw error;
        return stateOf(known);
      }
    },
    async conclude(gid, conclusion, signal) {
      const body: Conclusion =
        conclusion.status === 'succeed'
          ? { status: 'succeed', result: JSON.parse(conclusion.result) as unknown }
          : { status: 'failed', reason: shortened(conclusion.reason) };
      await post(`${pathOf(gid)}/conclude`, body, { gid, signal });
    },
  };
}

/**
 * As much of a reason as a coordinator takes: an error's message can be of any length, and must not keep anything from ending.
 */
function shortened(reason: string): string {
  return reason.slice(0, reasonCharactersMax).toWellFormed().replaceAll('\0', '\ufffd');
}

const reasonCharactersMax = 1_024;

function pathOf(gid: string): string {
  return `/transactions/${encodeURIComponent(gid)}`;
}

/** What is decided otherwise, or over, stands against the request as other content does. */
function asConflict(error: unknown): unknown {
  if (!(error instanceof AmendsClientError && error.code === 'wrong_status')) return error;
  const { message, status, gid } = error;
  return new AmendsClientError('conflict', message, { status: status ?? undefined, gid: gid ?? undefined });
}

type Begun = NewTransaction & { readonly gid: string };

function preparedBody(transaction: Preparation): Begun {
  const { gid, mode, options, message } = transaction;
  if (message !== undefined) return messageBody(transaction, message, true);
  if (mode === 'msg') throw new Error(`${gid}: a message says who receives it`);
  const { timeoutMs, ...rest } = options;
  return { gid, mode, timeoutMs, ...callsOf(rest) };
}

function messageBody(
  { gid, options }: Preparation,
  { steps, queryPrepared: queryUrl, delayMs }: NonNullable<Preparation['message']>,
  prepare: boolean,
): Begun {
  const { timeoutMs: askAfterMs, ...rest } = options;
  const deliveries = steps.map(({ action, payload }) => ({ action, payload: payload ?? {} }));
  return { gid, mode: 'msg', prepare, steps: deliveries, queryUrl, delayMs, askAfterMs, ...callsOf(rest) };
}

function workflowBody({ gid, name, input, resume: resumeUrl, options }: WorkflowStart): Begun {
  const { retryDelayMs: resumeAfterMs, callTimeoutMs, headers } = options;
  const given = JSON.parse(input) as unknown;
  return { gid, mode: 'workflow', name, input: given, resumeUrl, resumeAfterMs, callTimeoutMs, headers };
}

function callsOf({ callTimeoutMs, retryDelayMs, headers }: Omit<TransactionOptions, 'timeoutMs'>) {
  return { callTimeoutMs, retry: retryDelayMs === undefined ? undefined : { delayMs: retryDelayMs }, headers };
}

function branchBody(branch: NewBranch): NewBranchBody {
  const { branchId } = branch;
  switch (branch.mode) {
    case 'tcc': {
      const { confirm, cancel, payload } = branch;
      return { mode: 'tcc', branchId, confirm, cancel, payload: payload ?? {} };
    }
    case 'xa':
      // Calls without a body say all the same that it is JSON, which some frameworks refuse (Fastify).
      return { mode: 'xa', branchId, url: branch.url, payload: {} };
    case 'workflow': {
      const { op, status, data } = branch;
      return { mode: 'workflow', branchId, op, status, result: JSON.parse(data) as unknown };
    }
  }
}

function stateOf({ status, reason, workflow, progress, result }: TransactionBody): WorkflowState {
  const { name, input } = workflow ?? { name: '', input: null };
  const recorded = progress.map(({ result: data, ...step }) => ({ ...step, data: textOf(data) }));
  return { status, reason, name, input: textOf(input), result: textOf(result), recorded };
}

function textOf(bytes: Bytes | null): string {
  if (bytes === null) return '';
  return bytes.encoding === 'utf8' ? bytes.text : Buffer.from(bytes.text, 'base64').toString();
}
