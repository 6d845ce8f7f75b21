/** What an act on a transaction has done, in sentences. */
import type { BranchCall, Transaction } from '@amends/client';
import { attemptsText, holdText } from './standing.ts';

/** What a retry did: what was let go on, and what is called now that was not before. */
export function retryLines(before: Transaction, after: Transaction): string[] {
  const { hold } = before;
  const lifted = hold === null ? [] : [`no longer on hold (${holdText(hold)})`];
  const waited = new Set(callsAt(before, 'running').map(nameOf));
  const called = callsAt(after, 'running').filter((call) => !waited.has(nameOf(call)));
  const lines = called.map(
    (call) => `called again: ${call.op} of branch ${call.branchId}, attempt ${call.attempts}, ${call.url || 'nothing to call'}`,
  );
  if (lifted.length + lines.length > 0) return [...lifted, ...lines];
  return after.outcome === 'running' ? ['nothing waited for a later attempt: what it waits for is under way already'] : [];
}

/** What a termination left as it was. */
export function terminateLines({ branches }: Transaction): string[] {
  const done = branches
    .filter(({ calls }) => calls[0]!.at === 'succeed' && calls[1]?.at !== 'succeed')
    .map(({ branchId }) => branchId);
  const dropped = callsOf(branches).filter(({ at }) => at === 'dropped');
  return [
    ...(done.length === 0 ? [] : [`stays done: ${done.join(', ')}`]),
    ...dropped.map(
      ({ op, branchId, attempts }) =>
        `no longer called: ${op} of branch ${branchId}, without a verdict after ${attemptsText(attempts)}`,
    ),
  ];
}

type NamedCall = BranchCall & { readonly branchId: string };

function callsAt({ branches }: Transaction, at: BranchCall['at']): NamedCall[] {
  return callsOf(branches).filter((call) => call.at === at);
}

function callsOf(branches: Transaction['branches']): NamedCall[] {
  return branches.flatMap(({ branchId, calls }) => calls.map((call) => ({ ...call, branchId })));
}

function nameOf({ branchId, op, attempts }: NamedCall): string {
  return `${branchId} ${op} ${attempts}`;
}
