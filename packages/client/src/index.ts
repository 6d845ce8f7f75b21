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
} from './api/api-types.ts';
export { AmendsClientError, type ClientErrorCode } from './api/client-error.ts';
export type { ClientRetry } from './api/retry-pause.ts';
export type { TransactionOptions } from './api/transaction-port.ts';
export { type Barrier, type BarrierOptions, DuplicatedMessage, type TableBarrier } from './barriers/barrier-rows.ts';
export { type IsJson, NotJson, type NotJsonType, type OnlyJson } from './barriers/kept-json.ts';
export { barrier, createBarrierTable, type LocalDatabase, sqliteBarrier } from './barriers/sqlite/sqlite.ts';
export type { PreparedBranch, XaResource } from './barriers/xa-resource.ts';
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
export type { Message, MessageOptions, MessagePrepare, MessageStep, MessageSubmit, PreparedMessage } from './modes/message.ts';
export type { BeginOptions, EndOptions, OpenTransaction, RunOptions } from './modes/open-transaction.ts';
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
} from './modes/saga.ts';
export type { Tcc, TccBranch } from './modes/tcc.ts';
export type {
  RegisteredWorkflow,
  StepEnd,
  StepHandler,
  StepRequest,
  Workflow,
  WorkflowFunction,
  WorkflowOptions,
  WorkflowRunOptions,
} from './modes/workflow/workflow.ts';
export type { Xa, XaWork } from './modes/xa.ts';
export type { BranchRef, Call } from './participants/call.ts';
export { ParticipantError } from './participants/participant-request.ts';
export { BusinessFailure, type Handler, NeedsAttention, Ongoing, type ParticipantOptions } from './participants/verdict.ts';
