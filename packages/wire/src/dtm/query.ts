/** DTM's query objects. Dates are RFC 3339 with an offset; what is empty is left out, as DTM does. */
import {
  type Branch,
  branchIdOfStep,
  type EpochMs,
  isFinished,
  type OpState,
  type SagaStep,
  type TransactionRow,
} from '@amends/core';
import type { PresentedTransaction } from '../presented-transaction.ts';
import { keptOf } from './presentation.ts';

/** Answer of `query` for a gid that does not exist. */
export const nothingFound = Object.freeze({ branches: [], transaction: null });

/** Answer of `query`. */
export function queryBody(view: PresentedTransaction): object {
  return { branches: branchesOf(view), transaction: transactionOf(view) };
}

/** The transaction without its branches. */
export function transactionOf({ transaction: tx, spec, wakeAt }: PresentedTransaction): object {
  const kept = keptOf(spec);
  const { concurrent, ...options } = kept.options;
  return {
    ...columns(tx),
    ...(kept.queryPrepared === '' ? {} : { query_prepared: kept.queryPrepared }),
    protocol: kept.protocol,
    ...endColumns(tx),
    options: JSON.stringify(kept.options),
    ...(kept.customData === '' ? {} : { custom_data: kept.customData }),
    ...(isFinished(tx) ? {} : cron(spec.steps[0]!, wakeAt)),
    ...(tx.owner === null ? {} : { owner: tx.owner }),
    ...options,
    concurrent,
  };
}

function cron(step: SagaStep, wakeAt: EpochMs | null): object {
  const interval = { next_cron_interval: Math.ceil(step.compensateRetry.delayMs / 1000) };
  return wakeAt === null ? interval : { ...interval, next_cron_time: rfc3339(wakeAt) };
}

/** A stored row as `all` shows it: rows are read without their requests, so options are DTM's minimum. */
export function rowBody(row: TransactionRow): object {
  return {
    ...columns(row),
    protocol: 'http',
    ...endColumns(row),
    options: '{"concurrent":false}',
    ...(row.dueAt === null ? {} : { next_cron_time: rfc3339(row.dueAt) }),
    ...(row.owner === null ? {} : { owner: row.owner }),
    concurrent: false,
  };
}

type Columns = Pick<TransactionRow, 'gid' | 'mode' | 'status' | 'createdAt' | 'updatedAt' | 'finishedAt' | 'reason'>;

function columns(row: Columns): object {
  return {
    id: idOf(row.gid),
    create_time: rfc3339(row.createdAt),
    update_time: rfc3339(row.updatedAt),
    gid: row.gid,
    trans_type: row.mode,
    status: row.status,
  };
}

function endColumns({ status, finishedAt, reason }: Columns): object {
  return {
    ...(finishedAt !== null && status === 'succeed' ? { finish_time: rfc3339(finishedAt) } : {}),
    ...(finishedAt !== null && status === 'failed' ? { rollback_time: rfc3339(finishedAt) } : {}),
    ...(reason === '' ? {} : { rollback_reason: reason }),
  };
}

/** Two rows for each step: its compensation, then its action. Clients and tests rely on that order. */
function branchesOf({ transaction: tx, spec }: PresentedTransaction): object[] {
  const shared = { create_time: rfc3339(tx.createdAt), update_time: rfc3339(tx.updatedAt), gid: tx.gid };
  return tx.branches.flatMap((branch, index) => {
    const step = spec.steps[index]!;
    const payload = base64(spec.payloads[index]!);
    return (['compensate', 'action'] as const).map((op, offset) => ({
      id: 2 * index + offset + 1,
      ...shared,
      ...(step[op] === '' ? {} : { url: step[op] }),
      ...(payload === '' ? {} : { bin_data: payload }),
      branch_id: branchIdOfStep(index),
      op,
      status: branchStatus(branch, op),
    }));
  });
}

function branchStatus(branch: Branch, op: 'action' | 'compensate'): 'prepared' | 'succeed' | 'failed' {
  const { at }: OpState = branch[op];
  return at === 'succeed' || at === 'failed' ? at : 'prepared';
}

/** 31 bits (FNV-1a) of the gid: clients parse ids as 32-bit integers. Never 0. */
function idOf(gid: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < gid.length; i++) hash = Math.imul(hash ^ gid.charCodeAt(i), 0x01000193);
  return hash & 0x7fffffff || 1;
}

function rfc3339(at: EpochMs): string {
  return new Date(at).toISOString();
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
