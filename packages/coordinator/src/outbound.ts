/** Making the calls that a decision asked for, and bringing their answers back as events. */
import { branchIdOfStep, type CallEffect } from '@amends/core';
import type { Mailbox } from './mailbox.ts';
import { callKey } from './mailbox.ts';
import type { BranchCall, Clock, Random, Transport } from './ports.ts';

/** Counts and makes calls. */
export class Outbound {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #random: Random;
  #calling = 0;

  constructor(transport: Transport, clock: Clock, random: Random) {
    this.#transport = transport;
    this.#clock = clock;
    this.#random = random;
  }

  /** Calls in flight. */
  get calling(): number {
    return this.#calling;
  }

  /** Makes one call; when it ends, its answer is posted to the mailbox. */
  call(mailbox: Mailbox, effect: CallEffect): void {
    this.#calling += 1;
    void this.#transport.call(branchCall(mailbox, effect)).then((outcome) => {
      this.#calling -= 1;
      mailbox.calls.delete(callKey(effect));
      const { branch, op, attempt } = effect;
      const moment = { at: this.#clock.now(), jitter: this.#random.fraction() };
      mailbox.post({ type: 'answered', branch, op, attempt, outcome, ...moment });
    });
  }

  /** Breaks off what is in flight. */
  close(): Promise<void> {
    return this.#transport.close();
  }
}

function branchCall(mailbox: Mailbox, effect: CallEffect): BranchCall {
  const { spec } = mailbox;
  const step = spec.steps[effect.branch]!;
  return {
    gid: mailbox.gid,
    mode: spec.mode,
    branchId: branchIdOfStep(effect.branch),
    op: effect.op,
    attempt: effect.attempt,
    epoch: mailbox.tx!.epoch,
    url: step[effect.op],
    payload: spec.payloads[effect.branch]!,
    headers: spec.headers,
    deadlineInMs: step.timeoutMs,
    face: spec.face,
  };
}
