/**
 * What a change must be like whatever the store: the state machine as far as rows show it. Databases repeat these rules
 * as constraints; stores without constraints ask here. The contract suite holds both to the same table of bad changes.
 */
import { isFinished, limits, statuses, type TransactionRow } from '@amends/core';
import type { AnyChange } from './store.ts';

const known: ReadonlySet<string> = new Set(statuses);

/**
 * Why a store does not take this change, whatever is stored; null when it may take it.
 * @returns one sentence naming the field
 */
export function refusalOf(change: AnyChange): string | null {
  if (change.row === null) return null;
  const { row, expectedVersion, spec, history } = change;
  if (row.version !== expectedVersion + 1) return `version: is ${row.version}, must be ${expectedVersion + 1}`;
  if ((spec !== null) !== (expectedVersion === 0)) return 'spec: comes with the first change of a gid and only then';
  if (history.some((entry) => !isCount(entry.seq) || entry.seq < 1)) return 'history: seq must be a whole number from 1';
  return refusalOfRow(row);
}

function refusalOfRow(row: TransactionRow): string | null {
  if (row.gid.length < 1 || row.gid.length > limits.gidCharactersMax) return 'gid: has no or too many characters';
  if (!known.has(row.status)) return `status: ${JSON.stringify(row.status)} is not known`;
  if (!isCount(row.epoch) || !isCount(row.format) || !isCount(row.createdAt) || !isCount(row.updatedAt))
    return 'epoch, format, createdAt and updatedAt must be whole numbers from 0';
  if (isFinished(row) !== (row.finishedAt !== null)) return `finishedAt: does not fit status ${row.status}`;
  if (isFinished(row) && (row.dueAt !== null || row.hold !== null)) return 'dueAt, hold: must be null when finished';
  if (typeof row.state !== 'string') return 'state: must be text';
  return null;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
