/** Beginning a transaction, once, however often and wherever it is asked for. */
import { AmendsError, checkSagaSpec, encodeSpec, type Gid, type Spec, type StoredSpec } from '@amends/core';
import type { Submitted } from './coordinator.ts';
import { Mailbox } from './mailbox.ts';
import type { Digest } from './ports.ts';
import { posted, type Reception, untilAnswered } from './requests.ts';
import { viewOf, viewOfStored } from './waiting.ts';

/** What is to begin. */
export interface Submission {
  readonly gid: Gid;
  readonly spec: Spec;
}

/** See `Coordinator.submit`. */
export async function submit(submission: Submission, digest: Digest, reception: Reception): Promise<Submitted> {
  const { gid, spec } = submission;
  checkSagaSpec(spec);
  const encoded = encodeSpec(spec);
  const stored: StoredSpec = { ...encoded, digest: digest([encoded.plan, encoded.payloads]) };
  return untilAnswered(gid, reception, () =>
    reception.mailboxes.get(gid) === undefined ? begun(submission, stored, reception) : found(gid, stored.digest, reception),
  );
}

async function begun({ gid, spec }: Submission, stored: StoredSpec, reception: Reception): Promise<Submitted | null> {
  const { host, mailboxes } = reception;
  if (mailboxes.room() === 0)
    throw new AmendsError('overloaded', `${mailboxes.size} transactions are under way; try again in a moment`);
  const mailbox = Mailbox.forNew(host, gid, spec, stored);
  mailboxes.add(mailbox);
  const event = { type: 'submitted', gid, owner: host.node, traceId: null, ...host.moment() } as const;
  if ((await posted(mailbox, event)) !== 'lost') return { outcome: 'created', view: viewOf(mailbox) };
  reception.refuseUnlessOpen();
  return found(gid, stored.digest, reception);
}

/** What to answer for a gid that exists already; null when after all it does not. */
async function found(gid: Gid, digest: string, reception: Reception): Promise<Submitted | null> {
  const { host, mailboxes } = reception;
  const beginning = mailboxes.get(gid);
  if (beginning !== undefined && beginning.tx === null) await firstCommit(beginning, reception);
  const live = mailboxes.get(gid);
  if (live?.tx) return { outcome: live.digest === digest ? 'repeated' : 'different', view: viewOf(live) };
  const stored = await host.load(gid);
  if (stored === null) return null;
  return { outcome: stored.spec.digest === digest ? 'repeated' : 'different', view: viewOfStored(stored) };
}

/**
 * Waits for what becomes of another request that begins the same transaction, but not for a store that has failed.
 * @throws AmendsError `store_unavailable`
 */
async function firstCommit(mailbox: Mailbox, reception: Reception): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = () => {
      forgetChange();
      forgetFailure();
      resolve();
    };
    const forgetChange = mailbox.changed(end);
    const forgetFailure = reception.onStoreFailure(end);
  });
  if (mailbox.tx === null) reception.refuseUnlessOpen();
}
