/** Acts of humans, and of tools on their behalf, on a transaction. */
import { AmendsError, type Gid, isAmendsError, isFinished, isNewer, type Transaction, type TransactionEvent } from '@amends/core';
import type { Store } from '@amends/store';
import type { Intervention, TransactionView } from '../coordinator.ts';
import type { CommitResult } from '../drive/group-commit.ts';
import { unreadableBecause } from '../drive/readable.ts';
import { endUnread, lastSeqOf, viewOfTerminated } from '../drive/unreadable.ts';
import type { Digest } from '../ports/ports.ts';
import { carryOut, type Reception, untilAnswered } from './requests.ts';
import { viewOf, viewOfStored } from './waiting.ts';

type Intervened = Extract<TransactionEvent, { type: 'intervened' }>;
type Acted = Pick<Intervened, 'at' | 'actor' | 'verb' | 'reason'>;

/** What tells what has been stored. */
interface Evidence {
  readonly store: Pick<Store, 'load' | 'history' | 'audit'>;
  readonly digest: Digest;
}

/** See `Coordinator.intervene`. */
export async function intervene(request: Intervention, evidence: Evidence, reception: Reception): Promise<TransactionView> {
  try {
    return await interveneInRead(request, evidence, reception);
  } catch (error) {
    if (request.verb !== 'terminate' || !isAmendsError(error, 'store_refused')) throw error;
    return terminateUnread(request, { ...evidence, error }, reception);
  }
}

function interveneInRead(request: Intervention, { store }: Evidence, reception: Reception): Promise<TransactionView> {
  const { gid, ...act } = request;
  const { drive } = reception;
  return carryOut<Intervened, TransactionView>(
    {
      gid,
      event: () => ({ type: 'intervened', ...act, ...drive.moment() }),
      refuse: (tx) => refuse(tx, request),
      taken: viewOf,
      async takenAfterAll(event) {
        return (await isAudited(gid, event, store)) ? viewOfStored((await drive.load(gid))!) : null;
      },
    },
    reception,
  );
}

/**
 * Ends by its row alone what cannot be read. @throws AmendsError what is told already, when it is not this transaction that
 * cannot be read
 */
function terminateUnread(
  request: Intervention,
  { error, store, digest }: Evidence & { readonly error: AmendsError },
  reception: Reception,
): Promise<TransactionView> {
  const { gid, actor } = request;
  const { drive } = reception;
  return untilAnswered(gid, reception, async () => {
    const [stored] = await store.load([gid]);
    if (stored == null || isNewer(stored) || unreadableBecause(stored, digest) === null) throw error;
    refuse(stored.row, request);
    const moment = { at: drive.moment().at, lastSeq: await lastSeqOf(gid, store) };
    const change = endUnread(stored.row, request, moment);
    const result = await new Promise<CommitResult>((resolve) => drive.commit(change, resolve));
    if (result.fate === 'failed') throw result.error;
    if (result.fate === 'refused') throw new AmendsError('value_refused', `the store does not take it: ${result.message}`);
    const isDone = result.fate === 'applied' || (await isAudited(gid, { ...request, at: moment.at }, store));
    if (!isDone) return null;
    drive.committedUnread(stored.row, change);
    return viewOfTerminated(change, actor);
  });
}

/** @throws AmendsError `already_finished` or `version_conflict` when the act does not apply to the transaction as it is */
function refuse(tx: Pick<Transaction, 'gid' | 'status' | 'version'>, { expectedVersion }: Intervention): void {
  if (isFinished(tx))
    throw new AmendsError('already_finished', `${tx.gid} is finished (${tx.status}); nothing can be changed any more`);
  if (expectedVersion !== null && expectedVersion !== tx.version)
    throw new AmendsError('version_conflict', [
      { field: 'expectedVersion', message: `${tx.gid} is at version ${tx.version} now; look at it again` },
    ]);
}

/** Whether an act was carried out after all, by a commit whose answer came after others had taken the transaction over. */
async function isAudited(gid: Gid, act: Acted, store: Pick<Store, 'audit'>): Promise<boolean> {
  const rows = await store.audit({ gid, limit: 100 });
  return rows.some((row) => row.at === act.at && row.actor === act.actor && row.verb === act.verb && row.reason === act.reason);
}
