/**
 * How many database transactions a file has answered for, kept in a small file beside it, so that a write-ahead log that
 * has lost some of them is found out. The database counts them itself, in each transaction; the witness is written after
 * the transaction is on the disk and before it is answered. So whatever a crash leaves behind, the witness is never ahead
 * of a sound database, and behind it at most by what nobody was told yet.
 *
 * The write goes to the operating system, which keeps it when the process is killed. To survive a power failure it must
 * reach the disk: it is asked to at most once in a second, and nobody waits for that.
 */
import { closeSync, constants, fdatasync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';

/** Where the witness of a database lies. */
export function witnessPath(path: string): string {
  return `${path}-witness`;
}

/** A database and how many transactions it has seen. */
export interface Seen {
  /** Which database: 32 hexadecimal digits. */
  readonly store: string;
  readonly commits: number;
}

/** Two places that take turns, in different sectors of a disk, so that one is whole whatever happens to the other. */
const placeBytes = 4_096;
const marker = Buffer.from('amends-witness 1');
const recordBytes = marker.length + 32 + 16;
const syncEveryMs = 1_000;

/** What the witness has last seen of this database; 0: nothing, or no witness. */
export function commitsSeen(path: string, store: string): number {
  const bytes = readWitness(path);
  const seen = [0, placeBytes].map((at) => recordAt(bytes, at)).filter((record) => record?.store === store);
  return Math.max(0, ...seen.map((record) => record!.commits));
}

function readWitness(path: string): Buffer {
  try {
    return readFileSync(witnessPath(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

function recordAt(bytes: Buffer, at: number): Seen | null {
  const record = bytes.subarray(at, at + recordBytes);
  if (record.length < recordBytes || !record.subarray(0, marker.length).equals(marker)) return null;
  const numbers = marker.length + 32;
  const commits = record.readBigUInt64LE(numbers);
  if (BigInt.asUintN(64, ~commits) !== record.readBigUInt64LE(numbers + 8)) return null;
  return { store: record.toString('latin1', marker.length, numbers), commits: Number(commits) };
}

/** The witness of a database that is open. A disk that does not take it is left alone: who says too little accuses nobody. */
export class CommitWitness {
  readonly #path: string;
  readonly #file: number;
  readonly #record = Buffer.alloc(recordBytes);
  #commits: number;
  #syncedAt = 0;
  #isSyncing = false;
  #isClosed = false;

  /** Begins with what the database has seen. */
  constructor(path: string, { store, commits }: Seen) {
    this.#path = path;
    this.#commits = commits;
    this.#record.set(marker);
    this.#record.write(store, marker.length, 'latin1');
    this.#file = openSync(witnessPath(path), constants.O_RDWR | constants.O_CREAT, 0o600);
    this.#write(0);
    this.#write(placeBytes);
  }

  /** One transaction more is on the disk. */
  count(): void {
    this.#commits += 1;
    this.#write((this.#commits % 2) * placeBytes);
  }

  /** Has the disk take it, unless it did a moment ago. */
  settle(): void {
    const now = performance.now();
    if (this.#isSyncing || now - this.#syncedAt < syncEveryMs) return;
    this.#isSyncing = true;
    this.#syncedAt = now;
    fdatasync(this.#file, () => {
      this.#isSyncing = false;
      if (this.#isClosed) closeSync(this.#file);
    });
  }

  /** The database is closed and needs no log: there is nothing left to bear witness of. */
  remove(): void {
    this.#isClosed = true;
    if (!this.#isSyncing) closeSync(this.#file);
    unlinkSync(witnessPath(this.#path));
  }

  #write(at: number): void {
    const commits = BigInt(this.#commits);
    this.#record.writeBigUInt64LE(commits, marker.length + 32);
    this.#record.writeBigUInt64LE(BigInt.asUintN(64, ~commits), marker.length + 40);
    try {
      writeSync(this.#file, this.#record, 0, recordBytes, at);
    } catch {
      // It stays behind, and catches up with the next transaction.
    }
  }
}
