/** Calls of participants by JSON-RPC: the method stands in the URL, the payload becomes the params, the error code the class. */
import { randomUUID } from 'node:crypto';
import { isLongNumber, type OutcomeClass, parseKeepingDigits } from '@amends/core';
import type { BranchCall } from './ports.ts';

/** Whether a call is made by JSON-RPC: its transaction says so and its URL names a method. */
export function isJsonRpc({ protocol, url }: Pick<BranchCall, 'protocol' | 'url'>): boolean {
  return protocol === 'json-rpc' && url.includes('method');
}

/** The body of the request. */
export function jsonRpcBody({ url, payload, gid, mode, branchId, op }: BranchCall): string {
  const method = new URL(url).searchParams.get('method') ?? '';
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString();
  const given = text === '' ? {} : parsedOrText(text);
  const own = isObject(given) ? given : { payload: given };
  const params = { ...own, gid, trans_type: mode, branch_id: branchId, op };
  return JSON.stringify({ jsonrpc: '2.0', id: randomUUID(), method, params });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isLongNumber(value);
}

/** A payload that is not JSON travels as it is. */
function parsedOrText(text: string): unknown {
  try {
    return parseKeepingDigits(text);
  } catch {
    return text;
  }
}

const failureCode = -32901;
const ongoingCode = -32902;

/** What the body of an answer means when its status and text say success. */
export function classOfJsonRpc(body: string): OutcomeClass {
  const code = errorCodeIn(body);
  if (code === null) return 'success';
  if (code === failureCode) return 'failure';
  return code === ongoingCode ? 'ongoing' : 'unknown';
}

/** null: no error. */
function errorCodeIn(body: string): number | null {
  try {
    const { error = null } = JSON.parse(body) as { error?: { code?: unknown } | null };
    return error === null ? null : Number(error.code);
  } catch {
    return null;
  }
}
