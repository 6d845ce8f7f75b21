/** Requests by JSON-RPC 2.0. */
import { AmendsError } from '@amends/core';
import { parseJsonBody } from '../input/json-text.ts';

/** What can be asked for. */
export type JsonRpcMethod = 'newGid' | 'prepare' | 'submit' | 'abort' | 'registerBranch';

/** A checked request. */
export interface JsonRpcRequest {
  readonly id: string | number;
  readonly method: JsonRpcMethod;
  /** A transaction, or the flat map of a registration. */
  readonly params: unknown;
}

/** What is wrong with a request, by the codes of JSON-RPC. */
export class JsonRpcProblem extends Error {
  override readonly name = 'JsonRpcProblem';
  readonly code: number;
  /** As far as it could be read. */
  readonly id: string | number;

  constructor(code: number, message: string, id: string | number = '') {
    super(message);
    this.code = code;
    this.id = id;
  }
}

const methods: ReadonlySet<string> = new Set<JsonRpcMethod>(['newGid', 'prepare', 'submit', 'abort', 'registerBranch']);

/**
 * Reads a request. Ids may be texts or numbers; batches are not taken, as DTM does not.
 * @throws JsonRpcProblem
 */
export function parseJsonRpc(bytes: Uint8Array): JsonRpcRequest {
  const body = parseBody(bytes);
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new JsonRpcProblem(-32600, 'Bad json request: must be one object, batches are not supported');
  const { jsonrpc, id, method, params } = body as Record<string, unknown>;
  if ((typeof id !== 'string' && typeof id !== 'number') || id === '')
    throw new JsonRpcProblem(-32600, 'Bad json request: id is missing; give a text or a number');
  if (jsonrpc !== '2.0') throw new JsonRpcProblem(-32600, 'Bad json request: jsonrpc must be "2.0"', id);
  if (typeof method !== 'string' || !methods.has(method))
    throw new JsonRpcProblem(-32601, `Method not found: ${String(method)}`, id);
  return { id, method: method as JsonRpcMethod, params: params ?? {} };
}

function parseBody(bytes: Uint8Array): unknown {
  try {
    return parseJsonBody(bytes);
  } catch (error) {
    if (!(error instanceof AmendsError)) throw error;
    throw new JsonRpcProblem(-32700, `Parse json error: ${error.message}`);
  }
}
