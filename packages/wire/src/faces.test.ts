/** One result, or one operating error, as each protocol of DTM shows it. */
import { AmendsError, type Gid } from '@amends/core';
import { describe, expect, test } from 'vitest';
import { type DtmResult, done, dtmAnswerOf, dtmAnswerOfError, failure, ongoing, trouble } from './dtm/index.ts';
import { grpcAnswerOf, grpcAnswerOfError } from './grpc/index.ts';
import { jsonRpcAnswerOf, jsonRpcAnswerOfError } from './json-rpc/index.ts';

describe('a result', () => {
  test.each<[DtmResult, number, object, object, object]>([
    [done, 200, { dtm_result: 'SUCCESS' }, {}, { dtm_result: 'SUCCESS' }],
    [{ kind: 'gid', gid: 'g' as Gid }, 200, { dtm_result: 'SUCCESS', gid: 'g' }, { Gid: 'g' }, { gid: 'g' }],
  ])('%j is shown', (result, status, body, reply, rpcResult) => {
    expect(dtmAnswerOf(result)).toEqual({ status, body });
    expect(grpcAnswerOf(result)).toEqual({ reply });
    expect(jsonRpcAnswerOf(7, result)).toEqual({
      status: 200,
      body: { jsonrpc: '2.0', id: 7, error: null, result: rpcResult },
    });
  });

  test.each<[DtmResult, number, number, number, string]>([
    [failure('no money'), 409, 10, -32901, 'no money FAILURE'],
    [failure('told already FAILURE'), 409, 10, -32901, 'told already FAILURE'],
    [failure(''), 409, 10, -32901, 'FAILURE'],
    [ongoing('status aborting'), 425, 9, -32902, 'status aborting ONGOING'],
    [trouble('empty topic'), 500, 2, -32603, 'empty topic'],
  ])('%j says no with one message and the codes of each protocol', (result, http, grpc, rpc, message) => {
    expect(dtmAnswerOf(result)).toMatchObject({ status: http, body: { message } });
    expect(grpcAnswerOf(result)).toEqual({ status: { code: grpc, message } });
    expect(jsonRpcAnswerOf('a', result).body.error).toEqual({ code: rpc, message });
  });
});

describe('an operating error', () => {
  test.each([
    ['invalid_request', 400, 3, -32603, 200, 'm'],
    ['conflict', 409, 10, -32901, 200, 'm FAILURE'],
    ['overloaded', 503, 14, -32603, 200, 'm'],
    ['internal', 500, 13, -32603, 200, 'm'],
  ] as const)('%s has the codes of the table', (code, http, grpc, rpc, rpcStatus, message) => {
    const error = new AmendsError(code, 'm');
    expect(dtmAnswerOfError(error)).toMatchObject({ status: http, body: { message } });
    expect(grpcAnswerOfError(error)).toEqual({ status: { code: grpc, message } });
    expect(jsonRpcAnswerOfError(1, error)).toMatchObject({ status: rpcStatus, body: { error: { code: rpc, message } } });
  });
});
