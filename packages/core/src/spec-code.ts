/**
 * A spec as stored: JSON text for the plan and one run of bytes for all payloads, so that a payload is never escaped,
 * and a digest over both by which two requests with one gid are compared.
 */
import type { Spec } from './spec.ts';

/** The newest format of stored specs that this version writes; it reads all from 1 on. */
export const specFormat = 2;

/** The stored form of a spec. */
export interface StoredSpec {
  readonly format: number;
  /** JSON: the plan, which is the spec without payloads and presentation, and `payloadBytes`, the length of each payload. */
  readonly plan: string;
  /** JSON: the spec's `presentation`. */
  readonly presentation: string;
  /** All payloads, one after the other. */
  readonly payloads: Uint8Array;
  /** SHA-256 over plan and payloads, 64 hex digits. How a single request was worded or waited for is not in it. */
  readonly digest: string;
}

/** The stored form of a spec, still without digest: that needs a hash function, which the shell has. */
export function encodeSpec(spec: Spec): Omit<StoredSpec, 'digest'> {
  const { payloads, presentation, ...plan } = spec;
  return {
    format: formatOf(spec),
    plan: JSON.stringify({ ...plan, payloadBytes: payloads.map((payload) => payload.byteLength) }),
    presentation: JSON.stringify(presentation),
    payloads: concatenated(payloads),
  };
}

/** The oldest format that knows all of it: 2 brought payloads that refer to answers, and payloads of compensations. */
function formatOf(spec: Spec): number {
  if (spec.mode !== 'saga') return 1;
  return spec.steps.some(({ keepAnswer, compensatePayload }) => keepAnswer || compensatePayload !== undefined) ? 2 : 1;
}

/** A plan as it was written: of whichever mode, without what is stored beside it. */
type StoredPlan = { [S in Spec as S['mode']]: Omit<S, 'payloads' | 'presentation'> }[Spec['mode']] & { payloadBytes: number[] };

/**
 * The spec that was stored.
 * @throws Error when its format is newer than this version knows
 */
export function decodeSpec(stored: StoredSpec): Spec {
  if (stored.format > specFormat) throw new Error(`spec format ${stored.format} is not known to this version`);
  const { payloadBytes, ...plan } = JSON.parse(stored.plan) as StoredPlan;
  const presentation = JSON.parse(stored.presentation) as Spec['presentation'];
  return { ...plan, presentation, payloads: cut(stored.payloads, payloadBytes) } as Spec;
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}

function cut(whole: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  let offset = 0;
  return sizes.map((size) => {
    offset += size;
    return whole.subarray(offset - size, offset);
  });
}
