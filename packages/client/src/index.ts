export type {
  AnswerReference,
  Audit,
  AuditEntry,
  Branch,
  BranchCall,
  Bytes,
  FailedTransaction,
  FieldError,
  Health,
  HistoryEntry,
  Hold,
  Limits,
  Mode,
  Op,
  Progress,
  RetryPolicy,
  RunningTransaction,
  ServerErrorCode,
  Status,
  StepKind,
  SucceededTransaction,
  Transaction,
  TransactionList,
  TransactionSummary,
} from './api-types.ts';
export { barrier, createBarrierTable, type LocalDatabase, sqliteBarrier } from './barrier.ts';
export { type Barrier, type BarrierOptions, DuplicatedMessage, type TableBarrier } from './barrier-rows.ts';
export type { BranchRef, Call } from './call.ts';
export {
  AmendsClient,
  type AmendsClientOptions,
  type AuditFilters,
  type HistoryOptions,
  type InterventionOptions,
  type ListFilters,
  type ReadOptions,
  type WaitOptions,
} from './client.ts';
export { AmendsClientError, type ClientErrorCode } from './client-error.ts';
export { type IsJson, NotJson, type NotJsonType, type OnlyJson } from './kept-json.ts';
export type { Message, MessageOptions, MessagePrepare, MessageStep, MessageSubmit, PreparedMessage } from './message.ts';
export type { BeginOptions, EndOptions, OpenTransaction } from './open-transaction.ts';
export { ParticipantError } from './participant-request.ts';
export type { ClientRetry } from './retry-pause.ts';
export type {
  AnswerPath,
  ForwardSaga,
  FromAnswer,
  IrreversibleStep,
  PayloadOfAnswers,
  PivotStep,
  RetriableStep,
  Saga,
  SagaOptions,
  SagaStep,
  SubmitOptions,
  UndoableStep,
} from './saga.ts';
export type { RunOptions, Tcc, TccBranch } from './tcc.ts';
export type { TransactionOptions } from './transaction-port.ts';
export { BusinessFailure, type Handler, NeedsAttention, Ongoing, type ParticipantOptions } from './verdict.ts';
export type {
  RegisteredWorkflow,
  StepEnd,
  StepHandler,
  StepRequest,
  Workflow,
  WorkflowFunction,
  WorkflowOptions,
  WorkflowRunOptions,
} from './workflow.ts';
export type { Xa, XaWork } from './xa.ts';
export type { PreparedBranch, XaResource } from './xa-resource.ts';
