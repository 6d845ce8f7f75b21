/** What is asked of a transaction that is prepared: to have a branch more, not to be done, to be over. */
import { type BranchId, limits, type Mode, type RegisteredBranch } from '@amends/core';
import { z } from 'zod';
import { checkUrl } from '../input/outbound.ts';
import { shown } from '../input/shown.ts';
import { parseBy } from '../input/zod-issues.ts';
import { payloadBytes } from './create/policies.ts';
import { nameSchema } from './registry.ts';
import { storableText, urlText } from './text-fields.ts';

const branchId = z
  .string()
  .min(1)
  .max(limits.gidCharactersMax)
  .regex(/^[A-Za-z0-9_.:-]+$/, { error: 'must be letters, digits or -_.: only' })
  .describe('Identity within the transaction, chosen by the caller: `01`, `02`, …');
const payload = z.unknown().optional().describe('Sent as JSON body of both calls; left out: they have none');

const participantOfTcc = nameSchema(
  'NewTccBranch',
  z.strictObject({
    mode: z.literal('tcc'),
    branchId,
    confirm: urlText.describe('Address that confirms; empty: nothing to call'),
    cancel: urlText.describe('Address that cancels; empty: nothing to call'),
    payload,
  }),
);

const participantOfXa = nameSchema(
  'NewXaBranch',
  z.strictObject({
    mode: z.literal('xa'),
    branchId,
    url: urlText.describe('Address that commits and rolls back, by the parameter `op`'),
    payload,
  }),
);

const stepOfWorkflow = nameSchema(
  'NewRecordedStep',
  z.strictObject({
    mode: z.literal('workflow'),
    branchId,
    op: storableText(limits.opCharactersMax)
      .min(1)
      .default('action')
      .describe('What was done; with the branch id it names the step'),
    status: z.enum(['succeed', 'failed']),
    result: z.unknown().optional().describe('What the function gets for this step when it runs again: any JSON'),
  }),
);

/** The body of `POST /transactions/{gid}/branches`. */
export const newBranchSchema = nameSchema(
  'NewBranch',
  z.discriminatedUnion('mode', [participantOfTcc, participantOfXa, stepOfWorkflow], {
    error: ({ code, input }) =>
      code === 'invalid_union'
        ? `must be "tcc", "xa" or "workflow", as that of the transaction, is ${shown((input as { mode?: unknown }).mode)}`
        : undefined,
  }),
);

/** A branch as a caller writes it. */
export type NewBranch = z.input<typeof newBranchSchema>;

/** A checked registration. */
export interface BranchRequest {
  readonly mode: Mode;
  readonly branch: RegisteredBranch;
}

/**
 * Reads the body.
 * @throws AmendsError `invalid_request` naming each field that is wrong
 */
export function parseNewBranch(body: unknown): BranchRequest {
  const request = parseBy(newBranchSchema, body);
  const id = request.branchId as BranchId;
  switch (request.mode) {
    case 'tcc':
      checkUrl('confirm', request.confirm);
      checkUrl('cancel', request.cancel);
      return { mode: 'tcc', branch: participant(id, request.payload, { forward: request.confirm, backward: request.cancel }) };
    case 'xa':
      checkUrl('url', request.url);
      return { mode: 'xa', branch: participant(id, request.payload, { forward: request.url, backward: request.url }) };
    case 'workflow': {
      const { op, status, result } = request;
      return { mode: 'workflow', branch: { kind: 'progress', branchId: id, op, status, payload: payloadBytes(result) } };
    }
  }
}

function participant(id: BranchId, body: unknown, urls: { forward: string; backward: string }): RegisteredBranch {
  return { kind: 'participant', branchId: id, ...urls, payload: payloadBytes(body) };
}

const reason = storableText(limits.reasonCharactersMax);

/** The body of `POST /transactions/{gid}/abort`. */
export const abortSchema = nameSchema('Abort', z.strictObject({ reason: reason.default('').describe('Why; recorded') }));
/** That body as a caller writes it. */
export type Abort = z.input<typeof abortSchema>;

/** The body of `POST /transactions/{gid}/conclude`. */
export const conclusionSchema = nameSchema(
  'Conclusion',
  z.strictObject({
    status: z.enum(['succeed', 'failed']).describe('How the function of the workflow ended'),
    reason: reason.default('').describe('Why it failed'),
    result: z.unknown().optional().describe('What it returned: any JSON'),
  }),
);
/** That body as a caller writes it. */
export type Conclusion = z.input<typeof conclusionSchema>;

/** What a workflow returned, as it is kept. */
export function resultBytes({ result }: Pick<Conclusion, 'result'>): Uint8Array {
  return payloadBytes(result);
}
