/** The requests of the modes, made on the native API. */
import type { Bytes, Conclusion, NewBranch as NewBranchBody, NewTransaction, Transaction, TransactionBody } from './api-types.ts';
import { AmendsClientError } from './client-error.ts';
import { type Connection, transactionPath } from './connection.ts';
import { makeGid } from './gid.ts';
import type { Caller } from './pause.ts';
import type {
  BranchRegistration,
  Preparation,
  TransactionOptions,
  TransactionPort,
  WorkflowStart,
  WorkflowState,
} from './transaction-port.ts';

/** Makes the port of a server. @param server its base address */
export function nativePort(connection: Connection, server: string): TransactionPort {
  const post = async (path: string, body: object, caller: Caller) => {
    try {
      return (await connection.send({ method: 'POST', path, body, repeatable: true, ...caller })) as Transaction;
    } catch (error) {
      throw asConflict(error);
    }
  };
  const begin = (body: BeginBody, caller: Caller) => post('/transactions', body, caller);

  return {
    // Participants in other languages join by DTM's routes.
    address: `${server.replace(/\/+$/, '')}/api/dtmsvr`,
    newGid: makeGid,
    async prepare(transaction, signal) {
      const { gid } = transaction;
      await begin(preparedBody(transaction), { gid, signal });
    },
    async submit(transaction, signal) {
      const { gid, message } = transaction;
      if (message?.queryPrepared === '') await begin(messageBody(transaction, message, false), { gid, signal });
      else await post(`${transactionPath(gid)}/submit`, {}, { gid, signal });
    },
    async abort(gid, _mode, reason) {
      await post(`${transactionPath(gid)}/abort`, { reason: shorten(reason) }, { gid });
    },
    async register(branch, signal) {
      const { gid } = branch;
      await post(`${transactionPath(gid)}/branches`, branchBody(branch), { gid, signal });
    },
    async prepareWorkflow(workflow, signal) {
      const { gid } = workflow;
      try {
        return stateOf(await begin(workflowBody(workflow), { gid, signal }));
      } catch (error) {
        // It was begun with other content, perhaps by an older version of the application. The first content holds.
        if (!(error instanceof AmendsClientError && error.code === 'conflict')) throw error;
        const request = { method: 'GET', path: transactionPath(gid), repeatable: true, gid, signal } as const;
        const known = (await connection.send(request)) as Transaction;
        if (known.mode !== 'workflow') throw error;
        return stateOf(known);
      }
    },
    async conclude(gid, end, signal) {
      const body: Conclusion =
        end.status === 'succeed'
          ? { status: 'succeed', result: JSON.parse(end.result) as unknown }
          : { status: 'failed', reason: shorten(end.reason) };
      await post(`${transactionPath(gid)}/conclude`, body, { gid, signal });
    },
  };
}

/** Cuts a reason to the length that a coordinator takes. A message of any length must not keep a transaction from ending. */
function shorten(reason: string): string {
  return reason.slice(0, reasonCharactersMax).toWellFormed().replaceAll('\0', '\ufffd');
}

const reasonCharactersMax = 1_024;

/** To the modes, a transaction that was decided otherwise or has ended is in conflict, as one with other content is. */
function asConflict(error: unknown): unknown {
  if (!(error instanceof AmendsClientError && error.code === 'wrong_status')) return error;
  const { message, status, gid } = error;
  return new AmendsClientError('conflict', message, { status: status ?? undefined, gid: gid ?? undefined });
}

type BeginBody = NewTransaction & { readonly gid: string };

function preparedBody(transaction: Preparation): BeginBody {
  const { gid, mode, options, message } = transaction;
  if (message !== undefined) return messageBody(transaction, message, true);
  if (mode === 'msg') throw new Error(`${gid}: a message says who receives it`);
  const { timeoutMs, ...rest } = options;
  return { gid, mode, timeoutMs, ...callOptionsOf(rest) };
}

function messageBody(
  { gid, options }: Preparation,
  { steps, queryPrepared: queryUrl, delayMs }: NonNullable<Preparation['message']>,
  prepare: boolean,
): BeginBody {
  const { timeoutMs: askAfterMs, ...rest } = options;
  const deliveries = steps.map(({ action, payload }) => ({ action, payload: payload ?? {} }));
  return { gid, mode: 'msg', prepare, steps: deliveries, queryUrl, delayMs, askAfterMs, ...callOptionsOf(rest) };
}

function workflowBody({ gid, name, input, resume: resumeUrl, options }: WorkflowStart): BeginBody {
  const { retryDelayMs: resumeAfterMs, callTimeoutMs, headers } = options;
  const given = JSON.parse(input) as unknown;
  return { gid, mode: 'workflow', name, input: given, resumeUrl, resumeAfterMs, callTimeoutMs, headers };
}

function callOptionsOf({ callTimeoutMs, retryDelayMs, runAhead, headers }: Omit<TransactionOptions, 'timeoutMs'>) {
  const retry = retryDelayMs === undefined ? undefined : { delayMs: retryDelayMs };
  return { callTimeoutMs, retry, runAhead: runAhead === false ? false : undefined, headers };
}

function branchBody(branch: BranchRegistration): NewBranchBody {
  const { branchId } = branch;
  switch (branch.mode) {
    case 'tcc': {
      const { confirm, cancel, payload } = branch;
      return { mode: 'tcc', branchId, confirm, cancel, payload: payload ?? {} };
    }
    case 'xa':
      // The coordinator calls with `content-type: application/json` in any case, and Fastify refuses that without a body.
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
