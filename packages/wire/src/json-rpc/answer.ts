/** Answers by JSON-RPC: all keys are always there. The status is 200, but for what is not JSON, or says so. */
import { type AmendsError, isAmendsError } from '@amends/core';
import { answerOf, type DtmAnswer } from '../dtm/answer.ts';
import type { JsonRpcProblem } from './request.ts';

export interface JsonRpcAnswer {
  readonly status: number;
  readonly body: {
    readonly jsonrpc: '2.0';
    readonly id: string | number;
    readonly error: { readonly code: number; readonly message: string } | null;
    readonly result: object | null;
  };
}

/** What came of a request. */
export function jsonRpcAnswer(id: string | number, { status, body }: DtmAnswer): JsonRpcAnswer {
  if (status === 200) return { status: 200, body: { jsonrpc: '2.0', id, error: null, result: body } };
  const { message = '' } = body as { message?: string };
  return failed(id, status === 409 ? -32901 : status === 425 ? -32902 : -32603, message);
}

/** What went wrong with a request; `error` is a problem with it, or an operating error. */
export function jsonRpcFailure(id: string | number, error: JsonRpcProblem | AmendsError): JsonRpcAnswer {
  if (isAmendsError(error, 'unsupported_media_type'))
    return { ...failed(id, -32700, `Parse json error: ${error.message}`), status: 415 };
  if (isAmendsError(error)) return jsonRpcAnswer(id, answerOf(error));
  const answer = failed(error.id, error.code, error.message);
  return error.code === -32700 ? { ...answer, status: 400 } : answer;
}

function failed(id: string | number, code: number, message: string): JsonRpcAnswer {
  return { status: 200, body: { jsonrpc: '2.0', id, error: { code, message }, result: null } };
}
