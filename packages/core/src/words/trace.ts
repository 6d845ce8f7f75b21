/**
 * The trace that a request belongs to, by W3C Trace Context (https://www.w3.org/TR/trace-context/, section 3.2): its
 * identity is kept with the transaction and told to every participant, so that one trace shows the whole of it.
 */

/** What is kept of a caller's `traceparent`: the trace, not the caller's own span in it. */
export interface Trace {
  /** 32 lower-case hex digits, not all of them 0. */
  readonly traceId: string;
  /** Two hex digits; of the flags those that are defined: 01 sampled, 02 random trace id. */
  readonly flags: string;
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const definedFlags = 0x03;

/** The trace of a `traceparent`; null when there is none or it is not valid, which is no reason to refuse a request. */
export function parseTrace(traceparent: string | null): Trace | null {
  const [, version, traceId = '', parentId = '', flags = '', more] = form.exec(traceparent ?? '') ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return null;
  if (isZero(traceId) || isZero(parentId)) return null;
  return { traceId, flags: hexByte(Number.parseInt(flags, 16) & definedFlags) };
}

/** The `traceparent` of one call within a trace. @param spanId 8 bytes by which the call is known, not all of them 0 */
export function makeTraceparent({ traceId, flags }: Trace, spanId: Uint8Array): string {
  return `00-${traceId}-${Array.from(spanId, hexByte).join('')}-${flags}`;
}

function isZero(hex: string): boolean {
  return /^0+$/.test(hex);
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
