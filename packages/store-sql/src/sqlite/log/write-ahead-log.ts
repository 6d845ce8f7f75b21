/**
 * Reads a write-ahead log as SQLite's recovery does, and then what lies behind the point where that stops
 * (https://www.sqlite.org/fileformat2.html#the_write_ahead_log).
 *
 * Each frame carries the two salts of its log and a checksum over all frames before it. Recovery ends at the first frame
 * that does not fit. Every database transaction waits for the disk before the next one writes (synchronous=FULL), so a
 * crash can tear at most the last one, in any order of its pages: behind the end there may be frames of this log, but none
 * that was written after a whole transaction that is not there. Where one is found, something acknowledged has been lost.
 */
import { closeSync, openSync, readSync } from 'node:fs';

/** What a log holds. Counts of frames, a frame being one page. */
export interface LogReading {
  /** Frames up to the last transaction that recovery brings back. */
  readonly sound: number;
  /** What lies behind the first frame that does not fit, and belongs to this log. */
  readonly behind: { readonly frames: number; readonly transactions: number };
  /** Whether transactions that were on the disk as a whole are cut off. */
  readonly isDamaged: boolean;
}

const headerBytes = 32;
const frameHeaderBytes = 24;
const nothing: LogReading = { sound: 0, behind: { frames: 0, transactions: 0 }, isDamaged: false };

/** Reads the log at `path`. One without a whole header holds nothing that could be told from an older log. */
export function readLog(path: string): LogReading {
  const file = openSync(path, 'r');
  try {
    const header = Buffer.alloc(headerBytes);
    if (readSync(file, header, 0, headerBytes, 0) < headerBytes || !isHeader(header)) return nothing;
    return readFrames(frames(file, header), checksumAt(header, 24));
  } finally {
    closeSync(file);
  }
}

interface Checksum {
  readonly first: number;
  readonly second: number;
}

interface Frame {
  /** Of this log, by its salts. */
  readonly isOwn: boolean;
  /** The last of a transaction. */
  readonly endsTransaction: boolean;
  readonly stored: Checksum;
  /** Whether it was written right after the frame with this checksum. */
  follows(before: Checksum): boolean;
}

function readFrames(all: Iterable<Frame>, start: Checksum): LogReading {
  let before: { readonly stored: Checksum; readonly isWholeEnd: boolean } = { stored: start, isWholeEnd: false };
  let [count, sound, ended, own, transactions, isDamaged] = [0, 0, false, 0, 0, false];
  for (const frame of all) {
    const follows = frame.isOwn && frame.follows(before.stored);
    ended ||= !follows;
    count += 1;
    if (!ended && frame.endsTransaction) sound = count;
    if (ended && frame.isOwn) {
      own += 1;
      if (frame.endsTransaction) transactions += 1;
      if (follows && before.isWholeEnd) isDamaged = true;
    }
    before = { stored: frame.stored, isWholeEnd: ended && frame.isOwn && frame.endsTransaction };
  }
  return { sound, behind: { frames: own, transactions }, isDamaged };
}

function* frames(file: number, header: Buffer): Generator<Frame> {
  const bytes = Buffer.alloc(frameHeaderBytes + header.readUInt32BE(8));
  const sum = summer(header.readUInt32BE(0) === magicOfBigEndianSums);
  for (let at = headerBytes; readSync(file, bytes, 0, bytes.length, at) === bytes.length; at += bytes.length) {
    const stored = checksumAt(bytes, 16);
    yield {
      isOwn: bytes.readUInt32BE(0) > 0 && bytes.compare(header, 16, 24, 8, 16) === 0,
      endsTransaction: bytes.readUInt32BE(4) > 0,
      stored,
      follows(before) {
        const found = sum(sum(before, bytes, 0, 8), bytes, frameHeaderBytes, bytes.length);
        return found.first === stored.first && found.second === stored.second;
      },
    };
  }
}

/** Two magics, which say in which byte order checksums were made. */
const magicOfLittleEndianSums = 0x377f0682;
const magicOfBigEndianSums = 0x377f0683;

function isHeader(bytes: Buffer): boolean {
  const magic = bytes.readUInt32BE(0);
  if (magic !== magicOfLittleEndianSums && magic !== magicOfBigEndianSums) return false;
  const found = summer(magic === magicOfBigEndianSums)({ first: 0, second: 0 }, bytes, 0, 24);
  const stored = checksumAt(bytes, 24);
  return found.first === stored.first && found.second === stored.second;
}

function checksumAt(bytes: Buffer, at: number): Checksum {
  return { first: bytes.readUInt32BE(at), second: bytes.readUInt32BE(at + 4) };
}

type Sum = (before: Checksum, bytes: Buffer, from: number, to: number) => Checksum;

function summer(bigEndian: boolean): Sum {
  return ({ first, second }, { buffer, byteOffset }, from, to) => {
    const view = new DataView(buffer, byteOffset);
    let [a, b] = [first, second];
    for (let at = from; at < to; at += 8) {
      a = (a + view.getUint32(at, !bigEndian) + b) >>> 0;
      b = (b + view.getUint32(at + 4, !bigEndian) + a) >>> 0;
    }
    return { first: a, second: b };
  };
}
