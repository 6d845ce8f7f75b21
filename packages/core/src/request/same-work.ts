/** Whether two requests for one transaction mean the same. */

import { utf8 } from '../words/utf8.ts';
import { templateText } from './payload-template.ts';
import { canonicalJson, sameContent } from './same-content.ts';
import type { MsgSpec, SagaSpec, Spec } from './spec.ts';

/** Whether two requests have equal content although their bytes differ: keys of JSON may come in any order. */
export function isSameRequest(one: Spec, other: Spec): boolean {
  return planText(one) === planText(other) && isEachSame(contentsOf(one), contentsOf(other));
}

/** What a digest is made of, but for the payloads. DTM's clients do not say whether anybody may run ahead: the server does. */
function planText(spec: Spec): string {
  const { payloads: _, presentation: _presentation, trace: _trace, runAhead, ...plan } = spec;
  return canonicalJson({ ...plan, templates: null, ...(spec.face === 'dtm' ? {} : { runAhead }) });
}

function contentsOf(spec: Spec): readonly Uint8Array[] {
  const templates = (spec as SagaSpec).templates ?? [];
  return spec.payloads.map((payload, index) => {
    const template = templates[index] ?? null;
    return template === null ? payload : utf8(templateText(template));
  });
}

function isEachSame(contents: readonly Uint8Array[], others: readonly Uint8Array[]): boolean {
  return contents.length === others.length && contents.every((content, index) => sameContent(content, others[index]!));
}

/**
 * Whether submitting `later`, perhaps with other options, asks for what was prepared as `first`: the same deliveries of the same
 * message, the same kind of second phase. Options (pauses, times, headers) may differ: those of the first request hold; of delays
 * the later one. Only modes that are prepared and submitted by two requests are compared so; everything else is the same only
 * when its whole request is.
 */
export function isSameWork(first: Spec, later: Spec): boolean {
  if (first.mode === 'tcc' || first.mode === 'xa') return later.mode === first.mode;
  return first.mode === 'msg' && later.mode === 'msg' && hasSameDeliveries(first, later);
}

function hasSameDeliveries(one: MsgSpec, other: MsgSpec): boolean {
  if (one.steps.length !== other.steps.length) return false;
  return one.steps.every(({ branchId, action }, index) => {
    const twin = other.steps[index]!;
    return twin.branchId === branchId && twin.action === action && sameContent(one.payloads[index]!, other.payloads[index]!);
  });
}
