export type {
  Branch,
  BranchCall,
  FailedTransaction,
  FieldError,
  Health,
  HistoryEntry,
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
  type HistoryOptions,
  type InterventionOptions,
  type ListFilters,
  type ReadOptions,
  type WaitOptions,
} from './client.ts';
export { AmendsClientError, type ClientErrorCode } from './client-error.ts';
export type { ClientRetry } from './retry-pause.ts';
export type {
  ForwardSaga,
  IrreversibleStep,
  PivotStep,
  RetriableStep,
  Saga,
  SagaOptions,
  SagaStep,
  SubmitOptions,
  UndoableStep,
} from './saga.ts';
export { BusinessFailure, type Handler, Ongoing, type ParticipantOptions } from './verdict.ts';
