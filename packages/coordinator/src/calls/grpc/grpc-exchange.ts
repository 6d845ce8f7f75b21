/**
 * One unary call of gRPC (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md): the payload goes out as the
 * message, byte for byte; of the answer the status counts, and its message only where the step keeps it.
 */
import { type ClientHttp2Session, type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { limits, type Outcome, type OutcomeClass, participantStuck } from '@amends/core';
import type { BranchCall } from '../../ports/ports.ts';
import { classOfConnectError } from '../connection-error.ts';
import type { GrpcChannel } from './grpc-channel.ts';

/** What goes out. */
export interface GrpcRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly message: Uint8Array;
}

type Result = Omit<Outcome, 'durationMs'>;

/** Errors of a session that takes no more streams. */
const sessionEnded = /^ERR_HTTP2_(INVALID_SESSION|GOAWAY_SESSION|OUT_OF_STREAMS)$/;

const noServer = 'answered by something that is no gRPC server';
const lost = { code: 'connection_lost', exchange: 'broken' } as const;

/** Flag of compression and length, before each message. */
const prefixBytes = 5;

/** What a call is made with. */
export interface GrpcMeans {
  /** A connection that takes calls; null: no more are made. */
  channel(): GrpcChannel | null;
  /** @param leftMs of the time of the call */
  request(leftMs: number): GrpcRequest;
}

/** How often one call is sent, when servers pass it over each time. */
const sendingsMax = 5;

/**
 * Makes a call; resolves exactly once, within its deadline. What a server has passed over, because it is going away or has no
 * room on this connection, is sent again at once on another: nothing has happened yet, so it is the same attempt.
 */
export async function grpcExchange(call: BranchCall, { channel: connect, request }: GrpcMeans): Promise<Outcome> {
  const startedAt = performance.now();
  let ending: Ending = { outcome: stopped, isPassedOver: true };
  for (let sending = 1; ending.isPassedOver && sending <= sendingsMax; sending++) {
    const leftMs = Math.max(0, call.deadlineInMs - Math.floor(performance.now() - startedAt));
    const channel = connect();
    if (channel === null) break;
    ending = await new Promise<Ending>((done) => new GrpcExchange(channel, call, done).begin(request(leftMs), leftMs));
    if (ending.isPassedOver) channel.retire();
  }
  return { ...ending.outcome, durationMs: Math.round(performance.now() - startedAt) };
}

const stopped: Result = { class: 'unknown', code: 'stopped', detail: 'the coordinator is stopping', exchange: 'unsent' };

/** How a call ended on one connection. */
interface Ending {
  readonly outcome: Result;
  /** Whether the connection stood and its server has certainly not looked at the call. */
  readonly isPassedOver: boolean;
}

/** One call on one connection. */
class GrpcExchange {
  readonly #channel: GrpcChannel;
  readonly #call: BranchCall;
  readonly #done: (ending: Ending) => void;
  #deadline: NodeJS.Timeout | undefined;
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

  constructor(channel: GrpcChannel, call: BranchCall, done: (ending: Ending) => void) {
    this.#channel = channel;
    this.#call = call;
    this.#done = done;
    this.#channel.calls += 1;
  }

  begin(request: GrpcRequest, leftMs: number): void {
    this.#deadline = setTimeout(() => this.#timeOut(), leftMs);
    this.#channel.connected.then(
      (session) => this.#over || this.#send(session, request),
      (error: Error) => this.#end({ class: 'unknown', detail: error.message, ...classOfConnectError(error) }),
    );
  }

  #send(session: ClientHttp2Session, { headers, message }: GrpcRequest): void {
    try {
      this.#follow(session.request(headers), message);
    } catch (error) {
      // The session has ended, or a header cannot be sent: either way nothing has left.
      const { message, code = '' } = error as NodeJS.ErrnoException;
      if (sessionEnded.test(code)) this.#passOver(message);
      else this.#end({ class: 'unknown', code: 'invalid_request', detail: message, exchange: 'refused' });
    }
  }

  #passOver(detail: string): void {
    this.#end({ class: 'unknown', code: 'connect_refused', detail, exchange: 'refused' }, { isPassedOver: true });
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
    stream.on('close', () => this.#ended(stream));
    const prefix = Buffer.alloc(prefixBytes);
    prefix.writeUInt32BE(message.byteLength, 1);
    stream.end(Buffer.concat([prefix, message]));
  }

  #readStatus(headers: IncomingHttpHeaders): void {
    const status = headers['grpc-status'];
    if (status === undefined) return;
    this.#status = /^\d+$/.test(String(status)) ? Number(status) : codes.unknown;
    this.#message = decoded(String(headers['grpc-message'] ?? ''));
    this.#isStuck = headers['amends-attention'] === 'needed';
  }

  #take(chunk: Buffer): void {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > limits.answerBytesMax + prefixBytes) return this.#tooLarge();
    if (this.#call.keepsAnswer) this.#chunks.push(chunk);
  }

  #ended(stream: ClientHttp2Stream): void {
    const detail = this.#error?.message ?? 'the call ended without a status';
    if (this.#status !== null) this.#end(this.#verdict(this.#status));
    else if (this.#httpStatus === null && this.#isPassedOver(stream)) this.#passOver(detail);
    else if (this.#httpStatus === null || this.#httpStatus === 200) this.#end({ class: 'unknown', detail, ...lost });
    else this.#end({ class: 'unknown', code: `http_${this.#httpStatus}`, detail: noServer, exchange: 'answered' });
  }

  /** It has not left, or the server has said that it did not look at it. Otherwise no error says that it was not heard. */
  #isPassedOver({ id, rstCode }: ClientHttp2Stream): boolean {
    return id === undefined || rstCode === constants.NGHTTP2_REFUSED_STREAM || this.#channel.hasPassedOver(id);
  }

  #verdict(status: number): Result {
    if (status === codes.ok && this.#call.keepsAnswer) return this.#agreed();
    // The library of a participant tells the last two itself, while its function may go on.
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

  #timeOut(): void {
    const detail = `no complete answer within ${this.#call.deadlineInMs} ms`;
    // Without a stream, or with one that waits for its turn on the connection, nothing has left.
    const isUnsent = this.#stream === null || this.#stream.pending;
    this.#end({ class: 'unknown', code: 'timeout', detail, exchange: isUnsent ? 'refused' : 'broken' });
    this.#channel.probe();
  }

  #tooLarge(): void {
    const detail = `the answer is larger than ${limits.answerBytesMax} bytes; a verdict must be short`;
    this.#end({ class: 'unknown', code: 'answer_too_large', detail, exchange: 'answered' });
  }

  #end(outcome: Result, { isPassedOver } = { isPassedOver: false }): void {
    if (this.#over) return;
    this.#over = true;
    this.#channel.calls -= 1;
    clearTimeout(this.#deadline);
    this.#chunks = [];
    this.#stream?.close(constants.NGHTTP2_CANCEL);
    this.#done({ outcome, isPassedOver });
  }
}

/** The statuses that mean something here (https://grpc.github.io/grpc/core/md_doc_statuscodes.html). */
const codes = { ok: 0, cancelled: 1, unknown: 2, deadlineExceeded: 4, failedPrecondition: 9, aborted: 10 } as const;

/** DTM's reading of a status; `ONGOING` in the message is how its older clients say so. */
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

/** `grpc-message` is percent-encoded UTF-8; what is not is shown as it came. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function readable(text: string): string {
  return text.slice(0, limits.answerCharactersKept).toWellFormed().replaceAll('\u0000', '\ufffd');
}
