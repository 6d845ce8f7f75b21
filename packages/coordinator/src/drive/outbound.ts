/** Making the calls that a decision asked for, and bringing their answers back as events. */
import {
  type CallEffect,
  callPlan,
  type Gid,
  type Given,
  makeTraceparent,
  type Outcome,
  type Spec,
  type Transaction,
  type TransactionEvent,
} from '@amends/core';
import type { AddressBook } from '../calls/address/address-book.ts';
import type { Place } from '../calls/places.ts';
import type { BranchCall, CallObserver, Clock, Log, Random, Transport } from '../ports/ports.ts';

interface OutboundParts {
  readonly transport: Transport;
  readonly addresses: Pick<AddressBook, 'of'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Hear of each outcome before anything follows from it. */
  readonly observers: readonly CallObserver[];
  /** A call has ended; nothing may follow from that. */
  onEnd(): void;
}

/** A call to make. */
export interface OutgoingCall {
  readonly effect: CallEffect;
  /** As of its start. */
  readonly known: Caller;
  readonly place: Place;
  /** Hears how it ended. */
  readonly mailbox: { post(event: TransactionEvent): void };
}

/** The transaction whose call it is. */
interface Caller {
  readonly gid: Gid;
  readonly given: Given;
  /** With the start of the call in it. */
  readonly now: Transaction | null;
}

/** Counts and makes calls. */
export class Outbound {
  readonly #parts: OutboundParts;
  #calling = 0;

  constructor(parts: OutboundParts) {
    this.#parts = parts;
  }

  /** Calls in flight. */
  get calling(): number {
    return this.#calling;
  }

  /** Makes one call at its place; when it ends, the place is given back and the answer posted to the mailbox. */
  async call({ effect, known, place, mailbox }: OutgoingCall): Promise<void> {
    const { clock, random, onEnd } = this.#parts;
    this.#calling += 1;
    const outcome = await this.#outcomeOf(known, effect);
    this.#calling -= 1;
    const { branch, way, attempt } = effect;
    const moment = { at: clock.now(), jitter: random.fraction() };
    place.release(() => mailbox.post({ type: 'answered', branch, way, attempt, outcome, ...moment }));
    onEnd();
  }

  /** A call always has an outcome: what a transport throws or rejects with becomes one, instead of ending the process. */
  #outcomeOf(caller: Caller, effect: CallEffect): Promise<Outcome> {
    const fail = (error: unknown) => this.#failInside(caller.gid, error);
    try {
      const call = this.#describe(caller, effect);
      if (call.deadlineInMs <= 0) return Promise.resolve(tooLate);
      return this.#parts.transport.call(call).then((outcome) => this.#tell(call, outcome), fail);
    } catch (error) {
      return Promise.resolve(fail(error));
    }
  }

  /** Nobody knows how far the call came. */
  #failInside(gid: Gid, error: unknown): Outcome {
    this.#parts.log.error({ gid, err: error }, 'a call of a participant failed inside the coordinator');
    const detail = `the call failed inside the coordinator: ${error instanceof Error ? error.message : String(error)}`;
    return { class: 'unknown', code: 'internal', detail, exchange: 'broken', durationMs: 0 };
  }

  /** An observer is anybody's code: what it throws must not make another outcome of this one. */
  #tell(call: BranchCall, outcome: Outcome): Outcome {
    const { observers, log } = this.#parts;
    for (const observer of observers) {
      try {
        observer(call, outcome);
      } catch (error) {
        log.error({ gid: call.gid, err: error }, 'an observer of calls failed');
      }
    }
    return outcome;
  }

  /** A call has the time that is left since its stored start; what is undone later relies on that (SAGA-6). */
  #describe(caller: Caller, effect: CallEffect): BranchCall {
    const { clock, random, addresses } = this.#parts;
    const { gid, now, given } = caller;
    const { spec } = given;
    const { branchId, op, url, payload, timeoutMs, keepsAnswer, workflow } = callPlan(given, effect);
    const deadlineInMs = startedAt(caller, effect) + timeoutMs - clock.now();
    return {
      gid,
      mode: spec.mode,
      branchId,
      op,
      attempt: effect.attempt,
      epoch: now!.epoch,
      address: addresses.of(url),
      payload,
      headers: headersOf(spec, random),
      deadlineInMs,
      face: spec.face,
      protocol: spec.protocol ?? 'http',
      keepsAnswer,
      workflow,
    };
  }

  /** Breaks off what is in flight. */
  close(): Promise<void> {
    return this.#parts.transport.close();
  }
}

const tooLate: Outcome = {
  class: 'unknown',
  code: 'commit_timeout',
  detail: 'not sent: its time was over before its start was stored',
  exchange: 'unsent',
  durationMs: 0,
};

/** When the attempt began. Milliseconds since 1970. */
function startedAt({ gid, now }: Caller, { branch, way }: CallEffect): number {
  const state = now!.branches[branch]![way];
  if (state.at !== 'running') throw new Error(`${gid}: a call is made that is not running`);
  return state.startedAt;
}

const spanIdBytes = 8;

/** In the trace of the request each call is a span of its own, unless the request said which `traceparent` to send. */
function headersOf({ headers, trace }: Spec, random: Random): Spec['headers'] {
  if (trace === null || Object.keys(headers).some((name) => name.toLowerCase() === 'traceparent')) return headers;
  return { ...headers, traceparent: makeTraceparent(trace, random.bytes(spanIdBytes)) };
}
