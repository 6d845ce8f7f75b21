/** Branches that join a transaction while it is prepared: participants of tcc and xa, recorded steps of workflows. */

import { sameContent } from '../request/same-content.ts';
import type { Verdict } from '../transaction/event.ts';
import type { RegisteredBranch } from '../transaction/given.ts';
import { limits } from '../words/limits.ts';
import { type Draft, keepRecord, note, untouched } from './draft.ts';

/** Adds a branch; the caller has seen to it that it may join. */
export function join(draft: Draft, branch: RegisteredBranch): Verdict {
  const index = draft.given.registered.length;
  const bytes = draft.given.registered.reduce((sum, { payload }) => sum + payload.byteLength, branch.payload.byteLength);
  if (index >= limits.branchesMax || bytes > limits.payloadBytesMax) return 'too_many';
  keepRecord(draft, { kind: 'branch', index, branch });
  if (branch.kind === 'participant') draft.branches.push(untouched);
  note(draft, {
    kind: 'registered',
    branchId: branch.branchId,
    detail: branch.kind === 'progress' ? `${branch.op} ${branch.status}` : null,
  });
  return 'taken';
}

/** Whether two registrations say the same. */
export function sameBranch(one: RegisteredBranch, other: RegisteredBranch): boolean {
  const { payload, ...rest } = one;
  const { payload: otherPayload, ...otherRest } = other;
  return JSON.stringify(rest) === JSON.stringify(otherRest) && sameContent(payload, otherPayload);
}
