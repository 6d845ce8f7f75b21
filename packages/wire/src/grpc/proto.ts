/**
 * The gRPC protocol of DTM, as its clients were generated from it, the service that workflows are resumed by, and the
 * standard health check. Field 4 of the options is what old clients send as `PassthroughHeaders`; it means nothing any more.
 */
export const proto = `
syntax = "proto3";

package dtmgimp;

message Empty {}

message DtmTransOptions {
  bool WaitResult = 1;
  int64 TimeoutToFail = 2;
  int64 RetryInterval = 3;
  map<string, string> BranchHeaders = 5;
  int64 RequestTimeout = 6;
  int64 RetryLimit = 7;
}

message DtmRequest {
  string Gid = 1;
  string TransType = 2;
  DtmTransOptions TransOptions = 3;
  string CustomedData = 4;
  repeated bytes BinPayloads = 5;
  string QueryPrepared = 6;
  string Steps = 7;
  map<string, string> ReqExtra = 8;
  string RollbackReason = 9;
}

message DtmGidReply {
  string Gid = 1;
}

message DtmBranchRequest {
  string Gid = 1;
  string TransType = 2;
  string BranchID = 3;
  string Op = 4;
  map<string, string> Data = 5;
  bytes BusiPayload = 6;
}

message DtmTransaction {
  string Gid = 1;
  string Status = 2;
  string RollbackReason = 3;
  string Result = 4;
}

message DtmProgress {
  string Status = 1;
  bytes BinData = 2;
  string BranchID = 3;
  string Op = 4;
}

message DtmProgressesReply {
  DtmTransaction Transaction = 1;
  repeated DtmProgress Progresses = 2;
}

message DtmTopicRequest {
  string Topic = 1;
  string URL = 2;
  string Remark = 3;
}

message WorkflowData {
  bytes Data = 1;
}

message HealthCheckRequest {
  string service = 1;
}

message HealthCheckResponse {
  enum ServingStatus {
    UNKNOWN = 0;
    SERVING = 1;
    NOT_SERVING = 2;
    SERVICE_UNKNOWN = 3;
  }
  ServingStatus status = 1;
}
`;
