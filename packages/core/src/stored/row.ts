/**
 * A transaction as stored: the columns that stores index and lists show, and a compact `state` that only core reads.
 * The first element of `state` is its format version; a node claims only what it can read.
 */

import type { Mode } from '../request/spec.ts';
import type { Branch, Decision, Hold, OpState, Status, Transaction } from '../transaction/transaction.ts';
import { assertNever } from '../words/errors.ts';
import { type BranchId, type EpochMs, epochMs, type Gid, type NodeId } from '../words/ids.ts';
import {
  type BranchCode,
  type DecisionCode,
  directions,
  type HeldCode,
  holdCodes,
  isStateCode,
  type OpCode,
  opCode,
  ops,
  type StateCode,
} from './state-code.ts';

/** The newest format of `state` that this version writes; it reads all from 1 on. */
export const stateFormat = 4;

/** The stored row of a transaction. */
export interface TransactionRow {
  readonly gid: Gid;
  readonly mode: Mode;
  readonly status: Status;
  /** Code of the hold; null: none. */
  readonly hold: string | null;
  /**
   * When somebody must look at it at the latest; null: never (finished, or held with no alarm to raise and no time-out). In the
   * past while calls are in flight.
   */
  readonly dueAt: EpochMs | null;
  readonly owner: NodeId | null;
  readonly epoch: number;
  readonly version: number;
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
  readonly finishedAt: EpochMs | null;
  /** Host of the participant it waits for because of an error; empty: none. */
  readonly waitsFor: string;
  /** Last error as `host op code`, for grouping; empty: none. */
  readonly errorPrint: string;
  readonly reason: string;
  /** Format of `state`. */
  readonly format: number;
  readonly state: string;
}

/** What lists need beside the transaction itself. */
export interface RowColumns {
  readonly dueAt: EpochMs | null;
  readonly waitsFor: string;
  readonly errorPrint: string;
}

/** The stored form of a transaction. */
export function toRow(tx: Transaction, columns: RowColumns): TransactionRow {
  return {
    gid: tx.gid,
    mode: tx.mode,
    status: tx.status,
    hold: tx.hold?.code ?? null,
    dueAt: columns.dueAt,
    owner: tx.owner,
    epoch: tx.epoch,
    version: tx.version,
    createdAt: tx.createdAt,
    updatedAt: tx.updatedAt,
    finishedAt: tx.finishedAt,
    waitsFor: columns.waitsFor,
    errorPrint: columns.errorPrint,
    reason: tx.reason,
    format: stateFormat,
    state: encodeState(tx),
  };
}

/**
 * The transaction of a stored row. One that was marked as unreadable is on hold for that, although it can be read again.
 * @throws Error when its state is not what any version has written, or of a format newer than this version knows
 */
export function fromRow(row: TransactionRow): Transaction {
  const [seq, overdueSince, decision, hold, branches, aheadUntil] = readState(row);
  return {
    gid: row.gid,
    mode: row.mode,
    status: row.status,
    hold: row.hold === unreadable.code ? unreadable : decodeHold(hold),
    decision: decodeDecision(decision),
    branches: branches.map(decodeBranch),
    reason: row.reason,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    finishedAt: row.finishedAt,
    overdueSince: momentOf(overdueSince),
    aheadUntil: momentOf(aheadUntil),
    seq,
    version: row.version,
    epoch: row.epoch,
    owner: row.owner,
  };
}

/**
 * When the alarm of a stored transaction was due, once that has been raised; null: not raised, or not known to this
 * version. For lists: it reads no more of `state` than it needs.
 */
