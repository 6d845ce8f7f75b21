/** What applications ask of a transaction that exists: to be done or not, to have a branch more, to be over. */
import type { Gid, RequestEvent } from '@amends/core';
import type { Requested, TransactionRequest } from './coordinator.ts';
import { opened, posted, type Reception, untilAnswered } from './requests.ts';
import { registeredTargets } from './targets.ts';
import { viewOf } from './waiting.ts';

/** See `Coordinator.request`. Every request may be made again: whoever makes it twice is told that it is so already. */
export function asked(gid: Gid, request: TransactionRequest, reception: Reception): Promise<Requested> {
  return untilAnswered(gid, reception, async () => {
    const mailbox = reception.mailboxes.get(gid) ?? (await opened({ gid, refuse() {} }, reception));
    if (request.type === 'registered') reception.refuseTargets(registeredTargets(mailbox.given.spec.mode, request.branch));
    const verdict = await posted(mailbox, eventOf(gid, request, reception));
    return verdict === 'lost' ? null : { verdict, view: viewOf(mailbox) };
  });
}

function eventOf(gid: Gid, request: TransactionRequest, { host }: Reception): RequestEvent {
  if (request.type !== 'submitted') return { ...request, ...host.moment() };
  return { ...request, gid, owner: host.node, ...host.moment() };
}
