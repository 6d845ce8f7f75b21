/**
 * What one commit adds to the history, as it is stored: a list as JSON, its format number first, then one list for each entry.
 * No database looks into it. A format that was ever released is read for ever; another order of values is a new format.
 */
import { AmendsError, type HistoryEntry } from '@amends/core';

const format = 1;

/** Entries in their stored form. */
export function encodeHistory(entries: readonly HistoryEntry[]): string {
  return JSON.stringify([format, ...entries.map(listValues)]);
}

/** Nulls at the end are left out. */
function listValues(entry: HistoryEntry): readonly unknown[] {
  const { seq, at, kind, status, branchId, op, attempt, outcome, code, durationMs, detail, actor, traceId } = entry;
  const values = [seq, at, kind, status, branchId, op, attempt, outcome, code, durationMs, detail, actor, traceId];
  while (values.at(-1) === null) values.pop();
  return values;
}

/**
 * Entries from their stored form.
 * @throws AmendsError `store_refused` when it is damaged, or of a format that a newer version has written
 */
export function decodeHistory(stored: string): readonly HistoryEntry[] {
  const [found, ...lists] = parse(stored);
  if (found !== format) throw refuse(`is of format ${JSON.stringify(found)}, this version of Amends knows format ${format}`);
  return lists.map((list) => {
    if (!Array.isArray(list)) throw refuse('is damaged: an entry is not a list');
    return nameValues(list);
  });
}

function nameValues(values: readonly unknown[]): HistoryEntry {
  const [seq, at, kind, status, branchId = null, op = null, attempt = null, outcome = null, code = null, ...rest] = values;
  const [durationMs = null, detail = null, actor = null, traceId = null] = rest;
  return { seq, at, kind, status, branchId, op, attempt, outcome, code, durationMs, detail, actor, traceId } as HistoryEntry;
}

function parse(stored: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(stored);
    if (Array.isArray(parsed)) return parsed;
  } catch {
    // It is told below.
  }
  throw refuse('is damaged: it is not a list as JSON');
}

function refuse(words: string): AmendsError {
  return new AmendsError('store_refused', `a part of the history ${words}`);
}
