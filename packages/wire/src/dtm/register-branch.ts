/** `registerBranch`: a flat map of texts, read by the type of its transaction. */
import { type BranchId, type Gid, limits, type Mode, type Protocol, type RegisteredBranch, refuse } from '@amends/core';
import { textMap } from '../input/json-values.ts';
import { shown } from '../input/shown.ts';
import { checkParams, checkTarget } from '../input/target.ts';
import type { DtmBody } from './body.ts';
import { parseDtmGid } from './gid.ts';
import { bytesOf } from './transaction.ts';

/** A checked registration. */
export interface DtmRegistration {
  readonly gid: Gid;
  readonly mode: Mode;
  readonly branch: RegisteredBranch;
}

/**
 * Reads what `registerBranch` carries. Its one payload is the body of the second phase, or the recorded result. Where it does not
 * come as bytes, it is the text in `data`.
 * @throws AmendsError `invalid_request` naming the field
 */
export function parseRegistration({ fields: body, payloads }: DtmBody): DtmRegistration {
  const fields = textMap('body', body);
  const { gid = '', trans_type: type = '', branch_id: id = '' } = fields;
  const branchId = parseBranchId(id);
  const protocol = payloads === undefined ? 'http' : 'grpc';
  const bytes = payloads?.[0] ?? bytesOf(fields['data'] ?? '');
  switch (type) {
    case 'tcc': {
      const { confirm = '', cancel = '' } = fields;
      checkTarget('confirm', confirm, targetProtocol(confirm, protocol));
      checkTarget('cancel', cancel, targetProtocol(cancel, protocol));
      const branch = { kind: 'participant', branchId, forward: confirm, backward: cancel, payload: bytes } as const;
      return { gid: parseDtmGid(gid), mode: type, branch };
    }
    case 'xa': {
      const { url = '' } = fields;
      checkTarget('url', url, targetProtocol(url, protocol));
      return {
        gid: parseDtmGid(gid),
        mode: type,
        branch: { kind: 'participant', branchId, forward: url, backward: url, payload: bytes },
      };
    }
    case 'workflow': {
      const { op = '', status = '' } = fields;
      if (op === '' || op.length > limits.opCharactersMax)
        refuse('op', `is ${shown(op)}, must be a name of at most ${limits.opCharactersMax} characters`);
      if (status !== 'succeed' && status !== 'failed') refuse('status', `is ${shown(status)}, must be succeed or failed`);
      return { gid: parseDtmGid(gid), mode: type, branch: { kind: 'progress', branchId, op, status, payload: bytes } };
    }
    default:
      refuse('trans_type', `is ${shown(type)}, must be tcc, xa or workflow`);
  }
}

/** A registration does not say its protocol: an address without a scheme is a gRPC method. */
function targetProtocol(target: string, protocol: string): string {
  return /^https?:/i.test(target) ? protocol : 'grpc';
}

const branchIdForm = /^[\w.:-]+$/;

function parseBranchId(text: string): BranchId {
  if (text.length > limits.gidCharactersMax || !branchIdForm.test(text))
    refuse('branch_id', `is ${shown(text)}, must be 1 to ${limits.gidCharactersMax} letters, digits or -_.:`);
  return text as BranchId;
}

/**
 * Refuses a branch that the protocol of its transaction, which a registration does not tell, cannot call.
 * @throws AmendsError `invalid_request` naming the field
 */
export function checkRegistered(branch: RegisteredBranch, protocol: Protocol | undefined): void {
  if (branch.kind !== 'participant') return;
  for (const target of [branch.forward, branch.backward]) checkParams('data', { target, protocol, payload: branch.payload });
}
