/**
 * A spec as stored: JSON text for the plan and one run of bytes for all payloads, so that a payload is never escaped,
 * and a digest over both by which two requests with one gid are compared.
 */
import type { Face, Spec } from '../request/spec.ts';

/** The newest format of stored specs that this version writes; it reads all from 1 on. */
export const specFormat = 2;

/**
 * After how long an alarm is raised where a request says nothing, in milliseconds: natively five minutes, for DTM's
 * clients never. A part of the stored form, which leaves the default out: so a request has the same digest as before
 * there were alarms. Another default needs another format.
 */
export const defaultAlarmAfterMs: Readonly<Record<Face, number | null>> = { native: 300_000, dtm: null };

/** The stored form of a spec. */
export interface StoredSpec {
  readonly format: number;
  /**
   * JSON: the plan, which is the spec without payloads, presentation and trace, and `payloadBytes`, the length of each payload.
   */
  readonly plan: string;
  /** JSON: the spec's `presentation` and `trace`; in format 1 the presentation alone. */
  readonly presentation: string;
  /** All payloads, one after the other. */
  readonly payloads: Uint8Array;
  /** SHA-256 over plan and payloads, 64 hex digits. How a single request was worded, traced or waited for is not in it. */
  readonly digest: string;
}

/** The stored form of a spec, still without digest: that needs a hash function, which the shell has. */
export function encodeSpec(spec: Spec): Omit<StoredSpec, 'digest'> {
  const { payloads, presentation, trace, alarmAfterMs, ...plan } = spec;
  const alarm = alarmAfterMs === defaultAlarmAfterMs[spec.face] ? {} : { alarmAfterMs };
  return {
    format: specFormat,
    plan: JSON.stringify({ ...plan, ...alarm, payloadBytes: payloads.map((payload) => payload.byteLength) }),
    presentation: JSON.stringify({ presentation, trace }),
    payloads: concatenate(payloads),
  };
}

/**
 * The spec that was stored.
 * @throws Error when its format is newer than this version knows
 */
export function decodeSpec(stored: StoredSpec): Spec {
  const { payloadBytes, ...plan } = JSON.parse(stored.plan) as Plan;
  const alarmAfterMs = plan.alarmAfterMs === undefined ? defaultAlarmAfterMs[plan.face] : plan.alarmAfterMs;
  return { ...plan, ...besidesPlan(stored), alarmAfterMs, payloads: cut(stored.payloads, payloadBytes) } as Spec;
}

type BesidesPlan = Pick<Spec, 'presentation' | 'trace'>;
type PlanOf<S extends Spec> = S extends Spec ? Omit<S, keyof BesidesPlan | 'payloads' | 'alarmAfterMs'> : never;
type Plan = PlanOf<Spec> & { readonly alarmAfterMs?: Spec['alarmAfterMs']; readonly payloadBytes: readonly number[] };

function besidesPlan({ format, presentation: text }: StoredSpec): BesidesPlan {
  const read: unknown = JSON.parse(text);
  const besides = format === 1 ? { presentation: read, trace: null } : read;
  if (format !== 1 && format !== specFormat) throw new Error(`spec format ${format} is not known to this version`);
  if (!isBesidesPlan(besides)) throw new Error('what is shown of the request is not what any version has written');
  return besides;
}

function isBesidesPlan(read: unknown): read is BesidesPlan {
  if (!isObject(read) || !isObject(read.presentation)) return false;
  return read.trace === null || (isObject(read.trace) && typeof read.trace.traceId === 'string');
}

function isObject(read: unknown): read is Readonly<Record<string, unknown>> {
  return typeof read === 'object' && read !== null && !Array.isArray(read);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
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
