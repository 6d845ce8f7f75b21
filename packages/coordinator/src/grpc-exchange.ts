/**
 * One unary call of gRPC (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md): the payload goes out as the
 * message, byte for byte; of the answer the status counts, and its message only where the step keeps it.
 */
import { type ClientHttp2Session, type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { limits, type Outcome, type OutcomeClass } from '@amends/core';
import { classOfConnectError } from './connection-error.ts';
import type { GrpcChannel } from './grpc-channel.ts';
import type { BranchCall } from './ports.ts';

/** What goes out. */
export interface GrpcRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly message: Uint8Array;
}

type Result = Omit<Outcome, 'durationMs'>;

const lost = { code: 'connection_lost', exchange: 'broken' } as const;

/** Flag of compression and length, before each message. */
const prefixBytes = 5;

/** Makes a call; resolves exactly once, within its deadline. */
export function grpcExchange(channel: GrpcChannel, { headers, message }: GrpcRequest, call: BranchCall): Promise<Outcome> {
  return new Promise((done) => new GrpcExchange(channel, call, done).begin({ headers, message }));
}

class GrpcExchange {
  readonly #channel: GrpcChannel;
  readonly #call: BranchCall;
  readonly #done: (outcome: Outcome) => void;
  readonly #startedAt = performance.now();
  readonly #deadline: NodeJS.Timeout;
  #stream: ClientHttp2Stream | null = null;
  #httpStatus: number | null = null;
  #status: number | null = null;
  #message = '';
  #chunks: Buffer[] = [];
  #bytes = 0;
  #error: Error | null = null;
  #over = false;

  constructor(channel: GrpcChannel, call: BranchCall, done: (outcome: Outcome) => void) {
    this.#channel = channel;
    this.#call = call;
    this.#done = done;
    this.#channel.calls += 1;
    this.#deadline = setTimeout(() => this.#timeOut(), call.deadlineInMs);
  }

  begin(request: GrpcRequest): void {
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
      const { message, code } = error as NodeJS.ErrnoException;
      const isHeader = code?.startsWith('ERR_HTTP2_INVALID_SESSION') !== true && code !== 'ERR_HTTP2_GOAWAY_SESSION';
      this.#end({
        class: 'unknown',
        code: isHeader ? 'invalid_request' : 'connect_refused',
        detail: message,
        exchange: 'refused',
      });
    }
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
    stream.on('close', () => this.#end(this.#result(stream)));
    const prefix = Buffer.alloc(prefixBytes);
    prefix.writeUInt32BE(message.byteLength, 1);
    stream.end(Buffer.concat([prefix, message]));
  }

  #readStatus(headers: IncomingHttpHeaders): void {
    const status = headers['grpc-status'];
    if (status === undefined) return;
    this.#status = /^\d+$/.test(String(status)) ? Number(status) : codes.unknown;
    this.#message = decoded(String(headers['grpc-message'] ?? ''));
  }

  #take(chunk: Buffer): void {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > limits.answerBytesMax + prefixBytes) return this.#tooLarge();
    if (this.#call.keepsAnswer) this.#chunks.push(chunk);
  }

  #result(stream: ClientHttp2Stream): Result {
    if (this.#status !== null) return this.#verdict(this.#status);
    if (this.#httpStatus !== null && this.#httpStatus !== 200)
      return {
        class: 'unknown',
        code: `http_${this.#httpStatus}`,
        detail: 'answered by something that is no gRPC server',
        exchange: 'answered',
      };
    const detail = this.#error?.message ?? 'the call ended without a status';
    if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM)
      return { class: 'unknown', code: 'connect_refused', detail, exchange: 'refused' };
    // Once anything has left, no error says that the participant has not heard the call.
    const ended = stream.pending ? classOfConnectError(this.#error ?? new Error(detail)) : lost;
    return { class: 'unknown', detail, ...ended };
  }

  #verdict(status: number): Result {
    if (status === codes.ok && this.#call.keepsAnswer) return this.#agreed();
    // The library of a participant tells the last two itself, while its function may go on.
    const exchange = status === codes.deadlineExceeded || status === codes.cancelled ? 'broken' : 'answered';
    const detail = status === codes.ok ? '' : readable(this.#message);
    return { class: classOfStatus(status, this.#message), code: `grpc_${status}`, detail, exchange };
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

  #end(result: Result): void {
    if (this.#over) return;
    this.#over = true;
    this.#channel.calls -= 1;
    clearTimeout(this.#deadline);
    this.#chunks = [];
    this.#stream?.close(constants.NGHTTP2_CANCEL);
    this.#done({ ...result, durationMs: Math.round(performance.now() - this.#startedAt) });
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
