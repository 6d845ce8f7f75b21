/**
 * The tests of DTM's own server and its examples, by file, and which case here stands for each; or why none does. Cases of
 * the Go suite unless they are named otherwise; `unit` are tests beside the source, `simulation` those in `tests/simulation`.
 */

/** Tests of DTM, and what stands for them. */
export interface Covered {
  /** A file of DTM's tests, or its example program. */
  readonly source: string;
  readonly tests: readonly string[];
  /** Names of cases; or, with `unit:` or `simulation:` before it, a file of tests of ours. */
  readonly by: readonly string[];
  /** Why there is no case. */
  readonly excluded?: string;
  /** Why the test as it stands would not pass here, although cases of ours cover what it is about. */
  readonly differs?: string;
}

const noMongo = 'the registries here have no MongoDB server; the barrier of the TypeScript SDK is tested where one is named';
const endIsTold = 'wants an error when what has succeeded is submitted again; here that is told as success';
const pausesStay =
  'wants all attempts that `retry_limit` allows within one request; here they have their pauses, and the request is told ONGOING meanwhile';
const asText = 'sends its JSON as `text/plain`, as any web page could without being asked; here that is refused';
const ownStore = 'reads and writes the tables of DTM itself';
const internal = 'tests the inside of DTM, which Amends does not have';

