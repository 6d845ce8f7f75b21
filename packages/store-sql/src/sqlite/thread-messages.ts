/** What the threads on both sides of a SQLite session tell each other. */
import type { ErrorCode } from '@amends/core';
import type { SqlRow, SqlValue } from '../columns.ts';
import type { SqlQuery } from '../sql-session.ts';
import type { PackedAnswers } from './apply-changes.ts';

/** A request, answered once, in order. */
export type ThreadRequest =
  | { readonly id: number; readonly op: 'commit'; readonly values: readonly SqlValue[] }
  | { readonly id: number; readonly op: 'read' | 'write'; readonly queries: readonly SqlQuery[] }
  | { readonly id: number; readonly op: 'facts' | 'close' };

/** The answer to the request with that id; `openingId` for the opening itself. */
export type ThreadReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: { readonly code: ErrorCode | null; readonly message: string } };

/** Types of the values of replies. */
export interface ThreadValues {
  readonly opened: { readonly highWaterMs: number };
  readonly commit: PackedAnswers;
  readonly rows: readonly (readonly SqlRow[])[];
  readonly facts: Readonly<Record<string, string | number>>;
}

/** Id of the reply that says how opening went. */
export const openingId = 0;
