/** The text of an answer: what `content-encoding` says was done to it is undone (RFC 9110, section 8.4), all within a limit. */
import { promisify } from 'node:util';
import { brotliDecompress, constants, gunzip, inflate, inflateRaw, zstdDecompress } from 'node:zlib';

/** Whatever the server is asked for is smaller; more is not for the memory of an application. Bytes. */
const bytesMax = 33_554_432;
const atMost = { maxOutputLength: bytesMax };
/** Nobody needs a larger window for content that travels by HTTP (RFC 9659); as a power of two. */
const zstdOptions = { ...atMost, params: { [constants.ZSTD_d_windowLogMax]: 23 } };

const ungzip = promisify(gunzip);
const decoders: Readonly<Record<string, (bytes: Buffer) => Promise<Buffer>>> = {
  gzip: (bytes) => ungzip(bytes, atMost),
  'x-gzip': (bytes) => ungzip(bytes, atMost),
  deflate: (bytes) => promisify(isZlib(bytes) ? inflate : inflateRaw)(bytes, atMost),
  br: (bytes) => promisify(brotliDecompress)(bytes, atMost),
  zstd: (bytes) => promisify(zstdDecompress)(bytes, zstdOptions),
};

/** What is encoded more often only keeps its reader busy. */
const encodingsMax = 4;

/** An answer as it arrives. */
interface EncodedAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: AsyncIterable<Uint8Array>;
}

/** An answer whose body cannot be read. */
export class UnreadableAnswer extends Error {
  override readonly name = 'UnreadableAnswer';
  /** HTTP status. */
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(`HTTP ${status}: ${message}`, options);
    this.status = status;
  }
}

/** Reads an answer to its end. @throws UnreadableAnswer when it is encoded in a way that is not known, or wrongly, or too long */
export async function answerText({ statusCode, headers, body }: EncodedAnswer): Promise<string> {
  const encodings = encodingsIn(headers);
  const bytes = await received(body);
  if (bytes === null) throw new UnreadableAnswer(statusCode, `the answer is larger than ${bytesMax} bytes`);
  if (bytes.byteLength === 0) return '';
  if (encodings.length > encodingsMax || !encodings.every((name) => Object.hasOwn(decoders, name)))
    throw new UnreadableAnswer(statusCode, `content-encoding ${shown(encodings)} is not known; gzip, deflate, br and zstd are`);
  try {
    return new TextDecoder().decode(await decoded(bytes, encodings));
  } catch (cause) {
    throw new UnreadableAnswer(statusCode, `the answer is no ${shown(encodings)} of at most ${bytesMax} bytes`, { cause });
  }
}

/** The encoding that was done last is undone first. */
async function decoded(bytes: Buffer, encodings: readonly string[]): Promise<Buffer> {
  let body = bytes;
  for (const name of encodings.toReversed()) body = await decoders[name]!(body);
  return body;
}

function shown(encodings: readonly string[]): string {
  return encodings.join(', ').slice(0, 100);
}

/** Names of what leaves a body as it is, once its chunks have been put together. */
const asItIs: ReadonlySet<string> = new Set(['', 'identity', 'chunked']);

/** What was done to a body, in this order, and then for its way alone. */
function encodingsIn(headers: EncodedAnswer['headers']): readonly string[] {
  const names = `${headers['content-encoding'] ?? ''},${headers['transfer-encoding'] ?? ''}`.toLowerCase().split(',');
  return names.map((name) => name.trim()).filter((name) => !asItIs.has(name));
}

/** null: it is too large. */
async function received(body: EncodedAnswer['body']): Promise<Buffer | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** By the name of `deflate` some send zlib's format, as they should, and some what lies within it. */
function isZlib(bytes: Buffer): boolean {
  return (bytes[0]! & 0x0f) === 8 && bytes.byteLength > 1 && bytes.readUInt16BE(0) % 31 === 0;
}
