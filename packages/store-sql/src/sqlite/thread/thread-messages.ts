/** What the threads on both sides of a SQLite session tell each other. */
import type { MessagePort } from 'node:worker_threads';
import type { ErrorCode } from '@amends/core';
import type { SqlQuery } from '../../sql-session.ts';
import type { SqlRow, SqlValue } from '../../tables.ts';
import type { PackedAnswers } from './apply-changes.ts';

/** A request, answered once, in order. */
export type ThreadRequest =
  | { readonly op: 'commit'; readonly values: readonly SqlValue[] }
  | { readonly op: 'read' | 'write'; readonly queries: readonly SqlQuery[] }
  | { readonly op: 'facts' | 'giveBack' | 'close' };

/** A request that takes its time while others are answered; its own answer comes by `port`. */
export interface BackupRequest {
  readonly op: 'backup';
  readonly file: string;
  readonly port: MessagePort;
}

/** How the opening went, then the answer to each request in turn. */
export type ThreadReply =
  | { readonly value: unknown }
  | { readonly error: { readonly code: ErrorCode | null; readonly message: string } };

/** Types of the values of replies. */
export interface ThreadValues {
  readonly opened: { readonly highWaterMs: number; readonly created: readonly string[]; readonly notes: readonly string[] };
  readonly commit: PackedAnswers;
  readonly rows: readonly (readonly SqlRow[])[];
  readonly facts: Readonly<Record<string, string | number>>;
}
