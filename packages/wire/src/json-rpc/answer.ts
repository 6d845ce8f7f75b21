/** Answers by JSON-RPC: all keys are always there. The status is 200, but for what is not JSON, or says so. */
import { type AmendsError, errorKinds, isAmendsError } from '@amends/core';
import { type DtmRefusal, type DtmResult, failureOf, isRefusal, refusalKinds, refusalText } from '../dtm/result.ts';
import { resultBody } from '../dtm/shown/result-body.ts';
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

/** The answer of a result. */
export function jsonRpcAnswerOf(id: string | number, result: DtmResult): JsonRpcAnswer {
  if (isRefusal(result)) return refused(id, result);
  const body = result.kind === 'gid' ? { gid: result.gid } : resultBody(result);
  return { status: 200, body: { jsonrpc: '2.0', id, error: null, result: body } };
}

function refused(id: string | number, refusal: DtmRefusal): JsonRpcAnswer {
  return failed(id, refusalKinds[refusal.kind].jsonRpcCode, refusalText(refusal));
}

const parseErrorCode = -32700;

/** What went wrong with a request; `error` is a problem with it, or an operating error. */
export function jsonRpcAnswerOfError(id: string | number, error: JsonRpcProblem | AmendsError): JsonRpcAnswer {
  if (!isAmendsError(error)) {
    const answer = failed(error.id, error.code, error.message);
    return error.code === parseErrorCode ? { ...answer, status: 400 } : answer;
  }
  const refusal = failureOf(error);
  if (refusal !== null) return refused(id, refusal);
  const { jsonRpcCode: code, httpStatus: status } = errorKinds[error.code];
  if (code === parseErrorCode) return { ...failed(id, code, `Parse json error: ${error.message}`), status };
  return failed(id, code, error.message);
}

function failed(id: string | number, code: number, message: string): JsonRpcAnswer {
  return { status: 200, body: { jsonrpc: '2.0', id, error: { code, message }, result: null } };
}
