/**
 * Judges the addresses that a request wants called, before the request is taken. An address that can never be called is refused
 * with the name of its field. Only then the name is made, because nearly nothing is refused.
 */
import { type Mode, type RegisteredBranch, refuse, type Spec, stepOfDelivery } from '@amends/core';

/** Why an address that is given as such may never be called; null: it may, or it is a name, or there is nothing to call. */
export type JudgeAddress = (url: string) => string | null;

/** Refuses a spec that wants called what may not be. @throws AmendsError `invalid_request` naming the first such field */
export function refuseSpecTargets(spec: Spec, judge: JudgeAddress): void {
  switch (spec.mode) {
    case 'saga':
      return spec.steps.forEach(({ action, compensate }, index) => {
        refuseStep(index, 'action', judge(action));
        refuseStep(index, 'compensate', judge(compensate));
      });
    case 'msg':
      refuseQuestion(spec, 'query', judge(spec.query));
      return spec.steps.forEach(({ branchId, action }, index) => {
        // One subscriber must not keep a message from the others. A delivery that may not be called is held when its turn comes.
        if (stepOfDelivery(branchId) === branchId) refuseStep(index, 'action', judge(action));
      });
    case 'workflow':
      return refuseQuestion(spec, 'resume', judge(spec.resume));
    case 'tcc':
    case 'xa':
      return;
  }
}

/** Refuses a branch that wants called what may not be. @throws AmendsError `invalid_request` naming the first such field */
export function refuseBranchTargets(mode: Mode, branch: RegisteredBranch, judge: JudgeAddress): void {
  if (branch.kind !== 'participant') return;
  refuseField(mode === 'xa' ? 'url' : 'confirm', judge(branch.forward));
  if (mode !== 'xa') refuseField('cancel', judge(branch.backward));
}

function refuseStep(index: number, name: 'action' | 'compensate', reason: string | null): void {
  if (reason !== null) refuse(`steps[${index}].${name}`, reason);
}

/** DTM has one field for whatever asks the application. */
function refuseQuestion({ face }: Spec, name: 'query' | 'resume', reason: string | null): void {
  refuseField(face === 'dtm' ? 'query_prepared' : name, reason);
}

/** Refuses a field when there is a reason. @throws AmendsError `invalid_request` */
export function refuseField(field: string, reason: string | null): void {
  if (reason !== null) refuse(field, reason);
}
