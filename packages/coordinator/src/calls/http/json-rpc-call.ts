/** Calls by JSON-RPC. The URL holds the method, the payload becomes the params, and the code of an error says the class. */
import { randomUUID } from 'node:crypto';
import { isLongNumber, type OutcomeClass, parseKeepingDigits } from '@amends/core';
import type { BranchCall } from '../../ports/ports.ts';

/** A call is made by JSON-RPC when its transaction says so and its address names a method. */
export function isJsonRpc({ protocol, address }: Pick<BranchCall, 'protocol' | 'address'>): boolean {
  return protocol === 'json-rpc' && address.text.includes('method');
}

/** The body of the request; null when the payload is no object, which cannot be params. */
export function jsonRpcBody({ address, payload, gid, mode, branchId, op, workflow }: BranchCall): string | null {
  const given = paramsIn(payload);
  if (given === null) return null;
  const method = new URL(address.text).searchParams.get('method') ?? '';
  const params = { ...given, gid, trans_type: mode, branch_id: branchId, op: workflow === '' ? op : workflow };
  return JSON.stringify({ jsonrpc: '2.0', id: randomUUID(), method, params });
}

/** The payload's own params, with numbers digit for digit. An empty payload and `null` are no params. */
function paramsIn(payload: Uint8Array): object | null {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString();
  if (text === '') return {};
  try {
    const value = parseKeepingDigits(text);
    if (value === null) return {};
    return typeof value === 'object' && !Array.isArray(value) && !isLongNumber(value) ? value : null;
  } catch {
    return null;
  }
}

/** Codes of errors that are verdicts: DTM's own, and those of its client for PHP. */
const verdicts: ReadonlyMap<unknown, OutcomeClass> = new Map([
  [-32901, 'failure'],
  [409, 'failure'],
  [-32902, 'ongoing'],
  [425, 'ongoing'],
]);

/** What the body of an answer means when its status and text say success. */
export function classOfJsonRpc(body: string): OutcomeClass {
  const error = errorIn(body);
  return error === null ? 'success' : (verdicts.get(error.code) ?? 'unknown');
}

/** null: no error. */
function errorIn(body: string): { readonly code?: unknown } | null {
  try {
    return (JSON.parse(body) as { readonly error?: { readonly code?: unknown } | null } | null)?.error ?? null;
  } catch {
    return null;
  }
}