/** All of them. */
export const inventory: readonly Covered[] = [
  { source: 'api_test', tests: ['TestAPIVersion'], by: ['TestVersion'] },
  { source: 'api_test', tests: ['TestAPIQuery'], by: ['TestQuery', 'TestQueryWithoutGid', 'TestQueryUnknownGid'] },
  { source: 'api_test', tests: ['TestAPIAll'], by: ['TestAll'] },
  { source: 'api_test', tests: ['TestAPIScanKV', 'TestAPIQueryKV'], by: ['unit:packages/server/src/http/dtm-topics.test.ts'] },
  { source: 'api_test', tests: ['TestDtmMetrics'], by: ['TestMetrics'] },
  {
    source: 'api_test',
    tests: ['TestAPIResetCronTime'],
    by: ['unit:packages/server/src/http/dtm-topics.test.ts'],
    differs: ownStore,
  },
  { source: 'api_test', tests: ['TestAPIForceStoppedNormal', 'TestAPIForceStoppedAbnormal'], by: ['TestForceStop'] },
  {
    source: 'api_test',
    tests: ['TestAPIResetNextCronTime'],
    by: ['TestResetNextCronTime', 'unit:packages/server/src/dtm/dtm-records.test.ts'],
  },
  { source: 'base_test', tests: ['TestBaseSqlDB'], by: ['TestSagaBarrierNormal', 'TestSagaBarrierRollback'] },
  { source: 'base_test', tests: ['TestBaseHttp'], by: [], excluded: internal },
  { source: 'common_test', tests: ['TestGeneralDB'], by: [], excluded: internal },
  { source: 'common_test', tests: ['TestMustGenGid'], by: ['TestNewGid', 'TestSagaGrpcNormal'] },
  { source: 'dtmsvr_test', tests: ['TestUpdateBranchAsync'], by: [], excluded: internal },
  { source: 'dtmsvr_test', tests: ['TestGrpcPanic'], by: ['TestGrpcBadRequest'] },
  { source: 'msg_test', tests: ['TestMsgNormal'], by: ['TestMsgNormal', 'TestMsgTopic'] },
  {
    source: 'msg_test',
    tests: ['TestMsgTimeoutSuccess', 'TestMsgTimeoutFailed'],
    by: ['TestMsgTimeoutSuccess', 'TestMsgTimeoutFailed'],
  },
  { source: 'msg_test', tests: ['TestMsgAbnormal'], by: ['TestMsgPrepareTwice', 'TestMsgSubmitTwice'] },
  { source: 'msg_test', tests: ['TestMsgTopicNotFoundFailed'], by: ['TestMsgTopicNotFound'] },
  {
    source: 'msg_options_test',
    tests: ['TestMsgOptionsTimeout', 'TestMsgOptionsTimeoutCustom', 'TestMsgOptionsTimeoutFailed'],
    by: ['TestMsgTimeoutCustom', 'TestMsgTimeoutFailed', 'TestMsgOptionsOfPrepareHold'],
  },
  { source: 'msg_options_test', tests: ['TestMsgConcurrent'], by: ['TestMsgConcurrent'] },
  { source: 'msg_delay_test', tests: ['TestMsgDelayNormal'], by: ['TestMsgDelay'] },
  {
    source: 'msg_webhook_test',
    tests: ['TestMsgWebhook', 'TestMsgWebhookError'],
    by: ['unit:packages/server/src/alerts/alerts.test.ts'],
  },
  { source: 'msg_barrier_test', tests: ['TestMsgDoAndSubmit'], by: ['TestMsgBarrierDoAndSubmit', 'TestMsgDoAndSubmit'] },
  {
    source: 'msg_barrier_test',
    tests: ['TestMsgDoAndSubmitBusiFailed'],
    by: ['TestMsgBarrierBusiFailed', 'TestMsgDoAndSubmitRefused'],
  },
  { source: 'msg_barrier_test', tests: ['TestMsgDoAndSubmitBusiLater'], by: ['TestMsgBarrierBusiLater'] },
  {
    source: 'msg_barrier_test',
    tests: ['TestMsgDoAndSubmitPrepareFailed'],
    by: [],
    excluded: 'nothing reaches the server: the client is given an address where none is',
  },
  {
    source: 'msg_barrier_test',
    tests: ['TestMsgDoAndSubmitCommitFailed', 'TestMsgDoAndSubmitCommitAfterFailed'],
    by: ['TestMsgDoAndSubmitUnclear', 'TestMsgBarrierCommittedNotSubmitted'],
  },
  { source: 'msg_barrier_redis_test', tests: ['TestMsgRedisDo'], by: ['TestMsgRedisDo'] },
  { source: 'msg_barrier_redis_test', tests: ['TestMsgRedisDoBusiFailed'], by: ['TestMsgRedisBusiFailed'] },
  { source: 'msg_barrier_redis_test', tests: ['TestMsgRedisDoBusiLater'], by: ['TestMsgRedisBusiLater'] },
  {
    source: 'msg_barrier_redis_test',
    tests: ['TestMsgRedisDoPrepareFailed', 'TestMsgRedisDoCommitFailed', 'TestMsgRedisDoCommitAfterFailed'],
    by: ['TestMsgDoAndSubmitUnclear'],
  },
  { source: 'msg_barrier_mongo_test', tests: ['TestMsgMongoDo…'], by: [], excluded: noMongo },
  {
    source: 'msg_grpc_test',
    tests: ['TestMsgGrpcNormal'],
    by: ['TestMsgNormal', 'unit:packages/server/src/grpc/grpc-listener.test.ts'],
  },
  {
    source: 'msg_grpc_test',
    tests: ['TestMsgGrpcTimeoutFailed'],
    by: ['TestMsgTimeoutFailed'],
  },
  {
    source: 'msg_grpc_test',
    tests: ['TestMsgGrpcTimeoutSuccess'],
    by: ['TestMsgTimeoutSuccess', 'unit:packages/server/src/dtm/bad-subscribers.test.ts'],
    differs: 'wants a subscriber of a topic that is not ready to keep the message from the next one; here they get it at once',
  },
  {
    source: 'msg_grpc_barrier_test',
    tests: [
      'TestMsgGrpcPrepareAndSubmit',
      'TestMsgGrpcPrepareAndSubmitCommitAfterFailed',
      'TestMsgGrpcPrepareAndSubmitCommitFailed',
    ],
    by: ['TestMsgDoAndSubmit', 'TestMsgDoAndSubmitUnclear'],
  },
  { source: 'msg_grpc_barrier_redis_test', tests: ['TestMsgGrpcRedisDo…'], by: ['TestMsgRedisDo', 'TestMsgDoAndSubmitUnclear'] },
  { source: 'msg_jrpc_test', tests: ['TestMsgJrpcNormal', 'TestMsgJrpcResults'], by: ['TestMsgNormal', 'TestMsgStepFails'] },
  {
    source: 'msg_jrpc_test',
    tests: ['TestMsgJrpcDoAndSubmit', 'TestMsgJrpcDoAndSubmitBusiFailed'],
    by: ['TestMsgDoAndSubmit', 'TestMsgDoAndSubmitRefused'],
  },
  { source: 'msg_jrpc_test', tests: ['TestMsgJrpcRepeated'], by: ['TestMsgSubmitTwice'], differs: endIsTold },
  {
    source: 'msg_jrpc_test',
    tests: ['TestMsgJprcAbnormal', 'TestMsgJprcAbnormal2'],
    by: ['unit:packages/server/src/http/json-rpc-face.test.ts'],
  },
  { source: 'saga_test', tests: ['TestSagaNormal'], by: ['TestSagaNormal'] },
  { source: 'saga_test', tests: ['TestSagaRollback'], by: ['TestSagaRollback'] },
  { source: 'saga_test', tests: ['TestSagaOngoingSucceed'], by: ['TestSagaOngoing'] },
  { source: 'saga_test', tests: ['TestSagaFailed'], by: ['TestSagaCompensationFlaky'] },
  { source: 'saga_test', tests: ['TestSagaAbnormal'], by: ['TestSagaDuplicateSubmit'], differs: endIsTold },
  { source: 'saga_test', tests: ['TestSagaEmptyUrl'], by: ['TestSagaEmptyURL'] },
  {
    source: 'saga_options_test',
    tests: ['TestSagaOptionsRetryOngoing'],
    by: ['TestSagaOngoing'],
  },
  {
    source: 'saga_options_test',
    tests: ['TestSagaOptionsRetryError'],
    by: ['TestSagaFlaky'],
    differs: 'wants the first retry after twice the interval; here it comes after one',
  },
  { source: 'saga_options_test', tests: ['TestSagaOptionsTimeout'], by: ['TestSagaTimeoutToFail'] },
  { source: 'saga_options_test', tests: ['TestSagaGlobalTransWithRequestTimeout'], by: ['TestSagaRequestTimeout'] },
  {
    source: 'saga_options_test',
    tests: ['TestSagaOptionsNormalWait', 'TestSagaOptionsCommittedOngoingWait', 'TestSagaOptionsRollbackWait'],
    by: ['TestSagaWaitSuccess', 'TestSagaWaitOngoing', 'TestSagaWaitRollback'],
  },
  { source: 'saga_options_test', tests: ['TestSagaHeaders', 'TestSagaHeadersYes1'], by: ['TestSagaBranchHeaders'] },
  {
    source: 'saga_options_test',
    tests: ['TestSagaGlobalTransWithRetryLimitYes', 'TestSagaGlobalTransWithRetryLimitNo'],
    by: ['TestSagaRetryLimitYes', 'TestSagaRetryLimitNo'],
    differs: pausesStay,
  },
  { source: 'saga_concurrent_test', tests: ['TestSagaConNormal'], by: ['TestSagaConcurrentNormal'] },
  { source: 'saga_concurrent_test', tests: ['TestSagaConRollbackNormal'], by: ['TestSagaConcurrentRollback'] },
  {
    source: 'saga_concurrent_test',
    tests: ['TestSagaConRollbackOrder', 'TestSagaConRollbackOrder2'],
    by: ['TestSagaOrderNormal', 'TestSagaOrderRollback'],
  },
  { source: 'saga_concurrent_test', tests: ['TestSagaConCommittedOngoing'], by: ['TestSagaConcurrentOngoing'] },
  { source: 'saga_compatible_test', tests: ['TestSagaCompatibleNormal'], by: ['TestOldPayloadForm'], differs: asText },
  {
    source: 'saga_barrier_test',
    tests: ['TestSagaBarrierNormal', 'TestSagaBarrierRollback'],
    by: ['TestSagaBarrierNormal', 'TestSagaBarrierRollback'],
  },
  {
    source: 'saga_barrier_test',
    tests: ['TestSagaBarrier2Normal'],
    by: ['unit:packages/client/src/barriers/sql-barrier.test.ts'],
  },
  {
    source: 'saga_barrier_redis_test',
    tests: ['TestSagaBarrierRedisNormal', 'TestSagaBarrierRedisRollback'],
    by: ['TestSagaBarrierRedisNormal', 'TestSagaBarrierRedisRollback', 'TestSagaBarrierRedisSoldOut'],
  },
  { source: 'saga_barrier_mongo_test', tests: ['TestSagaBarrierMongo…'], by: [], excluded: noMongo },
  { source: 'saga_grpc_test', tests: ['TestSagaGrpcNormal', 'TestSagaGrpcNormalWait'], by: ['TestSagaGrpcNormal'] },
  {
    source: 'saga_grpc_test',
    tests: ['TestSagaGrpcRollback', 'TestSagaGrpcOptionsRollbackWait'],
    by: ['TestSagaGrpcRollback', 'TestSagaGrpcRollbackWait'],
  },
  { source: 'saga_grpc_test', tests: ['TestSagaGrpcCurrent', 'TestSagaGrpcCurrentOrder'], by: ['TestSagaGrpcConcurrentOrder'] },
  {
    source: 'saga_grpc_test',
    tests: ['TestSagaGrpcHeaders', 'TestSagaGrpcCronHeaders', 'TestSagaGrpcCommittedOngoing'],
    by: ['TestSagaGrpcHeaders'],
  },
  { source: 'saga_grpc_test', tests: ['TestSagaGrpcEmptyUrl'], by: ['TestSagaGrpcEmptyURL'] },
  {
    source: 'saga_grpc_test',
    tests: ['TestSagaGrpcWithGlobalTransRequestTimeout'],
    by: ['unit:packages/coordinator/src/calls/grpc/grpc-transport.test.ts'],
  },
  {
    source: 'saga_grpc_barrier_test',
    tests: ['TestSagaGrpcBarrierNormal', 'TestSagaGrpcBarrierRollback'],
    by: ['TestSagaGrpcBarrier'],
  },
  {
    source: 'tcc_test',
    tests: ['TestTccNormal', 'TestTccRollback', 'TestTccTimeout', 'TestTccHeaders'],
    by: ['TestTccNormal', 'TestTccRollback', 'TestTccTimeout', 'TestTccHeaders'],
  },
  { source: 'tcc_test', tests: ['TestTccCompatible'], by: ['forms: dtmcli-php (PHP): tcc'] },
  {
    source: 'tcc_old_test',
    tests: ['TestTccOldNormal', 'TestTccOldRollback', 'TestTccOldTimeout'],
    by: ['TestTccConfirmIsRetried', 'TestTccTimeout'],
  },
  {
    source: 'tcc_cover_test',
    tests: ['TestTccCoverNotConnected', 'TestTccCoverPanic', 'TestTccNested'],
    by: ['TestTccNotConnected', 'TestTccPanic', 'TestTccNested'],
  },
  {
    source: 'tcc_barrier_test',
    tests: ['TestTccBarrierNormal', 'TestTccBarrierRollback', 'TestTccBarrierDisorderMysql'],
    by: ['TestTccBarrierNormal', 'TestTccBarrierDisorder'],
  },
  { source: 'tcc_barrier_test', tests: ['TestTccBarrierDisorderMongo'], by: [], excluded: noMongo },
  {
    source: 'tcc_barrier_test',
    tests: ['TestTccBarrierDisorderRedis', 'TestTccBarrierPanic'],
    by: ['unit:packages/client/src/barriers/redis/redis.test.ts', 'unit:packages/client/src/barriers/sql-barrier.test.ts'],
  },
  {
    source: 'tcc_grpc_test',
    tests: ['TestTccGrpcNormal', 'TestTccGrpcRollback', 'TestTccGrpcNested', 'TestTccGrpcType', 'TestTccGrpcHeaders'],
    by: ['TestTccNormal', 'TestTccRollback', 'TestTccNested', 'TestTccHeaders'],
  },
  {
    source: 'tcc_grpc_cover_test',
    tests: ['TestTccGrpcCoverNotConnected', 'TestTccGrpcCoverPanic', 'TestTccGrpcCoverCallBranch'],
    by: ['TestTccNotConnected', 'TestTccPanic'],
  },
  { source: 'tcc_jrpc_test', tests: ['TestTccJrpcNormal'], by: ['TestTccNormal'] },
  {
    source: 'xa_test',
    tests: ['TestXaNormal', 'TestXaRollback', 'TestXaLocalError', 'TestXaTimeout', 'TestXaNotTimeout'],
    by: [
      'TestXaNormal',
      'TestXaRollback',
      'TestXaLocalError',
      'TestXaTimeout',
      'TestXaCommitOngoing',
      'TestXaDatabaseNormal',
      'TestXaDatabaseRollback',
    ],
  },
  {
    source: 'xa_test',
    tests: ['TestXaDuplicate'],
    by: ['TestXaDuplicateSubmitCommitsOnce', 'unit:packages/client/src/modes/xa.test.ts'],
  },
  {
    source: 'xa_cover_test',
    tests: ['TestXaCoverDBError', 'TestXaCoverDTMError', 'TestXaCoverGidError'],
    by: ['unit:packages/client/src/modes/xa.test.ts'],
  },
  {
    source: 'xa_grpc_test',
    tests: ['TestXaGrpcNormal', 'TestXaGrpcRollback', 'TestXaGrpcType', 'TestXaGrpcLocalError'],
    by: ['TestXaNormal', 'TestXaRollback', 'TestXaLocalError'],
  },
  {
    source: 'workflow_http_test',
    tests: [
      'TestWorkflowNormal',
      'TestWorkflowRollback',
      'TestWorkflowTcc',
      'TestWorkflowTccRollback',
      'TestWorkflowError',
      'TestWorkflowOngoing',
      'TestWorkflowResumeSkip',
    ],
    by: [
      'TestWorkflowNormal',
      'TestWorkflowRollback',
      'TestWorkflowTcc',
      'TestWorkflowTccRollback',
      'TestWorkflowResume',
      'TestWorkflowResumeSkip',
    ],
  },
  { source: 'workflow_http_ret_test', tests: ['TestWorkflowRet'], by: ['TestWorkflowResult'] },
  {
    source: 'workflow_grpc_test',
    tests: ['TestWorkflowGrpcSimple', 'TestWorkflowGrpcRollback', 'TestWorkflowMixed', 'TestWorkflowGrpcError'],
    by: ['TestWorkflowNormal', 'TestWorkflowRollback', 'TestWorkflowMixed', 'TestWorkflowResume'],
  },
  {
    source: 'workflow_ongoing_test',
    tests: ['TestWorkflowSimpleResume', 'TestWorkflowGrpcRollbackResume'],
    by: ['TestWorkflowResume', 'TestWorkflowRollbackResume'],
  },
  { source: 'workflow_ongoing_test', tests: ['TestWorkflowXaResume'], by: ['TestWorkflowXaResume'] },
  {
    source: 'workflow_xa_test',
    tests: ['TestWorkflowXaAction', 'TestWorkflowXaRollback'],
    by: ['TestWorkflowXaNormal', 'TestWorkflowXaRollback'],
  },
  { source: 'workflow_base_test', tests: ['TestWorkflowBranchConflict'], by: ['TestWorkflowBranchConflict'], differs: ownStore },
  {
    source: 'workflow_interceptor_test',
    tests: ['TestWorkflowInterceptorOutsideSaga'],
    by: [],
    excluded: 'inside the client: no server is asked',
  },
  {
    source: 'topic_test',
    tests: ['TestTopicNormal', 'TestConcurrentUpdateTopic'],
    by: ['TestMsgTopic', 'unit:packages/server/src/http/dtm-topics.test.ts'],
  },
  {
    source: 'store_test',
    tests: [
      'TestStoreSave',
      'TestStoreChangeStatus',
      'TestStoreLockTrans',
      'TestStoreResetCronTime',
      'TestUpdateBranches',
      'TestResetTransGlobalCronTime',
    ],
    by: [],
    excluded: 'tests DTM’s stores; those of Amends have a contract suite of their own',
  },
  { source: '7.3, unit tests', tests: ['dtmsvr, config, boltdb, dtmutil'], by: [], excluded: internal },
  {
    source: '7.3, unit tests',
    tests: ['TestXaSqlTimeout', 'TestDBSpecial', 'TestNewMsgGrpc', '…'],
    by: [],
    excluded: 'inside the client: no server is asked',
  },
  {
    source: 'examples, http',
    tests: ['http_saga…', 'http_concurrent_saga', 'http_saga_barrier…', 'http_saga_redis…', 'http_saga_customHeaders'],
    by: [
      'TestSagaNormal',
      'TestSagaRollback',
      'TestSagaWaitSuccess',
      'TestSagaConcurrentNormal',
      'TestSagaBarrierNormal',
      'TestSagaBarrierRedisNormal',
      'TestSagaBranchHeaders',
    ],
  },
  {
    source: 'examples, http',
    tests: ['http_saga_mongo…', 'http_saga_multi…', 'http_…_gorm…'],
    by: [],
    excluded: `other databases and libraries of the participant; to the server as http_saga_barrier. ${noMongo}`,
  },
  {
    source: 'examples, http',
    tests: ['http_tcc…', 'http_msg…', 'http_xa'],
    by: [
      'TestTccNormal',
      'TestTccNested',
      'TestTccBarrierNormal',
      'TestTccHeaders',
      'TestMsgNormal',
      'TestMsgBarrierDoAndSubmit',
      'TestMsgRedisDo',
      'TestXaDatabaseNormal',
    ],
  },
  {
    source: 'examples, http',
    tests: ['http_workflow_…'],
    by: ['TestWorkflowNormal', 'TestWorkflowRollback', 'TestWorkflowTcc', 'TestWorkflowTccRollback'],
  },
  {
    source: 'examples, grpc',
    tests: ['grpc_saga…', 'grpc_saga_hybrid', 'grpc_tcc…', 'grpc_msg', 'grpc_xa', 'grpc_workflow_…'],
    by: [
      'TestSagaGrpcNormal',
      'TestSagaGrpcHybrid',
      'TestSagaGrpcHeaders',
      'TestTccNormal',
      'TestMsgNormal',
      'TestXaNormal',
      'TestWorkflowNormal',
      'TestWorkflowMixed',
    ],
  },
];
