/** The payloads of a spec: which is whose, and what they weigh. */
import type { Way } from '../words/op.ts';
import type { SagaSpec, Spec } from './spec.ts';

/** Which of the spec's payloads a call has. */
export function payloadIndex(spec: SagaSpec, index: number, way: Way): number {
  return way === 'forward' ? index : (spec.steps[index]!.compensatePayload ?? index);
}

/** What the payloads of a spec weigh, those included that refer to answers. Bytes. */
export function payloadBytesOf(spec: Spec): number {
  const bytes = spec.payloads.reduce((sum, payload) => sum + payload.byteLength, 0);
  if (spec.mode !== 'saga' || spec.templates === undefined) return bytes;
  const texts = spec.templates.flatMap((template) => template ?? []).filter((piece) => typeof piece === 'string');
  return texts.reduce((sum, text) => sum + text.length, bytes);
}
