/** What a participant answers: the verdict that a handler gives, as status and body that every coordinator understands. */
import { BadCall, type Call, type IncomingCall, readCall } from './call.ts';

/** Thrown by a handler to refuse for good: the transaction is rolled back, if it still can be. */
export class BusinessFailure extends Error {
  override readonly name = 'BusinessFailure';
}

/** Thrown by a handler that has no verdict yet: the coordinator asks again later. */
export class Ongoing extends Error {
  override readonly name = 'Ongoing';
}

/**
 * Thrown where repetition cannot help: a human has to look. A coordinator of Amends puts the transaction on hold, with the
 * reason; others try again.
 */
export class NeedsAttention extends Error {
  override readonly name = 'NeedsAttention';
}

/**
 * Does what a call asks; what it returns, now or by a promise, is sent along as JSON: 64 KiB at most, for a verdict is short.
 * `Body` is what the application sends as the payload; it is not checked here.
 */
export type Handler<Body = unknown> = (call: Call<Body>) => unknown;

/** What to do about errors. */
export interface ParticipantOptions {
  /** Hears of every error that is no verdict. Default: the framework's log, or the console where it has none. */
  readonly onError?: OnError;
}

/** Hears of an error; the call is null when it could not be read. */
export type OnError = (error: unknown, call: Call | null) => void;

/** For frameworks without a log. */
export const logToConsole: OnError = (error) => console.error(error);

/** An answer to a coordinator. */
export interface VerdictAnswer {
  readonly status: 200 | 400 | 409 | 425 | 500;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
}

/** Runs a handler. Never rejects. */
export async function verdictOn(handler: Handler, incoming: IncomingCall, onError: OnError): Promise<VerdictAnswer> {
  let call: Call | null = null;
  try {
    call = await readCall(incoming);
    return answer(200, (await handler(call)) ?? { dtm_result: 'SUCCESS' });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof BusinessFailure) return answer(409, { message }, 'FAILURE');
    if (error instanceof Ongoing) return answer(425, { message }, 'ONGOING');
    if (error instanceof BadCall) return answer(400, { message });
    onError(error, call);
    const failed = answer(500, { message });
    return error instanceof NeedsAttention ? { ...failed, headers: { ...json, 'amends-attention': 'needed' } } : failed;
  }
}

const json = { 'content-type': 'application/json' } as const;

/** DTM's coordinators search bodies for these words, so they stand only where they are the verdict. */
const verdictWords = /FAILURE|ONGOING/g;

function answer(status: VerdictAnswer['status'], value: unknown, verdict?: 'FAILURE' | 'ONGOING'): VerdictAnswer {
  const text = (JSON.stringify(value) ?? 'null').replaceAll(verdictWords, escapeFirst);
  return { status, headers: json, body: verdict === undefined ? text : `{"dtm_result":"${verdict}",${text.slice(1)}` };
}

/** The same JSON string in other characters. */
function escapeFirst(word: string): string {
  return `\\u00${word.charCodeAt(0).toString(16)}${word.slice(1)}`;
}
