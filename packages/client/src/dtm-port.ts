/** The coordinator by DTM's routes. */
import { AmendsClientError, type ClientErrorCode } from './client-error.ts';
import type { Connection, Request } from './connection.ts';
import { makeGid } from './gid.ts';
import { type Refusal, refusalError } from './request-error.ts';
import { retryAfterMs } from './retry-pause.ts';
import type {
  NewBranch,
  Preparation,
  TransactionOptions,
  TransactionPort,
  WorkflowStart,
  WorkflowState,
} from './transaction-port.ts';

const base = '/api/dtmsvr';

/** @param server base address of the server */
export function dtmPort(connection: Connection, server: string): TransactionPort {
  type Post = Pick<Request, 'gid' | 'signal'>;
  const post = (path: string, body: object, about: Post) =>
    connection.send({ method: 'POST', base, path, body, repeatable: true, refusal: dtmError, ...about });

  /** @param fits says that what the transaction has become is what was asked for */
  async function decide(path: string, body: object, { fits, ...about }: Post & { readonly fits: RegExp }): Promise<void> {
    try {
      await post(path, body, about);
    } catch (error) {
      // The answer to an earlier attempt was lost, and the transaction has moved on since.
      if (!(error instanceof AmendsClientError && error.code === 'conflict' && fits.test(error.message))) throw error;
    }
  }

  return {
    address: `${server.replace(/\/+$/, '')}${base}`,
    newGid: makeGid,
    async prepare(transaction, signal) {
      await post('/prepare', bodyOf(transaction), { gid: transaction.gid, signal });
    },
    submit: (transaction, signal) =>
      decide('/submit', bodyOf(transaction), { gid: transaction.gid, signal, fits: /status '(submitted|succeed)'/ }),
    abort: (gid, mode, reason) =>
      decide('/abort', { gid, trans_type: mode, rollback_reason: reason }, { gid, fits: /status '(aborting|failed)'/ }),
    async register(branch, signal) {
      await post('/registerBranch', registrationOf(branch), { gid: branch.gid, signal });
    },
    async prepareWorkflow(workflow, signal) {
      const answer = await post('/prepareWorkflow', workflowBodyOf(workflow), { gid: workflow.gid, signal });
      return stateOf(answer as WorkflowAnswer);
    },
    async conclude(gid, conclusion, signal) {
      const result = 'result' in conclusion ? { result: base64(conclusion.result) } : { rollback_reason: conclusion.reason };
      const body = { gid, trans_type: 'workflow', req_extra: { status: conclusion.status, ...result } };
      await decide('/submit', body, { gid, signal, fits: new RegExp(`status '${conclusion.status}'`) });
    },
  };
}

function bodyOf({ gid, mode, options, message }: Preparation): object {
  const body = { gid, trans_type: mode, ...optionsOf(options) };
  if (message === undefined) return body;
  return {
    ...body,
    steps: message.steps.map(({ action }) => ({ action })),
    payloads: message.steps.map(({ payload }) => JSON.stringify(payload ?? {})),
    query_prepared: message.queryPrepared,
    ...(message.delayMs > 0 ? { custom_data: JSON.stringify({ delay: seconds(message.delayMs) }) } : {}),
  };
}

function workflowBodyOf({ gid, name, input, resume, options }: WorkflowStart): object {
  const custom_data = JSON.stringify({ name, data: base64(input) });
  return { gid, trans_type: 'workflow', query_prepared: resume, custom_data, ...optionsOf(options) };
}

function registrationOf(branch: NewBranch): object {
  const { gid, branchId: branch_id, mode: trans_type } = branch;
  switch (branch.mode) {
    case 'tcc': {
      const { confirm, cancel, payload } = branch;
      return { gid, branch_id, trans_type, confirm, cancel, data: JSON.stringify(payload ?? {}) };
    }
    case 'xa':
      // Calls without a body say all the same that it is JSON, which some frameworks refuse (Fastify).
      return { gid, branch_id, trans_type, url: branch.url, data: '{}' };
    case 'workflow': {
      const { op, status, data } = branch;
      return { gid, branch_id, trans_type, op, status, data, sync: 'true' };
    }
  }
}

function optionsOf({ timeoutMs, callTimeoutMs, retryDelayMs, headers }: TransactionOptions): object {
  return {
    ...(timeoutMs === undefined ? {} : { timeout_to_fail: seconds(timeoutMs) }),
    ...(callTimeoutMs === undefined ? {} : { request_timeout: seconds(callTimeoutMs) }),
    ...(retryDelayMs === undefined ? {} : { retry_interval: seconds(retryDelayMs) }),
    ...(headers === undefined ? {} : { branch_headers: headers }),
  };
}

/** These routes count whole seconds. */
function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}

interface WorkflowAnswer {
  readonly transaction: {
    readonly status: string;
    readonly rollback_reason?: string;
    readonly result?: string;
    readonly custom_data?: string;
  };
  readonly progresses: readonly {
    readonly branch_id: string;
    readonly op: string;
    readonly status: 'succeed' | 'failed';
    readonly bin_data?: string;
  }[];
}

function stateOf({ transaction, progresses }: WorkflowAnswer): WorkflowState {
  const { status, rollback_reason: reason = '', result = '', custom_data: begun = '{}' } = transaction;
  const { name = '', data = '' } = JSON.parse(begun) as { readonly name?: string; readonly data?: string | null };
  const recorded = progresses.map((step) => ({
    branchId: step.branch_id,
    op: step.op,
    status: step.status,
    data: text(step.bin_data ?? ''),
  }));
  return { status, reason, name, input: text(data ?? ''), result: text(result), recorded };
}

function base64(json: string): string {
  return Buffer.from(json).toString('base64');
}

function text(encoded: string): string {
  return Buffer.from(encoded, 'base64').toString();
}

const codes: Readonly<Record<number, ClientErrorCode>> = {
  400: 'invalid_request',
  401: 'unauthorized',
  403: 'forbidden',
  409: 'conflict',
  413: 'too_large',
  500: 'internal',
  501: 'not_implemented',
  503: 'overloaded',
};

/** These routes say why in `message`. */
function dtmError(refusal: Refusal, request: Request): AmendsClientError {
  const { message } = (refusal.json ?? {}) as { readonly message?: unknown };
  const code = codes[refusal.status];
  if (typeof message !== 'string' || code === undefined) return refusalError(refusal, request);
  const details = { status: refusal.status, gid: request.gid, retryAfterMs: retryAfterMs(refusal.retryAfter) };
  return new AmendsClientError(code, message.replace(/ ?FAILURE$/, ''), details);
}
