/** DTM's query objects. Dates are RFC 3339 with an offset; what is empty is left out, as DTM does. */
import { type Branch, callName, callPlan, type EpochMs, type Given, type TransactionRow, type Way } from '@amends/core';
import type { PresentedTransaction } from '../../faces/presented-transaction.ts';
import { keptOf } from '../presentation.ts';
import { timesIn } from './branch-times.ts';
import { cronOf } from './cron.ts';
import type { DtmRecord } from './record.ts';

/** Answer of `query` for a gid that does not exist. */
export const nothingFound = Object.freeze({ branches: [], transaction: null });

/** Answer of `query`. */
export function queryBody(record: DtmRecord): object {
  return { branches: branchesOf(record), transaction: transactionOf(record) };
}

/** Answer of `prepareWorkflow`: what the function that runs again must know. */
export function workflowBody(record: DtmRecord): object {
  return { transaction: transactionOf(record), progresses: branchesOf(record) };
}

/** The transaction without its branches. */
export function transactionOf(record: DtmRecord): object {
  const { transaction: tx, given } = record;
  const { spec, result } = given;
  const kept = keptOf(spec);
  const { concurrent, ...options } = kept.options;
  return {
    ...columns(tx),
    ...(kept.queryPrepared === '' ? {} : { query_prepared: kept.queryPrepared }),
    protocol: kept.protocol,
    ...endColumns(tx),
    options: JSON.stringify(kept.options),
    ...(kept.customData === '' ? {} : { custom_data: kept.customData }),
    ...cronColumns(record),
    ...(result === null ? {} : { result: base64(result) }),
    ...(tx.owner === null ? {} : { owner: tx.owner }),
    ...options,
    concurrent,
  };
}

function cronColumns(record: DtmRecord): object {
  const cron = cronOf(record);
  if (cron === null) return {};
  const interval = { next_cron_interval: Math.ceil(cron.intervalMs / 1000) };
  return cron.at === null ? interval : { ...interval, next_cron_time: rfc3339(cron.at) };
}

/** A stored row as `all` shows it: rows are read without their requests, so what those said is left out. */
export function rowBody(row: TransactionRow): object {
  // While calls are under way what is due lies in the past, and says nothing.
  const isPause = row.dueAt !== null && row.dueAt > row.updatedAt;
  return {
    ...columns(row),
    ...endColumns(row),
    ...(isPause ? { next_cron_time: rfc3339(row.dueAt!) } : {}),
    ...(row.owner === null ? {} : { owner: row.owner }),
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

interface BranchRow {
  readonly branchId: string;
  readonly op: string;
  readonly url: string;
  readonly payload: Uint8Array;
  readonly status: 'prepared' | 'succeed' | 'failed';
  /** Whether there was somebody to call, or it was recorded. */
  readonly isHeard: boolean;
}

/** Rows in the order that DTM stores them, numbered from 1. Clients and tests rely on it. */
function branchesOf(record: DtmRecord): object[] {
  const { transaction: tx, history } = record;
  const timesOf = timesIn(history, tx.createdAt);
  return rowsOf(record).map(({ branchId, op, url, payload, status, isHeard }, index) => {
    const { createdAt, updatedAt } = timesOf(branchId, op);
    return {
      id: index + 1,
      create_time: rfc3339(createdAt),
      update_time: rfc3339(updatedAt),
      gid: tx.gid,
      ...(url === '' ? {} : { url }),
      ...(payload.byteLength === 0 ? {} : { bin_data: base64(payload) }),
      branch_id: branchId,
      op,
      status,
      ...(status !== 'prepared' && isHeard ? { finish_time: rfc3339(updatedAt) } : {}),
    };
  });
}

function rowsOf({ transaction: { mode, branches }, given }: PresentedTransaction): readonly BranchRow[] {
  switch (mode) {
    case 'workflow':
      return given.registered.flatMap((branch) => (branch.kind === 'progress' ? [{ ...branch, url: '', isHeard: true }] : []));
    case 'msg':
      // The first branch is the question whether to deliver, which DTM does not show.
      return branches.slice(1).map((branch, index) => rowOf(given, branch, { branch: index + 1, way: 'forward' }));
    default:
      return branches.flatMap((branch, index) =>
        (['backward', 'forward'] as const).map((way) => rowOf(given, branch, { branch: index, way })),
      );
  }
}

function rowOf(given: Given, branch: Branch, call: { readonly branch: number; readonly way: Way }): BranchRow {
  const state = branch[call.way];
  return {
    ...callName(given, call),
    payload: callPlan(given, call).payload,
    status: state.at === 'succeed' || state.at === 'failed' ? state.at : 'prepared',
    isHeard: state.at !== 'idle' && state.attempts > 0,
  };
}

/** 31 bits (FNV-1a) of the gid: clients parse ids as 32-bit integers. Never 0. */
export function idOf(gid: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < gid.length; i++) hash = Math.imul(hash ^ gid.charCodeAt(i), 0x01000193);
  return hash & 0x7fffffff || 1;
}

/** A moment as DTM writes it. */
export function rfc3339(at: EpochMs): string {
  return new Date(at).toISOString();
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
