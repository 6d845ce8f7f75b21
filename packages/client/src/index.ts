export type {
  AnswerReference,
  Branch,
  BranchCall,
  Bytes,
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
export { type BarrierOptions, barrier, createBarrierTable, type LocalDatabase } from './barrier.ts';
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
export { BusinessFailure, type Handler, Ongoing, type ParticipantOptions } from './verdict.ts';
