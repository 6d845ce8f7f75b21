/** The pauses before a request is sent again. */

/** How the client sends a request again when the server cannot be reached or has no room. */
export interface ClientRetry {
  /** How long to go on after the first failure. Milliseconds; 0: not at all. Default 30 s. */
  readonly limitMs?: number;
  /** Pause before the second attempt; it doubles each time. Milliseconds; default 50. */
  readonly delayMs?: number;
  /** Longest pause, unless the server asks for a longer one. Milliseconds; default 2 s. */
  readonly delayMsMax?: number;
}

/** The policy with its defaults. */
export function retryWithDefaults({ limitMs = 30_000, delayMs = 50, delayMsMax = 2_000 }: ClientRetry): Required<ClientRetry> {
  return { limitMs, delayMs, delayMsMax };
}

/** A pause that doubles with each attempt. Between half of it and all of it is drawn, so that clients do not repeat in step. */
export function pauseMsAfter(attempt: number, { delayMs, delayMsMax }: Required<ClientRetry>): number {
  return Math.min(delayMs * 2 ** (attempt - 1), delayMsMax) * (0.5 + Math.random() / 2);
}

/** The pause that a header `Retry-After` asks for, in seconds or as a date. Milliseconds; null: the header says neither. */
export function retryAfterMs(header: string | readonly string[] | undefined): number | null {
  if (typeof header !== 'string') return null;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}
