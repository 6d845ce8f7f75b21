/** Records as stores keep them: a kind, a key that is unique within the transaction, and bytes. */

import type { Spec } from '../request/spec.ts';
import { type Given, givenAtFirst, type RegisteredBranch, type TransactionRecord, withRecords } from '../transaction/given.ts';
import { assertNever } from '../words/errors.ts';
import { type BranchId, epochMs } from '../words/ids.ts';

/** A record in its stored form, as it lies beside a transaction; a second one of the same kind and key is refused. */
export interface StoredRecord {
  readonly kind: string;
  readonly key: string;
  readonly content: Uint8Array;
}

/** The stored form of a record. Keys of branches sort in the order of registration. */
export function encodeRecord(record: TransactionRecord): StoredRecord {
  switch (record.kind) {
    case 'branch':
      return { kind: 'branch', key: String(record.index).padStart(6, '0'), content: encodeBranch(record.branch) };
    case 'answer':
      return { kind: 'answer', key: record.branchId, content: record.content };
    case 'result':
      return { kind: 'result', key: '', content: record.content };
    case 'not-before':
      return { kind: 'not-before', key: '', content: bytesOfAscii(String(record.at)) };
    default:
      return assertNever(record);
  }
}

/** What is given, from the spec and all stored records. */
export function readGiven(spec: Spec, stored: readonly StoredRecord[]): Given {
  const sorted = [...stored].sort((a, b) => (a.key < b.key ? -1 : 1));
  return withRecords(givenAtFirst(spec), sorted.map(decodeRecord));
}

/** A record from its stored form. */
export function decodeRecord({ kind, key, content }: StoredRecord): TransactionRecord {
  switch (kind) {
    case 'branch':
      return { kind, index: Number(key), branch: decodeBranch(content) };
    case 'answer':
      return { kind, branchId: key as BranchId, content };
    case 'result':
      return { kind, content };
    case 'not-before':
      return { kind, at: epochMs(Number(asciiOf(content))) };
    default:
      throw new Error(`a record of kind ${kind} is not known to this version`);
  }
}

const lineFeed = 10;

/** One line of JSON in ASCII, then the payload as it came. */
function encodeBranch({ payload, ...rest }: RegisteredBranch): Uint8Array {
  const head = `${asciiJson(rest)}\n`;
  const whole = new Uint8Array(head.length + payload.byteLength);
  for (let at = 0; at < head.length; at++) whole[at] = head.charCodeAt(at);
  whole.set(payload, head.length);
  return whole;
}

function decodeBranch(content: Uint8Array): RegisteredBranch {
  const end = content.indexOf(lineFeed);
  const head = asciiOf(content.subarray(0, end));
  return { ...(JSON.parse(head) as Omit<RegisteredBranch, 'payload'>), payload: content.slice(end + 1) } as RegisteredBranch;
}

function asciiOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function bytesOfAscii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** JSON whose characters are bytes. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u0080-\uffff]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
