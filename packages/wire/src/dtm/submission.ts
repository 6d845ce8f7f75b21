/** What the body of `prepare`, `submit` and `prepareWorkflow` begins, and that of a workflow's `submit` concludes. */
import { limits, refuse, type Spec } from '@amends/core';
import type { SubscribersOf } from '../faces/msg-deliveries.ts';
import { checkMetadataText } from '../input/outbound.ts';
import { shown } from '../input/shown.ts';
import { makeMsgSpec } from './specs/msg-spec.ts';
import type { DtmDefaults } from './specs/options.ts';
import { makeSagaSpec } from './specs/saga-spec.ts';
import { makeTwoPhaseSpec } from './specs/two-phase-spec.ts';
import { base64, makeWorkflowSpec } from './specs/workflow-spec.ts';
import type { DtmTransaction } from './transaction.ts';

/** What makes a spec of a DTM transaction. */
export interface SpecContext {
  readonly defaults: DtmDefaults;
  readonly subscribersOf: SubscribersOf;
}

/**
 * The spec of a transaction.
 * @throws AmendsError `invalid_request` naming the field; `topic_not_found`
 */
export function makeDtmSpec(dtm: DtmTransaction, context: SpecContext): Spec {
  const spec = makeModeSpec(dtm, context);
  checkMetadataText('gid', dtm.gid, spec.protocol);
  return spec;
}

function makeModeSpec(dtm: DtmTransaction, { defaults, subscribersOf }: SpecContext): Spec {
  switch (dtm.mode) {
    case 'saga':
      return makeSagaSpec(dtm, defaults);
    case 'msg':
      return makeMsgSpec(dtm, defaults, subscribersOf);
    case 'tcc':
    case 'xa':
      return makeTwoPhaseSpec(dtm, dtm.mode, defaults);
    case 'workflow':
      return makeWorkflowSpec(dtm, defaults);
  }
}

/** How a workflow ended. */
export interface DtmConclusion {
  readonly status: 'succeed' | 'failed';
  readonly reason: string;
  readonly result: Uint8Array;
}

/**
 * What the `submit` of a workflow says.
 * @throws AmendsError `invalid_request` naming the field
 */
export function parseConclusion({ req_extra: extra }: DtmTransaction): DtmConclusion {
  const { status = '', rollback_reason: reason = '', result = '' } = extra;
  if (status !== 'succeed' && status !== 'failed') refuse('req_extra.status', `is ${shown(status)}, must be succeed or failed`);
  return { status, reason, result: base64('req_extra.result', result) };
}

/** Why an `abort` says that it comes. */
export function abortReasonOf({ rollback_reason: reason }: DtmTransaction): string {
  return reason.slice(0, limits.answerCharactersKept).toWellFormed();
}
