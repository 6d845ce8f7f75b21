/** Making the calls that a decision asked for, and bringing their answers back as events. */
import { type CallEffect, callPlan, type Outcome, type Spec, traceparentOf } from '@amends/core';
import type { AddressBook } from '../calls/address/address-book.ts';
import { alwaysAnswered } from '../calls/always-answering.ts';
import type { Place } from '../calls/places.ts';
import type { Clock, Log, Random, Transport } from '../ports/ports.ts';
import type { Mailbox } from './mailbox.ts';
import { callKey } from './mailbox.ts';

interface Around {
  readonly transport: Transport;
  readonly addresses: Pick<AddressBook, 'of'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** A call has ended; nothing may follow from that. */
  onEnd(): void;
}

/** Counts and makes calls. */
export class Outbound {
  readonly #around: Around;
  #calling = 0;

  constructor(around: Around) {
    this.#around = around;
  }

  /** Calls in flight. */
  get calling(): number {
    return this.#calling;
  }

  /** Makes one call at its place; when it ends, the place is given back and the answer posted to the mailbox. */
  call(mailbox: Mailbox, effect: CallEffect, place: Place): void {
    const { clock, random, log, onEnd } = this.#around;
    this.#calling += 1;
    void alwaysAnswered(() => this.#outcomeOf(mailbox, effect), { gid: mailbox.gid, log }).then((outcome) => {
      this.#calling -= 1;
      mailbox.calls.delete(callKey(effect));
      const { branch, way, attempt } = effect;
      const moment = { at: clock.now(), jitter: random.fraction() };
      place.release(() => mailbox.post({ type: 'answered', branch, way, attempt, outcome, ...moment }));
      onEnd();
    });
  }

  /** A call has the time that is left since its stored start; what is undone later relies on that (SAGA-6). */
  #outcomeOf(mailbox: Mailbox, effect: CallEffect): Promise<Outcome> {
    const { clock, random, transport, addresses } = this.#around;
    const { timeoutMs, url, ...plan } = callPlan(mailbox.given, effect);
    const deadlineInMs = startedAt(mailbox, effect) + timeoutMs - clock.now();
    if (deadlineInMs <= 0) return Promise.resolve(tooLate);
    const { spec } = mailbox.given;
    const { face, mode, protocol = 'http' } = spec;
    const { gid, tx } = mailbox;
    const { attempt } = effect;
    const headers = headersOf(spec, random);
    const address = addresses.of(url);
    return transport.call({ gid, mode, ...plan, address, attempt, epoch: tx!.epoch, headers, deadlineInMs, face, protocol });
  }

  /** Breaks off what is in flight. */
  close(): Promise<void> {
    return this.#around.transport.close();
  }
}

const tooLate: Outcome = {
  class: 'unknown',
  code: 'commit_timeout',
  detail: 'not sent: its time was over before its start was stored',
  exchange: 'unsent',
  durationMs: 0,
};

/** When the attempt began, as it is stored. Milliseconds since 1970. */
function startedAt(mailbox: Mailbox, { branch, way }: CallEffect): number {
  const state = mailbox.tx!.branches[branch]![way];
  if (state.at !== 'running') throw new Error(`${mailbox.gid}: a call is made that is not running`);
  return state.startedAt;
}

const spanIdBytes = 8;

/** In the trace of the request each call is a span of its own, unless the request said which `traceparent` to send. */
function headersOf({ headers, trace }: Spec, random: Random): Spec['headers'] {
  if (trace === null || Object.keys(headers).some((name) => name.toLowerCase() === 'traceparent')) return headers;
  return { ...headers, traceparent: traceparentOf(trace, random.bytes(spanIdBytes)) };
}
