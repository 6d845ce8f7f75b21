/** Undoes, within a limit, what `content-encoding` (RFC 9110, section 8.4) or `transfer-encoding` says was done to a body. */
import { brotliDecompressSync, constants, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { headerIn, type RawHeaders } from './raw-headers.ts';

/** A body as its sender meant it, or why it cannot be had. */
export type DecodedBody =
  | { readonly bytes: Buffer }
  | { readonly code: 'answer_too_large' | 'answer_unreadable'; readonly detail: string };

type Limits = { readonly maxOutputLength: number };

/** The largest window that content on HTTP may need (RFC 9659), as a power of two. */
const zstdWindow = { params: { [constants.ZSTD_d_windowLogMax]: 23 } };

const decoders: Readonly<Record<string, (bytes: Buffer, limits: Limits) => Buffer>> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  deflate: (bytes, limits) => (isZlib(bytes) ? inflateSync(bytes, limits) : inflateRawSync(bytes, limits)),
  br: brotliDecompressSync,
  zstd: (bytes, limits) => zstdDecompressSync(bytes, { ...zstdWindow, ...limits }),
};

/** A body that was encoded more often is refused: it would only keep the reader busy. */
const encodingsMax = 4;

/** The encodings of a body, then those for its way alone, in order; empty: it was at most cut in chunks. */
export function encodingIn(headers: RawHeaders): string {
  const content = headerIn(headers, 'content-encoding') ?? '';
  const transfer = headerIn(headers, 'transfer-encoding') ?? 'chunked';
  return transfer === 'chunked' ? content : `${content}, ${transfer}`;
}

/** Names of encodings that change nothing, once the chunks have been put together. */
const asItIs: ReadonlySet<string> = new Set(['', 'identity', 'chunked']);

/**
 * Decodes a body. An empty one stays empty.
 * @param encoding as `encodingIn` gives it; empty: as it is
 * @param bytesMax of the decoded body, and of every stage before it
 */
export function decodeBody(bytes: Buffer, encoding: string, bytesMax: number): DecodedBody {
  if (encoding === '' || bytes.byteLength === 0) return { bytes };
  const names = encoding
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => !asItIs.has(name));
  const unknown = names.find((name) => !Object.hasOwn(decoders, name));
  if (unknown !== undefined || names.length > encodingsMax)
    return unreadable(`content-encoding ${JSON.stringify(encoding.slice(0, 100))} is not known; gzip, deflate, br and zstd are`);
  try {
    return { bytes: names.reduceRight((body, name) => decoders[name]!(body, { maxOutputLength: bytesMax }), bytes) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_BUFFER_TOO_LARGE') return unreadable(`the answer is no whole ${names.join(', ')}: ${message}`);
    return { code: 'answer_too_large', detail: tooLarge(bytesMax) };
  }
}

/** The detail of the outcome of an answer that is too long. */
export function tooLarge(bytesMax: number): string {
  return `the answer is larger than ${bytesMax} bytes; a verdict must be short`;
}

/** Whether a body is in zlib's format, as `deflate` should be. Some servers send the bare stream that lies within it. */
function isZlib(bytes: Buffer): boolean {
  return (bytes[0]! & 0x0f) === 8 && bytes.byteLength > 1 && bytes.readUInt16BE(0) % 31 === 0;
}

function unreadable(detail: string): DecodedBody {
  return { code: 'answer_unreadable', detail };
}
