/**
 * One unary call of gRPC (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). The payload is the message that is
 * sent, byte for byte. The status of the answer is the outcome. The message of the answer is read only where the step keeps it.
 */
import { type ClientHttp2Session, type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { limits, type Outcome, type OutcomeClass, participantStuck } from '@amends/core';
import { stopwatch } from '../../ports/host.ts';
import type { BranchCall } from '../../ports/ports.ts';
import { classOfConnectError } from '../connection-error.ts';
import type { Deadlines, Timed } from '../deadlines.ts';
import type { GrpcChannel } from './grpc-channel.ts';

/** The metadata and the message of one call. */
export interface GrpcRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly message: Uint8Array;
}

type Result = Omit<Outcome, 'durationMs'>;

/** Codes of the errors of a session that takes no more streams. */
const sessionEnded = /^ERR_HTTP2_(INVALID_SESSION|GOAWAY_SESSION|OUT_OF_STREAMS)$/;

const noServer = 'answered by something that is no gRPC server';
const lost = { code: 'connection_lost', exchange: 'broken' } as const;

/** A flag of compression and a length stand before each message. */
const prefixBytes = 5;

/** What an exchange needs of its transport. */
export interface GrpcMeans {
  readonly deadlines: Deadlines;
  /** A connection that takes calls; null: no more are made. */
  channel(): GrpcChannel | null;
  /** @param leftMs of the time of the call */
  request(leftMs: number): GrpcRequest;
}

/** A call is sent this often at most when servers pass it over each time. */
const sendingsMax = 5;

const stopped: Result = { class: 'unknown', code: 'stopped', detail: 'the coordinator is stopping', exchange: 'unsent' };

/**
 * Makes a call; resolves exactly once, within its deadline. A server passes a call over when it is going away or has no room on
 * this connection. Nothing has happened then, so the call is sent again at once on another connection, as the same attempt.
 */
export function grpcExchange(call: BranchCall, means: GrpcMeans): Promise<Outcome> {
  return new Promise((done) => {
    send(call, means, { done, startedAt: stopwatch.now(), sending: 1, before: stopped });
  });
}

/** How far a call has come over all its sendings. */
interface Course {
  done(outcome: Outcome): void;
  readonly startedAt: number;
  /** Which sending this is, from 1. */
  readonly sending: number;
  /** The outcome when it cannot be sent any more. */
  readonly before: Result;
}

function send(call: BranchCall, means: GrpcMeans, course: Course): void {
  const leftMs = Math.max(0, call.deadlineInMs - Math.floor(stopwatch.now() - course.startedAt));
  const channel = course.sending > sendingsMax ? null : means.channel();
  if (channel === null) end(course, course.before);
  else new GrpcSending(channel, call, { means, course }).begin(leftMs);
}

function end({ done, startedAt }: Course, outcome: Result): void {
  done({ ...outcome, durationMs: Math.round(stopwatch.now() - startedAt) });
}

/** One sending of a call, on one connection. */
class GrpcSending implements Timed {
  wakeSlot = -1;
  wakeAt: number | null = null;
  readonly #channel: GrpcChannel;
  readonly #call: BranchCall;
  readonly #means: GrpcMeans;
  readonly #course: Course;
  #stream: ClientHttp2Stream | null = null;
  #httpStatus: number | null = null;
  #status: number | null = null;
  #message = '';
  /** The participant says that a human has to look. */
  #isStuck = false;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #error: Error | null = null;
  #over = false;

  constructor(channel: GrpcChannel, call: BranchCall, { means, course }: { means: GrpcMeans; course: Course }) {
    this.#channel = channel;
    this.#call = call;
    this.#means = means;
    this.#course = course;
  }

  /** @param leftMs of the time of the call */
  begin(leftMs: number): void {
    const request = this.#means.request(leftMs);
    this.#channel.calls += 1;
    this.#means.deadlines.set(this, leftMs);
    const { ready, connected } = this.#channel;
    if (ready !== null) return this.#send(ready, request);
    connected.then(
      (session) => this.#over || this.#send(session, request),
      (error: Error) => this.#end({ class: 'unknown', detail: error.message, ...classOfConnectError(error) }),
    );
  }

