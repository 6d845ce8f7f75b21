/** Turns what a handler returns or throws into a status and a body that every coordinator understands. */
import { BadCall, type Call, type IncomingCall, readCall } from './call.ts';

/** A handler throws it to refuse for good. The transaction is rolled back, if it still can be. */
export class BusinessFailure extends Error {
  override readonly name = 'BusinessFailure';
}

/** A handler throws it while it has no verdict yet. The coordinator asks again later. */
export class Ongoing extends Error {
  override readonly name = 'Ongoing';
}

/**
 * A handler or a barrier throws it where repeating cannot help and a human has to look. Amends puts the transaction on hold, with
 * the reason; other coordinators try again.
 */
export class NeedsAttention extends Error {
  override readonly name = 'NeedsAttention';
}

/**
 * Does what a call asks. Its return value, or that of its promise, is sent as JSON, of which a coordinator reads 64 KiB.
 * `Body` is the type of the payload that the application sends; it is not checked.
 */
export type Handler<Body = unknown> = (call: Call<Body>) => unknown;

/** Where errors are reported. */
export interface ParticipantOptions {
  /** Called with every error that is no verdict. Default: the framework's log, or the console where it has none. */
  readonly onError?: OnError;
}

/** Called with an error; the call is null when it could not be read. */
export type OnError = (error: unknown, call: Call | null) => void;

/** The default for frameworks without a log. */
export const logToConsole: OnError = (error) => console.error(error);

/** An answer to a coordinator. */
export interface VerdictAnswer {
  readonly status: 200 | 400 | 409 | 425 | 500;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
}

/** Reads a call, runs its handler, and makes the answer. Never rejects. */
export async function giveVerdict(handler: Handler, incoming: IncomingCall, onError: OnError): Promise<VerdictAnswer> {
  let call: Call | null = null;
  try {
    call = await readCall(incoming);
    return answerWith(200, (await handler(call)) ?? { dtm_result: 'SUCCESS' });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof BusinessFailure) return answerWith(409, { message }, 'FAILURE');
    if (error instanceof Ongoing) return answerWith(425, { message }, 'ONGOING');
    if (error instanceof BadCall) return answerWith(400, { message });
    onError(error, call);
    const failed = answerWith(500, { message });
    return error instanceof NeedsAttention ? { ...failed, headers: { ...json, 'amends-attention': 'needed' } } : failed;
  }
}

const json = { 'content-type': 'application/json' } as const;

/** DTM's coordinators search bodies for these words, so a body contains one only as its verdict. */
const verdictWords = /FAILURE|ONGOING/g;

function answerWith(status: VerdictAnswer['status'], value: unknown, verdict?: 'FAILURE' | 'ONGOING'): VerdictAnswer {
  const text = (JSON.stringify(value) ?? 'null').replaceAll(verdictWords, escapeFirst);
  return { status, headers: json, body: verdict === undefined ? text : `{"dtm_result":"${verdict}",${text.slice(1)}` };
}

/** Writes the first letter of a word as an escape; JSON reads the same text. */
function escapeFirst(word: string): string {
  return `\\u00${word.charCodeAt(0).toString(16)}${word.slice(1)}`;
}
