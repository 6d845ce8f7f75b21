/** What applications ask of a transaction that exists: to be done or not, to have a branch more, to be over. */
import { decide, type Gid, type RequestEvent, type Transaction, type Verdict } from '@amends/core';
import { refuseBranchTargets } from '../calls/address/targets.ts';
import type { Requested, TransactionRequest, TransactionView } from '../coordinator.ts';
import { locate, post, type Reception, takeIn, untilAnswered } from './requests.ts';
import { viewOf, viewOfStored } from './waiting.ts';
import { isBehind } from './whereabouts.ts';

/** See `Coordinator.request`. Every request may be made again: whoever makes it twice is told that it is so already. */
export function ask(gid: Gid, request: TransactionRequest, reception: Reception): Promise<Requested> {
  return untilAnswered(gid, reception, async () => {
    const refuse = ({ mode }: Pick<Transaction, 'mode'>) => {
      if (request.type === 'registered') refuseBranchTargets(mode, request.branch, reception.judgeAddress);
    };
    const event = eventOf(gid, request, reception);
    const { mailbox: driving, stored } = await locate(gid, reception);
    if (driving === undefined) {
      const view = viewOfStored(stored!);
      refuse(view.transaction);
      const verdict = verdictOn(view, event);
      // What changes nothing is answered as it stands: whoever drives the transaction goes on undisturbed.
      if (verdict !== 'taken') return { verdict, view };
      reception.refuseUnlessOpen();
    } else refuse(driving.given.spec);
    const mailbox = driving ?? takeIn(stored!, reception);
    const verdict = await post(mailbox, event);
    if (verdict === 'lost') return null;
    return verdict !== 'taken' && (await isBehind(mailbox, reception)) ? null : { verdict, view: viewOf(mailbox) };
  });
}

function verdictOn({ transaction, given }: TransactionView, event: RequestEvent): Verdict {
  return decide(transaction, given, [event]).verdicts[0]!;
}

function eventOf(gid: Gid, request: TransactionRequest, { drive }: Reception): RequestEvent {
  if (request.type !== 'submitted') return { ...request, ...drive.moment() };
  return { ...request, gid, owner: drive.node, ...drive.moment() };
}
