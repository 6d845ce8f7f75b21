/** A transaction drawn for people: its branches, then what happened to it, moment by moment. */
import type { Branch, BranchCall, Bytes, HistoryEntry, Mode, Progress, Transaction } from '@amends/client';
import { historyLines } from './history-lines.ts';
import { attemptsText, isToBeUndone, outcomeLine, waitLines } from './standing.ts';
import { paint } from './terminal.ts';

/** The whole picture, one string per line. Texts of others must have been made fit for a terminal. */
export function picture(transaction: Transaction, history: readonly HistoryEntry[]): string[] {
  return [
    `${paint('bold', transaction.gid)}  ${transaction.mode}, ${outcomeLine(transaction)}`,
    `created ${transaction.createdAt}, version ${transaction.version}${ownerOf(transaction)}`,
    ...overdueLines(transaction),
    ...waitLines(transaction, history),
    '',
    ...transaction.branches.flatMap((branch) => branchLines(branch, transaction)),
    ...transaction.progress.map(progressLine),
    ...(transaction.result === null ? [] : [`      returned ${shorten(transaction.result)}`]),
    '',
    ...historyLines(transaction, history),
  ];
}

/** What is on hold is due for its alarm at most: nothing is called then. */
function ownerOf({ owner, epoch, wakeAt, hold }: Transaction): string {
  const due = wakeAt === null || hold !== null ? '' : `, due ${wakeAt}`;
  return owner === null ? due : `, driven by ${owner} (epoch ${epoch})${due}`;
}

function overdueLines({ overdueSince }: Transaction): string[] {
  return overdueSince === null ? [] : [paint('red', `overdue since ${overdueSince}`)];
}

function branchLines(branch: Branch, transaction: Transaction): string[] {
  const [forward, backward] = branch.calls;
  const waitsForUndo = isToBeUndone(transaction, branch);
  const after = branch.after.length === 0 ? '' : paint('dim', `  after ${branch.after.join(', ')}`);
  const name = branch.name === null ? '' : `${branch.name}  `;
  const toUndo = waitsForUndo && forward!.at === 'succeed' ? paint('yellow', ', to be undone') : '';
  const lines = [`  ${branch.branchId}  ${name}${callText(forward!, transaction.mode)}${toUndo}${kindOf(branch)}${after}`];
  if (branch.answer !== null) lines.push(`      answered ${shorten(branch.answer)}`);
  if (backward !== undefined && (backward.at !== 'idle' || waitsForUndo))
    lines.push(
      `      ${paint('dim', backward.op)}  ${backward.url || '(nothing to undo)'}  ${waitsForUndo ? paint('yellow', 'waits for its turn') : stateWord(backward)}`,
    );
  return lines;
}

/** Where it is called and how that stands; in a saga the address says enough, elsewhere the op is named. */
function callText(call: BranchCall, mode: Mode): string {
  const { op, url } = call;
  const nothing =
    op === 'action' || op === 'confirm' || op === 'commit' ? '(nothing to call)' : (nobody[op] ?? '(nothing to undo)');
  const what = mode === 'saga' || mode === 'msg' ? '' : `${op} `;
  return `${what}${url || nothing}  ${stateWord(call)}${purposes[op] ?? ''}`;
}

const nobody: Partial<Record<BranchCall['op'], string>> = { msg: '(nobody to ask)', resume: '(nobody to run it again)' };

/** What the calls are for that are no branch of the application's own. */
const purposes: Partial<Record<BranchCall['op'], string>> = {
  msg: paint('dim', '  asked whether the local transaction was committed'),
  resume: paint('dim', '  runs the function again'),
};

/** A step that a workflow has recorded. */
function progressLine({ branchId, op, status, result }: Progress): string {
  return `  ${branchId}  ${op}  ${stateWord({ at: status, attempts: 1 })}${result === null ? '' : `  ${shorten(result)}`}`;
}

const shownCharactersMax = 120;

function shorten({ encoding, text }: Bytes): string {
  const line = text.replace(/\s+/g, ' ');
  const cut = line.length > shownCharactersMax ? `${line.slice(0, shownCharactersMax)}…` : line;
  return paint('dim', encoding === 'utf8' ? cut : `base64 ${cut}`);
}

function kindOf({ kind }: Branch): string {
  return kind === null || kind === 'compensatable' ? '' : paint('dim', `  ${kind}`);
}

function stateWord({ at, attempts }: Pick<BranchCall, 'at' | 'attempts'>): string {
  switch (at) {
    case 'succeed':
      return paint('green', 'done');
    case 'failed':
      return paint('red', 'refused');
    case 'idle':
      return paint('dim', 'not begun');
    case 'dropped':
      return paint('dim', 'no longer called');
    case 'waiting':
      return paint('yellow', attempts === 0 ? 'waiting' : `waiting after ${attemptsText(attempts)}`);
    case 'given-up':
      return paint('red', `given up after ${attemptsText(attempts)}`);
    case 'running':
      return paint('yellow', attempts > 1 ? `running, attempt ${attempts}` : 'running');
  }
}
