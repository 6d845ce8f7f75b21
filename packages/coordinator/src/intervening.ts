/** Acts of humans, and of tools on their behalf, on a transaction. */
import { AmendsError, type Gid, isFinished, type Transaction, type TransactionEvent } from '@amends/core';
import type { Store } from '@amends/store';
import type { Intervention, TransactionView } from './coordinator.ts';
import { carriedOut, type Reception } from './requests.ts';
import { viewOf, viewOfStored } from './waiting.ts';

type Intervened = Extract<TransactionEvent, { type: 'intervened' }>;

/** See `Coordinator.intervene`. */
export function intervene(request: Intervention, store: Pick<Store, 'audit'>, reception: Reception): Promise<TransactionView> {
  const { gid, ...act } = request;
  const { host } = reception;
  return carriedOut<Intervened, TransactionView>(
    {
      gid,
      event: () => ({ type: 'intervened', ...act, ...host.moment() }),
      refuse: (tx) => refuse(tx, request),
      taken: viewOf,
      async takenAfterAll(event) {
        return (await isAudited(gid, event, store)) ? viewOfStored((await host.load(gid))!) : null;
      },
    },
    reception,
  );
}

/** @throws AmendsError `already_finished` or `version_conflict` when the act does not apply to the transaction as it is */
function refuse(tx: Transaction, { expectedVersion }: Intervention): void {
  if (isFinished(tx))
    throw new AmendsError('already_finished', `${tx.gid} is finished (${tx.status}); nothing can be changed any more`);
  if (expectedVersion !== null && expectedVersion !== tx.version)
    throw new AmendsError('version_conflict', `expectedVersion: ${tx.gid} is at version ${tx.version} now; look at it again`);
}

/** Whether an act was carried out after all, by a commit whose answer came after others had taken the transaction over. */
async function isAudited(gid: Gid, act: Intervened, store: Pick<Store, 'audit'>): Promise<boolean> {
  const rows = await store.audit({ gid, limit: 100 });
  return rows.some((row) => row.at === act.at && row.actor === act.actor && row.verb === act.verb && row.reason === act.reason);
}
