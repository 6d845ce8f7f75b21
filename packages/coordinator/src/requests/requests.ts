/**
 * What callers ask of a transaction: an event, posted to its mailbox, whose verdict is their answer. A mailbox may lose
 * its transaction to another node meanwhile; then the request is tried again on what there is by then.
 */
import { AmendsError, fromRow, type Gid, type Transaction, type TransactionEvent, type Verdict } from '@amends/core';
import type { StoredTransaction } from '@amends/store';
import type { JudgeAddress } from '../calls/address/targets.ts';
import type { Drive } from '../drive/drive.ts';
import type { Mailbox } from '../drive/mailbox.ts';
import { findWhereabouts, type Whereabouts } from './whereabouts.ts';

/** Where requests come in: what they need of the coordinator. */
export interface Reception {
  readonly drive: Drive;
  /** Whether other nodes write to the same store. */
  readonly isShared: boolean;
  /** @throws AmendsError `stopping`, `store_unavailable`: no request is taken in now */
  refuseUnlessOpen(): void;
  readonly judgeAddress: JudgeAddress;
}

/** A request that changes a transaction which exists, whoever drives it. */
export interface Act<E extends TransactionEvent, A> {
  readonly gid: Gid;
  /** As of now: made for each try. */
  event(): E;
  /** Asked before the event is posted, and to explain why it was not taken. @throws AmendsError when it does not apply */
  refuse(tx: Transaction): void;
  /** The answer, once the event is durable. */
  taken(mailbox: Mailbox): A;
  /** The answer when the mailbox could not tell but the event is durable all the same; null: it is not. */
  takenAfterAll(event: E): Promise<A | null>;
}

/** A request that meets other nodes' commits this often in a row gives up as `overloaded`; it takes some 10 s at most. */
const triesMax = 50;

/** Tries before it begins to pause, and the pause at most, of which chance takes up to half. Milliseconds. */
const triesAtOnce = 3;
const pauseMsMax = 250;

/**
 * Tries until there is an answer.
 * @param attempt resolves with null when it must be tried again
 */
export async function untilAnswered<A>(gid: Gid, reception: Reception, attempt: () => Promise<A | null>): Promise<A> {
  for (let tries = 0; tries < triesMax; tries++) {
    reception.refuseUnlessOpen();
    const answer = await attempt();
    if (answer !== null) return answer;
    if (tries >= triesAtOnce) await pause(2 ** (tries - triesAtOnce), reception.drive);
  }
  const message = `${gid} is being changed by other nodes all the time; try again in a moment`;
  throw new AmendsError('overloaded', [{ field: 'gid', message }]);
}

function pause(delayMs: number, drive: Drive): Promise<void> {
  const share = 1 - drive.moment().jitter / 2;
  return new Promise((resolve) => drive.after(share * Math.min(pauseMsMax, delayMs), resolve));
}

/**
 * Posts an event.
 * @returns its verdict once that is durable; `lost` when the mailbox cannot tell
 * @throws AmendsError when the store has not taken it
 */
export function post(mailbox: Mailbox, event: TransactionEvent): Promise<Verdict | 'lost'> {
  return new Promise((resolve, reject) => {
    mailbox.post(event, (reply) => (reply instanceof AmendsError ? reject(reply) : resolve(reply)));
  });
}

/**
 * Carries out an act.
 * @throws AmendsError `not_found`, `overloaded`, those of `act.refuse` and of `Reception.refuseUnlessOpen`
 */
export function carryOut<E extends TransactionEvent, A>(act: Act<E, A>, reception: Reception): Promise<A> {
  return untilAnswered(act.gid, reception, async () => {
    const mailbox = await openMailbox(act, reception);
    if (mailbox.tx !== null) act.refuse(mailbox.tx);
    const event = act.event();
    const verdict = await post(mailbox, event);
    if (verdict === 'taken') return act.taken(mailbox);
    if (verdict !== 'lost') {
      act.refuse(mailbox.tx!);
      return null;
    }
    reception.refuseUnlessOpen();
    return act.takenAfterAll(event);
  });
}

/**
 * The mailbox of a transaction; on one that this node does not drive a new one, whose next commit takes it over. That is made
 * only for an event that will be posted to it, because a mailbox that gets no event never closes.
 * @throws AmendsError `not_found`, and those of `refuse`
 */
async function openMailbox({ gid, refuse }: Pick<Act<never, never>, 'gid' | 'refuse'>, reception: Reception): Promise<Mailbox> {
  const { mailbox, stored } = await locate(gid, reception);
  if (mailbox !== undefined) return mailbox;
  refuse(fromRow(stored!.row));
  reception.refuseUnlessOpen();
  return takeIn(stored!, reception);
}

/** @throws AmendsError `not_found` */
export async function locate(gid: Gid, reception: Reception): Promise<Whereabouts> {
  const found = await findWhereabouts(gid, reception);
  if (found === null) throw new AmendsError('not_found', [{ field: 'gid', message: `there is no transaction ${gid}` }]);
  return found;
}

/** Its mailbox, if one has been made meanwhile, or a new one. */
export function takeIn(stored: StoredTransaction, { drive }: Reception): Mailbox {
  return drive.mailboxes.get(stored.row.gid) ?? drive.takeIn(stored);
}