  #send(session: ClientHttp2Session, { headers, message }: GrpcRequest): void {
    try {
      this.#follow(session.request(headers), message);
    } catch (error) {
      // The session has ended, or a header cannot be sent. Nothing has left in either case.
      const { message, code = '' } = error as NodeJS.ErrnoException;
      if (sessionEnded.test(code)) this.#passOver(message);
      else this.#end({ class: 'unknown', code: 'invalid_request', detail: message, exchange: 'refused' });
    }
  }

  /** The connection stood, and its server has certainly not looked at the call. */
  #passOver(detail: string): void {
    if (!this.#leave()) return;
    this.#channel.retire();
    const before: Result = { class: 'unknown', code: 'connect_refused', detail, exchange: 'refused' };
    send(this.#call, this.#means, { ...this.#course, sending: this.#course.sending + 1, before });
  }

  #follow(stream: ClientHttp2Stream, message: Uint8Array): void {
    this.#stream = stream;
    stream.on('response', (headers) => {
      this.#httpStatus = headers[':status'] ?? 0;
      this.#readStatus(headers);
    });
    stream.on('trailers', (trailers: IncomingHttpHeaders) => this.#readStatus(trailers));
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('error', (error: Error) => {
      this.#error = error;
    });
    stream.on('close', () => this.#hearEnd(stream));
    stream.end(frame(message));
  }

  #readStatus(headers: IncomingHttpHeaders): void {
    const status = headers['grpc-status'];
    if (status === undefined) return;
    this.#status = /^\d+$/.test(String(status)) ? Number(status) : codes.unknown;
    this.#message = decode(String(headers['grpc-message'] ?? ''));
    this.#isStuck = headers['amends-attention'] === 'needed';
  }

  #take(chunk: Buffer): void {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > limits.answerBytesMax + prefixBytes) return this.#tooLarge();
    if (this.#call.keepsAnswer) this.#chunks.push(chunk);
  }

  #hearEnd(stream: ClientHttp2Stream): void {
    const detail = this.#error?.message ?? 'the call ended without a status';
    if (this.#status !== null) this.#end(this.#verdict(this.#status));
    else if (this.#httpStatus === null && this.#isPassedOver(stream)) this.#passOver(detail);
    else if (this.#httpStatus === null || this.#httpStatus === 200) this.#end({ class: 'unknown', detail, ...lost });
    else this.#end({ class: 'unknown', code: `http_${this.#httpStatus}`, detail: noServer, exchange: 'answered' });
  }

  /**
   * A stream was passed over when it has not left, or when the server has said that it did not look at it. No other error says
   * that the server has not heard the call.
   */
  #isPassedOver({ id, rstCode }: ClientHttp2Stream): boolean {
    return id === undefined || rstCode === constants.NGHTTP2_REFUSED_STREAM || this.#channel.hasPassedOver(id);
  }

  #verdict(status: number): Result {
    if (status === codes.ok && this.#call.keepsAnswer) return this.#agreed();
    // A participant's library sends the last two statuses by itself, while the participant's function may go on.
    const exchange = status === codes.deadlineExceeded || status === codes.cancelled ? 'broken' : 'answered';
    const detail = status === codes.ok ? '' : readable(this.#message);
    const verdict = classOfStatus(status, this.#message);
    const code = verdict === 'unknown' && this.#isStuck ? participantStuck : `grpc_${status}`;
    return { class: verdict, code, detail, exchange };
  }

  #agreed(): Result {
    const bytes = Buffer.concat(this.#chunks);
    const whole = bytes.byteLength >= prefixBytes && bytes[0] === 0 && bytes.readUInt32BE(1) === bytes.byteLength - prefixBytes;
    if (!whole)
      return { class: 'unknown', code: 'answer_unreadable', detail: 'not one uncompressed message', exchange: 'answered' };
    return {
      class: 'success',
      code: 'grpc_0',
      detail: '',
      exchange: 'answered',
      kept: new Uint8Array(bytes.subarray(prefixBytes)),
    };
  }

  /** The time is over. Nothing has left when there is no stream yet, or when the stream waits for its turn on the connection. */
  wake(): void {
    const detail = `no complete answer within ${this.#call.deadlineInMs} ms`;
    const isUnsent = this.#stream === null || this.#stream.pending;
    this.#end({ class: 'unknown', code: 'timeout', detail, exchange: isUnsent ? 'refused' : 'broken' });
    this.#channel.probe();
  }

  #tooLarge(): void {
    const detail = `the answer is larger than ${limits.answerBytesMax} bytes; a verdict must be short`;
    this.#end({ class: 'unknown', code: 'answer_too_large', detail, exchange: 'answered' });
  }

  #end(outcome: Result): void {
    if (this.#leave()) end(this.#course, outcome);
  }

  /** Ends its use of the connection. @returns false when that has happened already */
  #leave(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#channel.calls -= 1;
    this.#means.deadlines.clear(this);
    this.#chunks = [];
    if (this.#stream?.closed === false) this.#stream.close(constants.NGHTTP2_CANCEL);
    return true;
  }
}

/** Puts a message into the frame in which it travels: uncompressed, with its length before it. */
function frame(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(prefixBytes + message.byteLength);
  bytes.writeUInt8(0, 0);
  bytes.writeUInt32BE(message.byteLength, 1);
  bytes.set(message, prefixBytes);
  return bytes;
}

/** The statuses that mean something here (https://grpc.github.io/grpc/core/md_doc_statuscodes.html). */
const codes = { ok: 0, cancelled: 1, unknown: 2, deadlineExceeded: 4, failedPrecondition: 9, aborted: 10 } as const;

/** The meaning that DTM gives to a status. Its older clients say *ongoing* by `ONGOING` in the message. */
function classOfStatus(status: number, message: string): OutcomeClass {
  switch (status) {
    case codes.ok:
      return 'success';
    case codes.aborted:
      return message === 'ONGOING' ? 'ongoing' : 'failure';
    case codes.failedPrecondition:
      return 'ongoing';
    default:
      return 'unknown';
  }
}

/** Decodes a `grpc-message`, which is percent-encoded UTF-8. A text that is not is taken as it came. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function readable(text: string): string {
  return text.slice(0, limits.answerCharactersKept).toWellFormed().replaceAll('\u0000', '\ufffd');
}
