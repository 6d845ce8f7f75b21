/** Whether two requests for one transaction mean the same, where the second may come with other options. */
import { sameBytes } from './same-bytes.ts';
import type { MsgSpec, Spec } from './spec.ts';

/**
 * Whether submitting `later` asks for what was prepared as `first`: the same deliveries of the same message, the same kind of
 * second phase. Options (pauses, times, headers) may differ: those of the first request hold; of delays the later one. Only modes that are
 * prepared and submitted by two requests are compared so; everything else is the same only when its digest is.
 */
export function isSameWork(first: Spec, later: Spec): boolean {
  if (first.mode === 'tcc' || first.mode === 'xa') return later.mode === first.mode;
  return first.mode === 'msg' && later.mode === 'msg' && hasSameDeliveries(first, later);
}

function hasSameDeliveries(one: MsgSpec, other: MsgSpec): boolean {
  if (one.steps.length !== other.steps.length) return false;
  return one.steps.every(({ branchId, action }, index) => {
    const twin = other.steps[index]!;
    return twin.branchId === branchId && twin.action === action && sameBytes(one.payloads[index]!, other.payloads[index]!);
  });
}
