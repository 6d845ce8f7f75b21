/**
 * At most so many calls at once per participant host; more wait for their turn. A dead host fills its own queue and
 * nobody else's. A call whose turn does not come in time was never sent, and its outcome says so.
 */
import { assertNever, type Outcome } from '@amends/core';
import { processClock, systemTimers } from './host.ts';
import type { BranchCall, Clock, Timers, Transport } from './ports.ts';
import { remembered } from './remembered.ts';
import { hostOf } from './url-parts.ts';

/** Bounds of one host. */
export interface HostBounds {
  /** Measures how long calls wait for their turn. Default: the process's own. */
  readonly clock?: Clock;
  /** Default: the process's own. */
  readonly timers?: Pick<Timers, 'after'>;
  /** Calls at once to one host. Default 128. */
  readonly inFlightMax?: number;
  /** Calls that may wait for their turn at one host; more are not sent at all, so that one dead host keeps few transactions in memory. Default 4,000. */
  readonly queueMax?: number;
}

interface Waiting {
  readonly request: BranchCall;
  readonly queuedAt: number;
  readonly resolve: (outcome: Outcome | Promise<Outcome>) => void;
  readonly cancelTimer: () => void;
}

interface Host {
  inFlight: number;
  readonly queue: Set<Waiting>;
}

/** Decorates a transport with a bound and a queue for each host. */
export function boundedPerHost(transport: Transport, bounds: HostBounds = {}): Transport {
  const { clock = processClock, timers = systemTimers, inFlightMax = 128, queueMax = 4_000 } = bounds;
  const hosts = new Map<string, Host>();
  const hostOfUrl = remembered(hostOf);

  function call(request: BranchCall): Promise<Outcome> {
    const name = hostOfUrl(request.url);
    let host = hosts.get(name);
    if (host === undefined) {
      host = { inFlight: 0, queue: new Set() };
      hosts.set(name, host);
    }
    if (host.inFlight < inFlightMax) return send(name, host, request);
    if (host.queue.size >= queueMax) return Promise.resolve(unsent(0, 'queue_full'));
    return queued(host, request);
  }

  function send(name: string, host: Host, request: BranchCall): Promise<Outcome> {
    host.inFlight += 1;
    return called(request).finally(() => {
      host.inFlight -= 1;
      next(name, host);
    });
  }

  /** What the transport throws is a rejection, too, so that its place is free again in any case. */
  async function called(request: BranchCall): Promise<Outcome> {
    return transport.call(request);
  }

  function queued(host: Host, request: BranchCall): Promise<Outcome> {
    return new Promise((resolve) => {
      const giveUp = () => {
        host.queue.delete(waiting);
        resolve(unsent(request.deadlineInMs, 'queue_timeout'));
      };
      const cancelTimer = timers.after(request.deadlineInMs, giveUp);
      const waiting: Waiting = { request, queuedAt: clock.now(), resolve, cancelTimer };
      host.queue.add(waiting);
    });
  }

  function next(name: string, host: Host): void {
    const [waiting] = host.queue;
    if (waiting === undefined) {
      if (host.inFlight === 0) hosts.delete(name);
      return;
    }
    host.queue.delete(waiting);
    waiting.cancelTimer();
    const deadlineInMs = waiting.request.deadlineInMs - (clock.now() - waiting.queuedAt);
    if (deadlineInMs < 1) {
      waiting.resolve(unsent(waiting.request.deadlineInMs, 'queue_timeout'));
      next(name, host);
    } else {
      waiting.resolve(send(name, host, { ...waiting.request, deadlineInMs }));
    }
  }

  return {
    call,
    async close() {
      for (const host of hosts.values()) {
        for (const waiting of host.queue) {
          waiting.cancelTimer();
          waiting.resolve(unsent(0, 'stopped'));
        }
        host.queue.clear();
      }
      await transport.close();
    },
  };
}

type Why = 'queue_full' | 'queue_timeout' | 'stopped';

function unsent(durationMs: number, code: Why): Outcome {
  return { class: 'unknown', code, detail: explanation(code), exchange: 'unsent', durationMs };
}

function explanation(code: Why): string {
  switch (code) {
    case 'queue_full':
      return 'not sent: too many calls wait for this host';
    case 'queue_timeout':
      return 'not sent: its turn at this host did not come in time';
    case 'stopped':
      return 'not sent: the coordinator is stopping';
    default:
      return assertNever(code);
  }
}
