/**
 * The names of things, as branded strings and numbers: made only by the parsers here, at the edges, so that inside
 * a `Gid` is always a valid one.
 */
import { refuse } from './errors.ts';
import { limits } from './limits.ts';

declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

/** Identity of a global transaction: 1 to 128 printable characters, chosen by the caller or made by `makeGid`. */
export type Gid = Brand<string, 'Gid'>;

/** Identity of a branch inside its transaction, such as `01`; step n of a saga (from 1) is `n` with at least two digits. */
export type BranchId = Brand<string, 'BranchId'>;

/** A moment: milliseconds since 1970-01-01T00:00Z by the store's clock. */
export type EpochMs = Brand<number, 'EpochMs'>;

/** Identity of one run of a coordinator; another run of the same machine has another one. */
export type NodeId = Brand<string, 'NodeId'>;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const controlCharacters = /[\u0000-\u001f\u007f]/;

/**
 * Accepts a caller's gid. Quotes and any other printable characters are allowed, as DTM's clients may use them; white space at
 * the ends is not, because nobody sees it and the barrier's tables of many databases take `order-7` and `order-7 ` for one.
 * @throws AmendsError `invalid_request` naming `gid` when it is empty, longer than 128 characters, has control characters, or
 * begins or ends with white space
 */
export function parseGid(text: string): Gid {
  if (text.length === 0) refuse('gid', 'must not be empty; leave it out to have one made');
  if (text.length > limits.gidCharactersMax)
    refuse('gid', `has ${text.length} characters, at most ${limits.gidCharactersMax} are allowed`);
  if (controlCharacters.test(text) || !text.isWellFormed())
    refuse('gid', 'must not contain control characters or broken surrogates');
  if (text !== text.trim()) refuse('gid', `is ${JSON.stringify(text)}, must not begin or end with white space`);
  return text as Gid;
}

/** The branch id of the step at `stepIndex` (from 0): `01`, `02`, … `99`, `100` (DTM's `%02d`). */
export function branchIdOfStep(stepIndex: number): BranchId {
  return String(stepIndex + 1).padStart(2, '0') as BranchId;
}

/** The branch id of the `index`-th (from 0) of several deliveries of one step of a message: `01-01`, `01-02`, … */
export function branchIdOfSubscriber(step: BranchId, index: number): BranchId {
  return `${step}-${branchIdOfStep(index)}` as BranchId;
}

/** The branch id of the step that a delivery belongs to; the delivery's own where it is the only one. */
export function stepOfDelivery(branchId: BranchId): BranchId {
  return branchId.split('-', 1)[0] as BranchId;
}

/** Marks a count of milliseconds as a moment. Only clocks, stores and decoders call it. */
export function epochMs(value: number): EpochMs {
  return value as EpochMs;
}

/** Marks a text as a node's identity. Only the coordinator's start and decoders call it. */
export function nodeId(text: string): NodeId {
  return text as NodeId;
}
