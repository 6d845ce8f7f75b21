/** Requests by gRPC, as the bodies that every protocol of DTM hands over. */
import type { DtmBody } from '../dtm/body.ts';
import { parseJsonText } from '../input/json-text.ts';
import type { GrpcBranch, GrpcTopic, GrpcTransaction } from './messages.ts';

/** A transaction. @throws AmendsError `invalid_request` when its steps are not JSON */
export function bodyOfTransaction(message: GrpcTransaction): DtmBody {
  const { TransOptions: options } = message;
  const fields = {
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
  return { fields, payloads: message.BinPayloads };
}

/** A registration: its URLs, or the op and status of a workflow's step, come in the map. */
export function bodyOfBranch(message: GrpcBranch): DtmBody {
  const { Gid: gid, TransType: type, BranchID: id, Data: fields, BusiPayload: payload } = message;
  return { fields: { ...fields, gid, trans_type: type, branch_id: id }, payloads: [payload] };
}

/** A change of a topic. */
export function bodyOfTopic({ Topic: topic, URL: url, Remark: remark }: GrpcTopic): DtmBody {
  return { fields: { topic, url, remark } };
}

/** A request that says nothing. */
export function bodyOfNothing(): DtmBody {
  return { fields: {} };
}
