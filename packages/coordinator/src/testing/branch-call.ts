/** A call of a participant, for tests of transports. */
import { branchIdOfStep, type Gid } from '@amends/core';
import { parseAddress } from '../calls/address/parse-address.ts';
import type { BranchCall } from '../ports/ports.ts';

/** A call of this address by HTTP, but for what `rest` says otherwise. */
export function branchCall(url: string, rest: Partial<BranchCall> = {}): BranchCall {
  return {
    gid: 'g1' as Gid,
    mode: 'saga',
    branchId: branchIdOfStep(0),
    op: 'action',
    attempt: 1,
    epoch: 1,
    address: parseAddress(url),
    payload: new Uint8Array(0),
    headers: {},
    deadlineInMs: 2_000,
    face: 'native',
    protocol: 'http',
    keepsAnswer: false,
    workflow: '',
    ...rest,
  };
}
