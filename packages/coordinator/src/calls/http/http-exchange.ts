/** One exchange over HTTP, followed by undici's raw callbacks until its outcome, within its deadline. */
import { type Exchange, limits, type Outcome, type OutcomeClass, participantStuck } from '@amends/core';
import type { Dispatcher } from 'undici';
import { stopwatch } from '../../ports/host.ts';
import type { BranchCall } from '../../ports/ports.ts';
import { classOfConnectError } from '../connection-error.ts';
import type { Deadlines, Timed } from '../deadlines.ts';
import { classOfAnswer, detailOfAnswer, isVerdict } from './answer.ts';
import { decodeBody, encodingIn, tooLarge } from './content-encoding.ts';
import { classOfJsonRpc, isJsonRpc } from './json-rpc-call.ts';
import { headerIn } from './raw-headers.ts';

/** Keeps the time of an exchange, and hears of its outcome. */
export interface ExchangeEnds {
  readonly deadlines: Deadlines;
  /** Called exactly once. */
  done(outcome: Outcome): void;
}

const lost = { code: 'connection_lost', exchange: 'broken' } as const;

const nothing = Buffer.alloc(0);

/** Follows one exchange. undici's newer callbacks would cost an object for all headers and two more for each exchange. */
export class HttpExchange implements Dispatcher.DispatchHandler, Timed {
  wakeSlot = -1;
  wakeAt: number | null = null;
  readonly #call: BranchCall;
  readonly #ends: ExchangeEnds;
  readonly #startedAt = stopwatch.now();
  /** null while the request has not been handed to a connection; an error that comes then says that nothing was sent. */
  #abort: ((reason: Error) => void) | null = null;
  #status = 0;
  #location = '';
  #encoding = '';
  /** The participant says that a human has to look. */
  #isStuck = false;
  #chunks: Buffer[] | null = null;
  #bytes = 0;
  #over = false;

  constructor(call: BranchCall, ends: ExchangeEnds) {
    this.#call = call;
    this.#ends = ends;
    ends.deadlines.set(this, call.deadlineInMs);
  }

  /** The time is over. A request that was not handed to a connection has not reached the participant. */
  wake(): void {
    const detail = `no complete answer within ${this.#call.deadlineInMs} ms`;
    this.#endUnknown('timeout', detail, this.#abort === null ? 'refused' : 'broken');
    this.#abort?.(new Error(detail));
  }

  /** @throws Error when it is too late; nothing is sent then, and the connection stays */
  onConnect(abort: (reason: Error) => void): void {
    if (this.#over) throw new Error('too late');
    this.#abort = abort;
  }

  onHeaders(status: number, headers: readonly Buffer[]): boolean {
    this.#status = status;
    this.#encoding = encodingIn(headers);
    this.#isStuck = headerIn(headers, 'amends-attention') === 'needed';
    if (status >= 300 && status < 400) this.#location = headerIn(headers, 'location') ?? '';
    return true;
  }

  onData(chunk: Buffer): boolean {
    if (this.#over) return true;
    this.#bytes += chunk.byteLength;
    if (this.#chunks === null) this.#chunks = [chunk];
    else this.#chunks.push(chunk);
    if (this.#bytes > limits.answerBytesMax) this.#tooLarge();
    return true;
  }

  onComplete(): void {
    if (this.#encoding === '') return this.#judge(this.#received());
    const decoded = decodeBody(this.#received(), this.#encoding, limits.answerBytesMax);
    if ('bytes' in decoded) this.#judge(decoded.bytes);
    else this.#judgeUnread(decoded.code, decoded.detail);
  }

  onError(error: Error): void {
    const { code, exchange } = this.#abort === null ? classOfConnectError(error) : lost;
    this.#endUnknown(code, error.message, exchange);
  }

  #received(): Buffer {
    if (this.#chunks === null) return nothing;
    return this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
  }

  #judge(body: Buffer): void {
    const verdict = this.#classOf(body);
    if (verdict === 'success') return this.#succeed(body);
    const detail = this.#location === '' ? detailOfAnswer(this.#call.face, body.toString()) : this.#redirect();
    const code = verdict === 'unknown' && this.#isStuck ? participantStuck : codeOf(this.#status);
    this.#end({ class: verdict, code, detail, exchange: 'answered', durationMs: this.#lastedMs() });
  }

  #succeed(body: Buffer): void {
    const code = codeOf(this.#status);
    const agreed = { class: 'success', code, detail: '', exchange: 'answered', durationMs: this.#lastedMs() } as const;
    this.#end(this.#call.keepsAnswer ? { ...agreed, kept: new Uint8Array(body) } : agreed);
  }

  /** Judges an answer whose body cannot be read, or not to its end. Its status may be a verdict all the same. */
  #judgeUnread(code: string, detail: string): void {
    if (!isVerdict(this.#status)) return this.#endUnknown(code, detail, 'answered');
    if (this.#encoding === '') return this.#judge(this.#received());
    const verdict = this.#classOf(nothing);
    this.#end({ class: verdict, code: codeOf(this.#status), detail, exchange: 'answered', durationMs: this.#lastedMs() });
  }

  #classOf(body: Buffer): OutcomeClass {
    const verdict = classOfAnswer(this.#call.face, this.#status, body);
    return verdict === 'success' && isJsonRpc(this.#call) ? classOfJsonRpc(body.toString()) : verdict;
  }

  #redirect(): string {
    return `redirect to ${this.#location} not followed`.slice(0, limits.answerCharactersKept).toWellFormed();
  }

  #tooLarge(): void {
    const detail = tooLarge(limits.answerBytesMax);
    this.#judgeUnread('answer_too_large', detail);
    this.#abort?.(new Error(detail));
  }

  #endUnknown(code: string, detail: string, exchange: Exchange): void {
    this.#end({ class: 'unknown', code, detail, exchange, durationMs: this.#lastedMs() });
  }

  #lastedMs(): number {
    return Math.round(stopwatch.now() - this.#startedAt);
  }

  #end(outcome: Outcome): void {
    if (this.#over) return;
    this.#over = true;
    this.#ends.deadlines.clear(this);
    this.#chunks = null;
    this.#ends.done(outcome);
  }
}

/** The code of nearly every answer, made once. */
const usual = 'http_200';

function codeOf(status: number): string {
  return status === 200 ? usual : `http_${status}`;
}
