/** What applications ask of a transaction that exists: to be done or not, to have a branch more, to be over. */
import type { Gid, RequestEvent, Transaction } from '@amends/core';
import type { Requested, TransactionRequest } from './coordinator.ts';
import { opened, posted, type Reception, untilAnswered } from './requests.ts';
import { registeredTargets } from './targets.ts';
import { viewOf } from './waiting.ts';

/** See `Coordinator.request`. Every request may be made again: whoever makes it twice is told that it is so already. */
export function asked(gid: Gid, request: TransactionRequest, reception: Reception): Promise<Requested> {
  return untilAnswered(gid, reception, async () => {
    const refuse = ({ mode }: Pick<Transaction, 'mode'>) => {
      if (request.type === 'registered') reception.refuseTargets(registeredTargets(mode, request.branch));
    };
    const known = reception.mailboxes.get(gid);
    if (known !== undefined) refuse(known.given.spec);
    const mailbox = known ?? (await opened({ gid, refuse }, reception));
    const verdict = await posted(mailbox, eventOf(gid, request, reception));
    return verdict === 'lost' ? null : { verdict, view: viewOf(mailbox) };
  });
}

function eventOf(gid: Gid, request: TransactionRequest, { host }: Reception): RequestEvent {
  if (request.type !== 'submitted') return { ...request, ...host.moment() };
  return { ...request, gid, owner: host.node, ...host.moment() };
}
