/** Requests by gRPC, as the requests that every protocol of DTM makes. */
import type { Trace } from '@amends/core';
import { type DtmRegistration, parseRegistration } from '../dtm/register-branch.ts';
import { type DtmTransaction, parseDtmTransaction } from '../dtm/transaction.ts';
import { parseJsonText } from '../input/json-text.ts';
import type { GrpcBranch, GrpcTransaction } from './messages.ts';

/**
 * A transaction.
 * @throws AmendsError `invalid_request` naming the field
 */
export function transactionOfGrpc(message: GrpcTransaction, trace: Trace | null): DtmTransaction {
  const { TransOptions: options } = message;
  const body = {
    gid: message.Gid,
    trans_type: message.TransType,
    steps: message.Steps === '' ? [] : parseJsonText('Steps', message.Steps),
    query_prepared: message.QueryPrepared,
    custom_data: message.CustomedData,
    rollback_reason: message.RollbackReason,
    req_extra: message.ReqExtra,
    protocol: 'grpc',
    ...(options === null
      ? {}
      : {
          wait_result: options.WaitResult,
          timeout_to_fail: options.TimeoutToFail,
          retry_interval: options.RetryInterval,
          request_timeout: options.RequestTimeout,
          retry_limit: options.RetryLimit,
          branch_headers: options.BranchHeaders,
        }),
  };
  return { ...parseDtmTransaction(body, trace), payloads: message.BinPayloads };
}

/**
 * A registration: its URLs, or the op and status of a workflow's step, come in the map.
 * @throws AmendsError `invalid_request` naming the field
 */
export function registrationOfGrpc(message: GrpcBranch): DtmRegistration {
  const { Gid: gid, TransType: type, BranchID: id, Data: fields, BusiPayload: payload } = message;
  return parseRegistration({ ...fields, gid, trans_type: type, branch_id: id }, 'grpc', payload);
}
