/** The shape of a row's `state`: arrays of codes and numbers, and how to tell one from what something else has written. */
import type { Decision, Hold } from '../transaction/transaction.ts';
import type { Op } from '../words/op.ts';

/**
 * What stands first is what lists show. Format 1 had no `overdueSince`. Format 2 had no op that is given up: it was waiting, due
 * at 0 or in the past. Format 3 may have, and records of the kind `not-before` beside; it had no `aheadUntil`.
 */
export type StateCode = [
  seq: number,
  overdueSince: number,
  decision: DecisionCode,
  hold: HeldCode,
  branches: readonly BranchCode[],
  aheadUntil: number,
];
/** 0: none. */
export type DecisionCode = 0 | [direction: number, seq: number, actor: string];
/** 0: none, or not one that names a call; without a code: the first of them. */
export type HeldCode = 0 | [branchId: string, op: number, code?: number];
/** 0: untouched. */
export type BranchCode = 0 | [forward: OpCode, backward: OpCode];
/** 0: idle; else its code, the attempts, when it is settled, and what its code has beside. */
export type OpCode = 0 | number[];

/** By index; only added to. */
export const directions: readonly Decision['direction'][] = ['commit', 'roll-back', 'terminate'];
/** By index; only added to. */
export const ops: readonly Op[] = ['action', 'compensate', 'confirm', 'cancel', 'commit', 'rollback', 'msg', 'resume'];
/** By index; only added to. */
export const holdCodes: readonly Hold['code'][] = [
  'attempts-exhausted',
  'nobody-to-ask',
  'payload-missing',
  'address-forbidden',
  'unreadable',
  'participant-stuck',
];
/** What an op's code begins with; only added to. */
export const opCode = { succeed: 1, failed: 2, running: 3, waiting: 4, 'given-up': 5 } as const;

/** How many numbers there are after an op's code. */
const opNumbers: ReadonlyMap<unknown, number> = new Map([
  [opCode.succeed, 2],
  [opCode.failed, 2],
  [opCode.running, 4],
  [opCode.waiting, 4],
  [opCode['given-up'], 3],
]);

/** Whether something read from JSON is a state in its newest form. */
export function isStateCode(code: unknown): code is StateCode {
  if (!Array.isArray(code) || code.length !== 6) return false;
  const [seq, overdueSince, decision, hold, branches, aheadUntil] = code as unknown[];
  return (
    isNumber(seq) &&
    isNumber(overdueSince) &&
    isNumber(aheadUntil) &&
    (decision === 0 || isDecision(decision)) &&
    (hold === 0 || isHold(hold)) &&
    Array.isArray(branches) &&
    branches.every((branch) => branch === 0 || isBranch(branch))
  );
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isDecision(code: unknown): boolean {
  if (!Array.isArray(code) || code.length !== 3) return false;
  return code[0] in directions && isNumber(code[1]) && typeof code[2] === 'string';
}

function isHold(code: unknown): boolean {
  if (!Array.isArray(code) || code.length < 2 || code.length > 3) return false;
  return typeof code[0] === 'string' && code[1] in ops && (code.length === 2 || code[2] in holdCodes);
}

function isBranch(code: unknown): boolean {
  return Array.isArray(code) && code.length === 2 && code.every((op) => op === 0 || isOp(op));
}

function isOp(code: unknown): boolean {
  return Array.isArray(code) && code.length - 1 === opNumbers.get(code[0]) && code.every(isNumber);
}
