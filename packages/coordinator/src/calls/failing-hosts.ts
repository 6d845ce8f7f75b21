/**
 * The log says which hosts of participants fail: the first failure at once, then a summary each minute, then that the host
 * answers again. A host gets two lines per minute at most, however many calls fail.
 */
import type { Outcome } from '@amends/core';
import type { BranchCall, CallObserver, Clock, Log } from '../ports/ports.ts';

export interface FailingHostsOptions {
  readonly log: Pick<Log, 'warn'>;
  readonly clock: Clock;
  /** Time between two lines about the failures of one host. Milliseconds, default 60,000. */
  readonly tellEveryMs?: number;
  /** Hosts that are told apart; more failing ones share their lines. Default 1,000. */
  readonly hostsMax?: number;
}

/** Makes what tells of failing calls. A failing call is one without a verdict, also one answered by 500. */
export function failureTeller(options: FailingHostsOptions): CallObserver {
  const hosts = new FailingHosts(options);
  return (call, outcome) => hosts.hear(call, outcome);
}

/** A host that fails, or failed a moment ago. */
interface Trouble {
  /** Failing calls that no line has told yet. */
  untold: number;
  /** It has not answered since then. Milliseconds since 1970. */
  since: number;
  /** The last line about its failures. Milliseconds since 1970. */
  toldAt: number;
  /** Whether the last line says that it fails. */
  isToldFailing: boolean;
}

/** A host that is not called within this time is forgotten, because nothing is to be done there any more. Milliseconds. */
const forgottenAfterMs = 3_600_000;
/** Stands for the name of a host that is not told apart. */
const others = '(other hosts)';

class FailingHosts {
  readonly #log: Pick<Log, 'warn'>;
  readonly #clock: Clock;
  readonly #tellEveryMs: number;
  readonly #hostsMax: number;
  readonly #troubles = new Map<string, Trouble>();

  constructor({ log, clock, tellEveryMs = 60_000, hostsMax = 1_000 }: FailingHostsOptions) {
    this.#log = log;
    this.#clock = clock;
    this.#tellEveryMs = tellEveryMs;
    this.#hostsMax = hostsMax;
  }

  hear(request: BranchCall, outcome: Outcome): void {
    if (outcome.exchange === 'unsent') return;
    if (outcome.class === 'unknown') this.#noteFailure(request, outcome);
    else if (this.#troubles.size > 0) this.#noteAnswer(request.address.host);
  }

  #noteFailure(request: BranchCall, { code, exchange, detail }: Outcome): void {
    const now = this.#clock.now();
    const host = this.#placeOf(request.address.host, now);
    const known = this.#troubles.get(host);
    const trouble = known ?? { untold: 0, since: now, toldAt: now, isToldFailing: false };
    this.#troubles.set(host, trouble);
    if (trouble.untold === 0 && !trouble.isToldFailing) trouble.since = now;
    trouble.untold += 1;
    if (known !== undefined && now < trouble.toldAt + this.#tellEveryMs) return;
    const { gid, branchId, op } = request;
    // The text of an answer stands in the history only, because it may be meant for few.
    const why = exchange === 'answered' ? {} : { detail };
    const message = trouble.isToldFailing ? 'calls of a participant still fail' : 'calls of a participant fail';
    this.#log.warn({ host, failures: trouble.untold, code, ...why, gid, branchId, op }, message);
    Object.assign(trouble, { untold: 0, toldAt: now, isToldFailing: true });
  }

  #noteAnswer(host: string): void {
    const trouble = this.#troubles.get(host);
    if (trouble === undefined) return;
    const now = this.#clock.now();
    const isPast = now >= trouble.toldAt + this.#tellEveryMs;
    if (trouble.isToldFailing || (isPast && trouble.untold > 0)) {
      this.#log.warn({ host, failures: trouble.untold, failedForMs: now - trouble.since }, 'a participant answers again');
      Object.assign(trouble, { untold: 0, isToldFailing: false });
    }
    if (isPast) this.#troubles.delete(host);
  }

  /** The host itself, as long as there is room to tell it apart. */
  #placeOf(host: string, now: number): string {
    if (this.#troubles.has(host) || this.#troubles.size < this.#hostsMax) return host;
    for (const [name, { toldAt, isToldFailing }] of this.#troubles)
      if (now >= toldAt + (isToldFailing ? forgottenAfterMs : this.#tellEveryMs)) this.#troubles.delete(name);
    return this.#troubles.size < this.#hostsMax ? host : others;
  }
}
