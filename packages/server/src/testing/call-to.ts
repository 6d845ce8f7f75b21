/** A call of a participant, for tests of what judges or counts calls. */
import type { BranchCall } from '@amends/coordinator';
import { parseAddress } from '@amends/coordinator/addresses';
import { branchIdOfStep, type Gid } from '@amends/core';

/** A call of this address by HTTP that says nothing else of note. */
export function callTo(url: string): BranchCall {
  return {
    gid: 'g' as Gid,
    mode: 'saga',
    branchId: branchIdOfStep(0),
    op: 'action',
    attempt: 1,
    epoch: 1,
    address: parseAddress(url),
    payload: new Uint8Array(0),
    headers: {},
    deadlineInMs: 10_000,
    face: 'native',
    protocol: 'http',
    keepsAnswer: false,
    workflow: '',
  };
}
