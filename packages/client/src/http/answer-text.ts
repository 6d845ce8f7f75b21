/** Reads the text of an answer and undoes its encodings (RFC 9110, section 8.4), within a limit of bytes. */
import { promisify } from 'node:util';
import { brotliDecompress, constants, gunzip, inflate, inflateRaw, zstdDecompress } from 'node:zlib';

/** The longest answer that is read, before and after decoding. Bytes. What the server sends is shorter. */
const bytesMax = 33_554_432;
const atMost = { maxOutputLength: bytesMax };
/** The largest window of zstd that HTTP allows (RFC 9659), as a power of two. */
const zstdOptions = { ...atMost, params: { [constants.ZSTD_d_windowLogMax]: 23 } };

const ungzip = promisify(gunzip);
const decoders: Readonly<Record<string, (bytes: Buffer) => Promise<Buffer>>> = {
  gzip: (bytes) => ungzip(bytes, atMost),
  'x-gzip': (bytes) => ungzip(bytes, atMost),
  deflate: (bytes) => promisify(isZlib(bytes) ? inflate : inflateRaw)(bytes, atMost),
  br: (bytes) => promisify(brotliDecompress)(bytes, atMost),
  zstd: (bytes) => promisify(zstdDecompress)(bytes, zstdOptions),
};

/** An answer with more encodings is refused: decoding it would only cost time. */
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

/** Reads an answer to its end. @throws UnreadableAnswer when its encoding is unknown or broken, or it is too long */
export async function readText({ statusCode, headers, body }: EncodedAnswer): Promise<string> {
  const encodings = encodingsOf(headers);
  const bytes = await receive(body);
  if (bytes === null) throw new UnreadableAnswer(statusCode, `the answer is larger than ${bytesMax} bytes`);
  if (bytes.byteLength === 0) return '';
  if (encodings.length > encodingsMax || !encodings.every((name) => Object.hasOwn(decoders, name)))
    throw new UnreadableAnswer(statusCode, `content-encoding ${namesOf(encodings)} is not known; gzip, deflate, br and zstd are`);
  try {
    return new TextDecoder().decode(await decode(bytes, encodings));
  } catch (cause) {
    throw new UnreadableAnswer(statusCode, `the answer is no ${namesOf(encodings)} of at most ${bytesMax} bytes`, { cause });
  }
}

/** Undoes the encodings, the last one first. */
async function decode(bytes: Buffer, encodings: readonly string[]): Promise<Buffer> {
  let body = bytes;
  for (const name of encodings.toReversed()) body = await decoders[name]!(body);
  return body;
}

function namesOf(encodings: readonly string[]): string {
  return encodings.join(', ').slice(0, 100);
}

/** Codings that change nothing: undici has put the chunks together. */
const identities: ReadonlySet<string> = new Set(['', 'identity', 'chunked']);

/** The content encodings in the order in which they were applied, then those of the transfer. */
function encodingsOf(headers: EncodedAnswer['headers']): readonly string[] {
  const names = `${headers['content-encoding'] ?? ''},${headers['transfer-encoding'] ?? ''}`.toLowerCase().split(',');
  return names.map((name) => name.trim()).filter((name) => !identities.has(name));
}

/** Reads a whole body. @returns null when it is longer than `bytesMax` */
async function receive(body: EncodedAnswer['body']): Promise<Buffer | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Some servers send `deflate` in zlib's format, as the standard says, and some without its header. */
function isZlib(bytes: Buffer): boolean {
  return (bytes[0]! & 0x0f) === 8 && bytes.byteLength > 1 && bytes.readUInt16BE(0) % 31 === 0;
}
