/** `all`: DTM's list, by gid or page by page. */
import { type EpochMs, epochMs, type Gid, limits, refuse, type Status, type TransactionRow } from '@amends/core';
import { decodeCursor, encodeCursor, type Position } from '../faces/cursor.ts';
import { shown } from '../input/shown.ts';
import { parseDtmGid } from './gid.ts';
import { parameter, type Query, readDigits } from './parameters.ts';
import { rowBody, transactionOf } from './shown/query.ts';
import type { DtmRecord } from './shown/record.ts';

/** What `all` asks for: one transaction, a page, or a type that does not exist here. */
export type DtmListRequest =
  | { readonly kind: 'one'; readonly gid: Gid }
  | { readonly kind: 'none' }
  | { readonly kind: 'page'; readonly page: DtmPage };

/** One page; the coordinator's list takes it as it is. */
export interface DtmPage {
  readonly limit: number;
  readonly after?: Position;
  readonly status?: Status;
  readonly mode?: string;
  readonly createdFrom?: EpochMs;
  readonly createdBefore?: EpochMs;
}

const statuses: ReadonlySet<string> = new Set(['prepared', 'submitted', 'aborting', 'succeed', 'failed']);
const modes: ReadonlySet<string> = new Set(['saga', 'msg', 'tcc', 'xa', 'workflow']);
const limitDefault = 100;

/**
 * Reads the query of `all`.
 * @throws AmendsError `invalid_request` naming the parameter
 */
export function parseAll(query: Query): DtmListRequest {
  const gid = parameter(query, 'gid');
  if (gid !== '') return { kind: 'one', gid: parseDtmGid(gid) };
  const mode = parameter(query, 'transType');
  if (mode !== '' && !modes.has(mode)) return { kind: 'none' };
  return { kind: 'page', page: { ...place(query), ...filters(query), ...(mode === '' ? {} : { mode }) } };
}

function place(query: Query): Pick<DtmPage, 'limit' | 'after'> {
  const limit = Math.min(readDigits(query, 'limit') ?? limitDefault, limits.pageRowsMax);
  if (limit < 1) refuse('limit', `is ${limit}, must be at least 1`);
  const position = parameter(query, 'position');
  return position === '' ? { limit } : { limit, after: decodeCursor(position, 'position') };
}

function filters(query: Query): Omit<DtmPage, 'limit' | 'after'> {
  const status = parameter(query, 'status');
  if (status !== '' && !statuses.has(status)) refuse('status', `is ${shown(status)}, must be one of ${[...statuses].join(', ')}`);
  const from = readDigits(query, 'createTimeStart');
  const until = readDigits(query, 'createTimeEnd');
  return {
    ...(status === '' ? {} : { status: status as Status }),
    ...(from === null ? {} : { createdFrom: wholeSecond(from) }),
    ...(until === null ? {} : { createdBefore: epochMs(wholeSecond(until) + 1_000) }),
  };
}

/** DTM compares whole seconds, the last one included. */
function wholeSecond(at: number): EpochMs {
  return epochMs(Math.floor(at / 1000) * 1000);
}

/** Answer of `all`. */
export function allBody(rows: readonly TransactionRow[], next: Position | null): object {
  return {
    transactions: rows.map(rowBody),
    next_position: next === null ? '' : encodeCursor(next),
  };
}

/** Answer of `all` for one gid. */
export function oneBody(record: DtmRecord | null): object {
  return { transactions: record === null ? [] : [transactionOf(record)], next_position: '' };
}
