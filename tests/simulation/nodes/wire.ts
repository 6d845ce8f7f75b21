/** The network between coordinators and participants: a transport for each process, with all that can happen underway. */
import type { BranchCall, Transport } from '@amends/coordinator';
import type { Outcome } from '@amends/core';
import type { CallChecks, WireCall } from '../checks/call-checks.ts';
import type { Chance } from '../world/random.ts';
import type { World } from '../world/world.ts';
import type { NodeProcess } from './node-process.ts';
import type { Participant, Status } from './participant.ts';
import type { Settings } from './settings.ts';

type Verdict = Pick<Outcome, 'class' | 'code' | 'exchange'>;

const verdicts: Readonly<Record<Status, Verdict>> = {
  200: { class: 'success', code: 'http_200', exchange: 'answered' },
  409: { class: 'failure', code: 'http_409', exchange: 'answered' },
  425: { class: 'ongoing', code: 'http_425', exchange: 'answered' },
  500: { class: 'unknown', code: 'http_500', exchange: 'answered' },
};
const refused: Verdict = { class: 'unknown', code: 'connect_refused', exchange: 'refused' };
const timedOut: Verdict = { class: 'unknown', code: 'timeout', exchange: 'broken' };
const reset: Verdict = { class: 'unknown', code: 'connection_reset', exchange: 'broken' };
const closed: Verdict = { class: 'unknown', code: 'stopped', exchange: 'broken' };

/** What a participant says when it agrees: who was asked. */
function answerOf({ gid, branchId }: BranchCall): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ by: `${gid} ${branchId}` }));
}

export class Wire {
  readonly #world: World;
  readonly #checks: CallChecks;
  readonly #chance: Chance;
  readonly #participants: ReadonlyMap<string, Participant>;

  constructor(world: World, checks: CallChecks, participants: ReadonlyMap<string, Participant>) {
    this.#world = world;
    this.#checks = checks;
    this.#chance = world.chance.stream('wire');
    this.#participants = participants;
  }

  /** A transport for one process, which must never have more calls to one host under way than it was told. */
  transport(process: NodeProcess, { perHostInFlightMax }: Pick<Settings, 'perHostInFlightMax'>): Transport {
    const open = new Set<() => void>();
    const atHosts = new Map<string, number>();
    return {
      call: (request) => {
        const { host } = request.address;
        const others = atHosts.get(host) ?? 0;
        if (others === perHostInFlightMax) this.#world.report('SIM-27', `${process.name} calls ${host} once too often at once`);
        if (others + 1 === perHostInFlightMax) this.#world.coverage.count('wire faults', 'all places of a host taken');
        atHosts.set(host, others + 1);
        return this.#call(process, request, open).finally(() => atHosts.set(host, atHosts.get(host)! - 1));
      },
      close: async () => {
        for (const breakOff of [...open]) breakOff();
      },
    };
  }

  #call(process: NodeProcess, request: BranchCall, open: Set<() => void>): Promise<Outcome> {
    if (!process.works()) return new Promise(() => {});
    const { time, coverage } = this.#world;
    const call = this.#checks.checkCall(process, request);
    return new Promise((resolve) => {
      const startedAt = time.now;
      let over = false;
      const end = (verdict: Verdict) => {
        if (over) return;
        over = true;
        cancelDeadline();
        open.delete(breakOff);
        process.deliver(() => {
          const kept = verdict.class === 'success' && request.keepsAnswer ? { kept: answerOf(request) } : {};
          const outcome: Outcome = { ...verdict, detail: '', durationMs: Math.round(time.now - startedAt), ...kept };
          this.#world.note(() => `${process.name} hears ${call.name}: ${outcome.class} ${outcome.code}`);
          call.end = outcome;
          resolve(outcome);
        });
      };
      const breakOff = () => {
        coverage.count('wire faults', 'broken off by close');
        end(closed);
      };
      const cancelDeadline = time.after(request.deadlineInMs, () => {
        coverage.count('wire faults', 'timed out');
        end(timedOut);
      });
      open.add(breakOff);
      this.#send(call, end);
    });
  }

  /** The way of a request, and of its answer back. */
  #send(call: WireCall, end: (verdict: Verdict) => void): void {
    const { wire } = this.#world.faults;
    if (this.#unlucky(wire.reset, 'reset')) this.#world.time.after(this.#chance.between(1, 500), () => end(reset));
    if (this.#unlucky(wire.drop, 'dropped')) return;
    const late = this.#unlucky(wire.late, 'late') ? this.#chance.between(500, 20_000) : 0;
    this.#arrive(call, this.#latencyMs() + late, end);
    if (this.#unlucky(wire.duplicate, 'duplicated')) this.#arrive(call, this.#latencyMs() + this.#chance.between(0, 8_000), end);
  }

  #arrive(call: WireCall, afterMs: number, end: (verdict: Verdict) => void): void {
    const participant = this.#participants.get(call.request.address.host)!;
    this.#world.underWay += 1;
    this.#world.time.after(afterMs, () => {
      this.#world.underWay -= 1;
      if (participant.down) {
        this.#world.coverage.count('wire faults', 'participant down');
        return this.#back(() => end(refused));
      }
      this.#world.note(() => `${participant.host}: ${call.name} arrives`);
      participant.receive(call.request, (status) => {
        if (this.#unlucky(this.#world.faults.wire.answerLost, 'answer lost')) return;
        this.#back(() => end(verdicts[status]));
      });
    });
  }

  #back(run: () => void): void {
    this.#world.time.after(this.#latencyMs(), run);
  }

  #latencyMs(): number {
    return this.#chance.between(0.3, 12);
  }

  #unlucky(probability: number, name: string): boolean {
    if (!this.#chance.yes(probability)) return false;
    this.#world.coverage.count('wire faults', name);
    return true;
  }
}
