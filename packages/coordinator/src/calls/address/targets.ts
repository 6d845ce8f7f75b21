/** The addresses that a request wants called, judged before it is taken: one that can never be called is refused with its field. */
import { isIP } from 'node:net';
import { AmendsError, type Mode, type RegisteredBranch, type Spec, stepOfDelivery } from '@amends/core';
import type { CheckAddress } from './address.ts';
import { remembered } from './remembered.ts';
import { urlParts } from './url-parts.ts';

/** An address and the field that it came in. */
export interface Target {
  readonly field: string;
  /** Empty: nothing to call. */
  readonly url: string;
}

/** The targets of a spec. */
export function specTargets(spec: Spec): readonly Target[] {
  switch (spec.mode) {
    case 'saga':
      return spec.steps.flatMap(({ action, compensate }, index) => [
        { field: `steps[${index}].action`, url: action },
        { field: `steps[${index}].compensate`, url: compensate },
      ]);
    case 'msg': {
      const query = { field: questionField(spec, 'query'), url: spec.query };
      const steps = spec.steps.map(({ branchId, action }, index) => ({ branchId, field: `steps[${index}].action`, url: action }));
      // Of several subscribers none keeps a message from the others: what may not be called is held when its turn comes.
      return [query, ...steps.filter(({ branchId }) => stepOfDelivery(branchId) === branchId)];
    }
    case 'workflow':
      return [{ field: questionField(spec, 'resume'), url: spec.resume }];
    case 'tcc':
    case 'xa':
      return [];
  }
}

/** DTM has one field for whatever asks the application. */
function questionField({ face }: Spec, field: string): string {
  return face === 'dtm' ? 'query_prepared' : field;
}

/** The targets of a branch that joins. */
export function registeredTargets(mode: Mode, branch: RegisteredBranch): readonly Target[] {
  if (branch.kind !== 'participant') return [];
  const { forward, backward } = branch;
  if (mode === 'xa') return [{ field: 'url', url: forward }];
  return [
    { field: 'confirm', url: forward },
    { field: 'cancel', url: backward },
  ];
}

/** Refuses targets. @throws AmendsError `invalid_request` naming the first field whose address, in any spelling, is refused */
export type RefuseTargets = (targets: readonly Target[]) => void;

/** Makes what refuses addresses that are given as such; names are judged when they are called. */
export function targetRefuser(checkAddress: CheckAddress): RefuseTargets {
  // The same few participants come again and again.
  const reasonAgainst = remembered((url: string) => {
    const address = literalAddress(url);
    return address === null ? null : checkAddress(address, address);
  });
  return (targets) => {
    for (const { field, url } of targets) {
      const reason = url === '' ? null : reasonAgainst(url);
      if (reason !== null) throw new AmendsError('invalid_request', `${field}: ${reason}`);
    }
  };
}

/** The IP address in a URL, or in a gRPC method without a scheme, as it would be connected to; null: a name, or none. */
function literalAddress(target: string): string | null {
  const url = target.includes('://') ? target : `http://${target}`;
  if (!URL.canParse(url)) return null;
  const { hostname } = urlParts(url);
  return isIP(hostname) === 0 ? null : hostname;
}
