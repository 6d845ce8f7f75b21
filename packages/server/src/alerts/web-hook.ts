/** Tells alerts to an address of the operator's: by POST, a few at a time, again for a while when it does not take them. */
import type { Log } from '@amends/coordinator';
import type { Alert } from './alert.ts';

/** Where alerts go. */
export interface WebHook {
  /** Returns at once. */
  tell(alert: Alert): void;
  /** Tries once more what has not been told, within the time; the rest is named in the log. Milliseconds. */
  close(graceMs: number): Promise<void>;
}

/** What it needs. */
export interface WebHookOptions {
  readonly url: string;
  readonly log: Log;
  /** Pauses before each further attempt. Milliseconds. Default: 1 s, 5 s, 30 s. */
  readonly pausesMs?: readonly number[];
}

const atOnceMax = 8;
/** Alerts that wait; what comes beyond is named in the log only. */
const waitingMax = 10_000;
/** Time for one attempt. Milliseconds. */
const attemptMs = 5_000;

/** Makes it. */
export function webHook({ url, log, pausesMs = [1_000, 5_000, 30_000] }: WebHookOptions): WebHook {
  const waiting: Attempt[] = [];
  const pauses = new Map<NodeJS.Timeout, Attempt>();
  const underWay = new Set<Promise<void>>();
  const closed = new AbortController();
  let isClosing = false;

  function enqueue(attempt: Attempt): void {
    if (waiting.length >= waitingMax) return giveUp(attempt.alert, 'too many alerts wait');
    waiting.push(attempt);
    next();
  }

  function next(): void {
    while (underWay.size < atOnceMax && waiting.length > 0) {
      const promise = tellOnce(waiting.shift()!).finally(() => {
        underWay.delete(promise);
        next();
      });
      underWay.add(promise);
    }
  }

  async function tellOnce(attempt: Attempt): Promise<void> {
    const trouble = await post(url, attempt.alert, closed.signal);
    if (trouble === null) return;
    const pauseMs = pausesMs[attempt.failures];
    if (isClosing || pauseMs === undefined) return giveUp(attempt.alert, trouble);
    const timer = setTimeout(() => {
      pauses.delete(timer);
      enqueue({ ...attempt, failures: attempt.failures + 1 });
    }, pauseMs);
    pauses.set(timer, attempt);
  }

  function giveUp(alert: Alert, trouble: string): void {
    log.error({ ...alert, trouble }, 'alert not told to the web hook');
  }

  return {
    tell: (alert) => enqueue({ alert, failures: 0 }),
    async close(graceMs) {
      isClosing = true;
      for (const [timer, attempt] of pauses) {
        clearTimeout(timer);
        enqueue(attempt);
      }
      const cut = setTimeout(() => {
        for (const { alert } of waiting.splice(0)) giveUp(alert, 'the server stops');
        closed.abort();
      }, graceMs);
      while (underWay.size > 0) await Promise.all(underWay);
      clearTimeout(cut);
    },
  };
}

interface Attempt {
  readonly alert: Alert;
  readonly failures: number;
}

/** @returns why it was not taken; null: it was */
async function post(url: string, alert: Alert, closed: AbortSignal): Promise<string | null> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(alert),
      redirect: 'manual',
      signal: AbortSignal.any([closed, AbortSignal.timeout(attemptMs)]),
    });
    await response.body?.cancel();
    return response.ok ? null : `it answered ${response.status}`;
  } catch (error) {
    const { cause, message } = error as Error;
    return cause instanceof Error ? cause.message : message;
  }
}
