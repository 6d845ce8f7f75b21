/** A transaction drawn for people: its branches, then what happened to it, moment by moment. */
import type { Branch, BranchCall, Bytes, HistoryEntry, Mode, Progress, Transaction } from '@amends/client';
import { paint } from './terminal.ts';

/** The whole picture, one string per line. Texts of others must have been made fit for a terminal. */
export function picture(transaction: Transaction, history: readonly HistoryEntry[]): string[] {
  return [
    `${paint('bold', transaction.gid)}  ${transaction.mode}, ${outcomeLine(transaction)}`,
    `created ${transaction.createdAt}, version ${transaction.version}${ownerOf(transaction)}`,
    ...overdueLines(transaction),
    '',
    ...transaction.branches.flatMap((branch) => branchLines(branch, transaction.mode)),
    ...transaction.progress.map(progressLine),
    ...(transaction.result === null ? [] : [`      returned ${shortened(transaction.result)}`]),
    '',
    ...history.map((entry) => historyLine(transaction, entry)),
  ];
}

function ownerOf({ owner, epoch, wakeAt }: Transaction): string {
  const due = wakeAt === null ? '' : `, due ${wakeAt}`;
  return owner === null ? due : `, driven by ${owner} (epoch ${epoch})${due}`;
}

function overdueLines({ overdueSince }: Transaction): string[] {
  return overdueSince === null ? [] : [paint('red', `overdue since ${overdueSince}`)];
}

/** How a transaction ended, or how it stands. */
export function outcomeLine({ outcome, status, decision, reason, hold, createdAt, finishedAt }: Transaction): string {
  const took = finishedAt === null ? '' : ` after ${Date.parse(finishedAt) - Date.parse(createdAt)} ms`;
  if (outcome === 'succeeded') return paint('green', `succeeded${took}`);
  if (decision?.direction === 'terminate')
    return paint('yellow', `terminated${took}, nothing undone: ${reason.replace(/^terminated /, '')}`);
  if (outcome === 'failed') return paint('yellow', `failed${took}: ${reason}`);
  if (hold !== null) return paint('red', `needs attention: ${hold.code} at ${hold.op} of branch ${hold.branchId}`);
  return `running (${status}${reason === '' ? '' : `: ${reason}`})`;
}

function branchLines(branch: Branch, mode: Mode): string[] {
  const [forward, backward] = branch.calls;
  const after = branch.after.length === 0 ? '' : paint('dim', `  after ${branch.after.join(', ')}`);
  const name = branch.name === null ? '' : `${branch.name}  `;
  const lines = [`  ${branch.branchId}  ${name}${callText(forward!, mode)}${kindOf(branch)}${after}`];
  if (branch.answer !== null) lines.push(`      answered ${shortened(branch.answer)}`);
  if (backward !== undefined && backward.at !== 'idle')
    lines.push(`      ${paint('dim', backward.op)}  ${backward.url || '(nothing to undo)'}  ${stateWord(backward.at)}`);
  return lines;
}

/** Where it is called and how that stands; in a saga the address says enough, elsewhere the op is named. */
function callText({ op, url, at }: BranchCall, mode: Mode): string {
  const nothing =
    op === 'action' || op === 'confirm' || op === 'commit' ? '(nothing to call)' : (nobody[op] ?? '(nothing to undo)');
  const what = mode === 'saga' || mode === 'msg' ? '' : `${op} `;
  return `${what}${url || nothing}  ${stateWord(at)}${purposes[op] ?? ''}`;
}

const nobody: Partial<Record<BranchCall['op'], string>> = { msg: '(nobody to ask)', resume: '(nobody to run it again)' };

/** What the calls are for that are no branch of the application's own. */
const purposes: Partial<Record<BranchCall['op'], string>> = {
  msg: paint('dim', '  asked whether the local transaction was committed'),
  resume: paint('dim', '  runs the function again'),
};

/** A step that a workflow has recorded. */
function progressLine({ branchId, op, status, result }: Progress): string {
  return `  ${branchId}  ${op}  ${stateWord(status)}${result === null ? '' : `  ${shortened(result)}`}`;
}

const shownCharactersMax = 120;

function shortened({ encoding, text }: Bytes): string {
  const line = text.replace(/\s+/g, ' ');
  const cut = line.length > shownCharactersMax ? `${line.slice(0, shownCharactersMax)}…` : line;
  return paint('dim', encoding === 'utf8' ? cut : `base64 ${cut}`);
}

function kindOf({ kind }: Branch): string {
  return kind === null || kind === 'compensatable' ? '' : paint('dim', `  ${kind}`);
}

function stateWord(at: BranchCall['at']): string {
  switch (at) {
    case 'succeed':
      return paint('green', 'done');
    case 'failed':
      return paint('red', 'refused');
    case 'idle':
      return paint('dim', 'not begun');
    default:
      return paint('yellow', at);
  }
}

/** One moment: `+12 ms  01 action  success  8 ms  …`. */
export function historyLine({ createdAt, branches }: Transaction, entry: HistoryEntry): string {
  const at = paint('dim', `+${Date.parse(entry.at) - Date.parse(createdAt)} ms`.padStart(10));
  const called = entry.branchId === null ? ''.padEnd(14) : `${entry.branchId} ${entry.op ?? ''}`.padEnd(14);
  const took = entry.durationMs === null ? '' : `${entry.durationMs} ms`;
  return [at, called, wordOf(entry), took.padStart(8), paint('dim', remarkOf(entry, branches))].join('  ').trimEnd();
}

function wordOf({ outcome, kind }: HistoryEntry): string {
  const word = (outcome ?? kind).padEnd(11);
  if (outcome === 'success') return paint('green', word);
  if (outcome === 'failure' || kind === 'held' || kind === 'overdue' || kind === 'terminated') return paint('red', word);
  return outcome === null ? word : paint('yellow', word);
}

function remarkOf({ branchId, op, attempt, code, detail, actor, traceId }: HistoryEntry, branches: readonly Branch[]): string {
  const call = branches.find((each) => each.branchId === branchId)?.calls.find((each) => each.op === op);
  const remarks = [
    call?.url ?? '',
    attempt !== null && attempt > 1 ? `attempt ${attempt}` : '',
    code ?? '',
    detail ?? '',
    actor === null ? '' : `by ${actor}`,
    traceId === null ? '' : `trace ${traceId}`,
  ];
  return remarks.filter((remark) => remark !== '').join(', ');
}
