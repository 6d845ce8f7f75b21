/** The request that creates a transaction of any mode. */
import { createHash } from 'node:crypto';
import { canonicalJson, type Gid, isLongNumber, limits, parseGid, refuse, type Spec, type Trace } from '@amends/core';
import { z } from 'zod';
import type { SubscribersOf } from '../../faces/msg-deliveries.ts';
import { checkMetadataText } from '../../input/outbound.ts';
import { shown } from '../../input/shown.ts';
import { parseBy } from '../../input/zod-issues.ts';
import { nameSchema } from '../registry.ts';
import { makeMsgSpec, newMessageSchema, topicsOfMessage } from './msg.ts';
import { makeSagaSpec, newSagaSchema } from './saga.ts';
import { makeTwoPhaseSpec, newTccSchema, newXaSchema } from './two-phase.ts';
import { makeWorkflowSpec, newWorkflowSchema } from './workflow.ts';

export type { NewDelivery, NewMessage } from './msg.ts';
export type { NewSaga, NewStep } from './saga.ts';
export type { NewTcc, NewXa } from './two-phase.ts';
export type { NewWorkflow } from './workflow.ts';

/** The body of `POST /transactions`. */
export const createSchema = nameSchema(
  'NewTransaction',
  z.discriminatedUnion('mode', [newSagaSchema, newMessageSchema, newTccSchema, newXaSchema, newWorkflowSchema], {
    error: ({ code, input }) =>
      code === 'invalid_union'
        ? `must be "saga", "msg", "tcc", "xa" or "workflow", is ${shown((input as { mode?: unknown }).mode)}`
        : undefined,
  }),
);

/** The body of `POST /transactions` as a caller writes it. */
export type NewTransaction = z.input<typeof createSchema>;

/** A checked request. */
export interface CreateRequest {
  /** Chosen by the caller; null: have one made. */
  readonly gid: Gid | null;
  /** Announce it only. */
  readonly prepare: boolean;
  /** Topics that it names. */
  readonly topics: readonly string[];
  /** Known again by it although topics have changed; empty: it names none. */
  readonly requested: string;
  /** What to do. @throws AmendsError `invalid_request` naming the field; `topic_not_found` */
  spec(subscribersOf?: SubscribersOf): Spec;
}

/**
 * Reads the body of `POST /transactions`.
 * @param trace the trace that the request belongs to, by its header `traceparent`
 * @throws AmendsError `invalid_request` naming each field that is wrong
 */
export function parseCreate(body: unknown, trace: Trace | null = null): CreateRequest {
  checkBeforehand(body);
  const request = parseBy(createSchema, body);
  const gid = request.gid === undefined ? null : parseGid(request.gid);
  const prepare = request.mode !== 'saga' && request.prepare;
  const topics = request.mode === 'msg' ? topicsOfMessage(request) : [];
  const requested = topics.length === 0 ? '' : makeDigest(request);
  const spec = (subscribersOf = nobody): Spec => {
    const made = makeSpec(request, subscribersOf, requested);
    checkMetadataText('gid', gid ?? '', made.protocol);
    return { ...made, trace };
  };
  return { gid, prepare, topics, requested, spec };
}

const nobody: SubscribersOf = () => undefined;

function makeSpec(request: z.output<typeof createSchema>, subscribersOf: SubscribersOf, requested: string): Spec {
  switch (request.mode) {
    case 'saga':
      return makeSagaSpec(request);
    case 'msg':
      return makeMsgSpec(request, subscribersOf, requested);
    case 'tcc':
    case 'xa':
      return makeTwoPhaseSpec(request);
    case 'workflow':
      return makeWorkflowSpec(request);
  }
}

/** Whether it is announced first and how it is called make no other content; a default that came later makes none either. */
function makeDigest(request: z.output<typeof createSchema>): string {
  const { gid: _, ...content } = {
    ...request,
    prepare: null,
    runAhead: 'runAhead' in request && !request.runAhead ? false : undefined,
  };
  return createHash('sha256').update(canonicalJson(content)).digest('hex');
}

/** What the schema would see late or not at all: far too many steps, and a long number in place of the headers. */
function checkBeforehand(body: unknown): void {
  const { steps, headers } = (body ?? {}) as { steps?: unknown; headers?: unknown };
  if (Array.isArray(steps) && steps.length > limits.branchesMax) parseBy(stepCount, body);
  if (isLongNumber(headers)) refuse('headers', `must be an object, is ${shown(headers)}`);
}

const stepCount = z.object({ steps: z.array(z.unknown()).max(limits.branchesMax) });
