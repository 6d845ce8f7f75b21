/**
 * The addresses that a request wants called, judged before it is taken: one that can never be called is refused with its field.
 */
import { type Mode, type RegisteredBranch, refuse, type Spec, stepOfDelivery } from '@amends/core';
import type { ParticipantAddress } from '../../ports/participant-address.ts';

/** An address and the field that it came in. */
export interface Target {
  readonly field: string;
  /** Empty: nothing to call. */
  readonly url: string;
}

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
export function targetRefuser(addressOf: (url: string) => Pick<ParticipantAddress, 'forbidden'>): RefuseTargets {
  return (targets) => {
    for (const { field, url } of targets) {
      const reason = url === '' ? null : addressOf(url).forbidden;
      if (reason !== null) refuse(field, reason);
    }
  };
}
