/** The audit in the native API: who did what by hand, and why. */
import { type EpochMs, type Gid, limits } from '@amends/core';
import { z } from 'zod';
import { nameSchema } from './registry.ts';
import { wholeNumber } from './requests.ts';
import { gidText } from './text-fields.ts';

/** Which audit rows. */
export const auditQuery = z.strictObject({
  gid: gidText.optional().describe('Only those about this transaction, which may be deleted by now'),
  limit: wholeNumber(1, limits.pageRowsMax, 50).describe('Rows of the page'),
  cursor: z
    .string()
    .regex(/^[1-9][0-9]{0,14}$/, {
      error: 'is not one that a page of the audit has given; leave it out to begin at the newest',
    })
    .optional()
    .describe('`next` of the page before'),
});

const auditEntrySchema = nameSchema(
  'AuditEntry',
  z.object({
    id: z.int().describe('Grows with each row'),
    at: z.string().describe('ISO 8601, UTC, with milliseconds'),
    gid: z.string().nullable().describe('null: it was about no transaction'),
    actor: z.string(),
    verb: z.string().describe('Such as terminate, retry, subscribe, delete-topic'),
    reason: z.string(),
    detail: z.record(z.string(), z.unknown()).describe('What else is known'),
  }),
);

/** One page of the audit, newest first. */
export const auditSchema = nameSchema(
  'Audit',
  z.object({
    entries: z.array(auditEntrySchema),
    next: z.string().nullable().describe('Cursor of the next page; null: this was the last'),
  }),
);

/** One audit row, as the API shows it. */
export type AuditEntryBody = z.infer<typeof auditEntrySchema>;
/** One page of the audit, as the API shows it. */
export type AuditBody = z.infer<typeof auditSchema>;

/** An audit row as it is stored. */
export interface PresentedAuditRow {
  readonly id: number;
  readonly at: EpochMs;
  readonly gid: Gid | '';
  readonly actor: string;
  readonly verb: string;
  readonly reason: string;
  /** JSON of an object. */
  readonly detail: string;
}

/** A page for the API. @param rows one more than the page has, where there are more */
export function auditBody(rows: readonly PresentedAuditRow[], limit: number): AuditBody {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { entries: page.map(entryBody), next: rows.length > limit && last !== undefined ? String(last.id) : null };
}

function entryBody({ at, gid, detail, ...row }: PresentedAuditRow): AuditEntryBody {
  return {
    ...row,
    at: new Date(at).toISOString(),
    gid: gid === '' ? null : gid,
    detail: JSON.parse(detail) as Record<string, unknown>,
  };
}