export function overdueSinceOf(row: Pick<TransactionRow, 'format' | 'state'>): EpochMs | null {
  const hasMoment = row.format > 1 && row.format <= stateFormat;
  const [, moment = 0] = hasMoment ? (/^\[\d+,(\d+)/.exec(row.state) ?? []) : [];
  return momentOf(Number(moment));
}

const unreadable: Hold = { code: 'unreadable' };

function momentOf(code: number): EpochMs | null {
  return code === 0 ? null : epochMs(code);
}

function encodeState(tx: Transaction): string {
  const { seq, overdueSince, decision, hold, branches, aheadUntil } = tx;
  const code: StateCode = [
    seq,
    overdueSince ?? 0,
    encodeDecision(decision),
    encodeHold(hold),
    branches.map(encodeBranch),
    aheadUntil ?? 0,
  ];
  return JSON.stringify(code);
}

function readState({ gid, format, state }: TransactionRow): StateCode {
  const code = asNewest({ gid, format }, JSON.parse(state));
  if (!isStateCode(code)) throw new Error(`state of ${gid} is not what any version has written`);
  return code;
}

/** Format 1 had no `overdueSince`, format 3 and those before had no `aheadUntil`; what format 2 has, format 3 has as well. */
function asNewest({ gid, format }: Pick<TransactionRow, 'gid' | 'format'>, code: unknown): unknown {
  switch (format) {
    case stateFormat:
      return code;
    case 3:
    case 2:
      return Array.isArray(code) ? [...code, 0] : code;
    case 1:
      return Array.isArray(code) ? [code[0], 0, ...code.slice(1), 0] : code;
    default:
      throw new Error(`state format ${format} of ${gid} is not known to this version`);
  }
}

function encodeDecision(decision: Decision | null): DecisionCode {
  return decision === null ? 0 : [directions.indexOf(decision.direction), decision.seq, decision.actor];
}

function decodeDecision(code: DecisionCode): Decision | null {
  return code === 0 ? null : { direction: directions[code[0]]!, seq: code[1], actor: code[2] };
}

function encodeHold(hold: Hold | null): HeldCode {
  // The row's own column says what cannot be read.
  if (hold === null || hold.code === 'unreadable') return 0;
  const code = holdCodes.indexOf(hold.code);
  return code === 0 ? [hold.branchId, ops.indexOf(hold.op)] : [hold.branchId, ops.indexOf(hold.op), code];
}

function decodeHold(code: HeldCode): Hold | null {
  if (code === 0) return null;
  const kind = holdCodes[code[2] ?? 0]!;
  return kind === 'unreadable' ? unreadable : { code: kind, branchId: code[0] as BranchId, op: ops[code[1]]! };
}

function encodeBranch(branch: Branch): BranchCode {
  if (branch.forward.at === 'idle' && branch.backward.at === 'idle') return 0;
  return [encodeOp(branch.forward), encodeOp(branch.backward)];
}

function decodeBranch(code: BranchCode): Branch {
  return code === 0 ? { forward: idle, backward: idle } : { forward: decodeOp(code[0]), backward: decodeOp(code[1]) };
}

const idle: OpState = { at: 'idle' };

function encodeOp(op: OpState): OpCode {
  switch (op.at) {
    case 'idle':
      return 0;
    case 'succeed':
    case 'failed':
      return [opCode[op.at], op.attempts, op.settledAt];
    case 'running':
      return [opCode.running, op.attempts, op.settledAt, op.unknowns, op.startedAt];
    case 'waiting':
      return [opCode.waiting, op.attempts, op.settledAt, op.unknowns, op.dueAt];
    case 'given-up':
      return [opCode[op.at], op.attempts, op.settledAt, op.unknowns];
    default:
      return assertNever(op);
  }
}

function decodeOp(code: OpCode): OpState {
  if (code === 0) return idle;
  const [kind, attempts = 0, settled = 0, unknowns = 0, moment = 0] = code;
  const settledAt = epochMs(settled);
  switch (kind) {
    case opCode.succeed:
      return { at: 'succeed', attempts, settledAt };
    case opCode.failed:
      return { at: 'failed', attempts, settledAt };
    case opCode.running:
      return { at: 'running', attempts, settledAt, unknowns, startedAt: epochMs(moment) };
    case opCode['given-up']:
      return { at: 'given-up', attempts, settledAt, unknowns };
    case opCode.waiting:
      if (moment === 0) return { at: 'given-up', attempts, settledAt, unknowns };
      return { at: 'waiting', attempts, settledAt, unknowns, dueAt: epochMs(moment) };
    default:
      throw new Error(`unknown op code ${kind}`);
  }
}
