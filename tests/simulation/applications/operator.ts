/** The human at the console: intervenes now and then, and when the faults are over releases everything that is held. */
import type { Intervention } from '@amends/coordinator';
import type { Gid } from '@amends/core';
import type { Entry } from '../checks/entry.ts';
import type { Ledger } from '../checks/ledger.ts';
import type { Chance } from '../world/random.ts';
import type { Surroundings } from './client.ts';

/** An act on a transaction that does not exist. */
const nothing = { gid: 'none' as Gid, verb: 'retry', expectedVersion: null } as const;

export class Operator {
  readonly #around: Surroundings;
  readonly #ledger: Ledger;
  readonly #chance: Chance;
  #acts = 0;
  #releasing = false;

  constructor(around: Surroundings, ledger: Ledger) {
    this.#around = around;
    this.#ledger = ledger;
    this.#chance = around.world.chance.stream('operator');
  }

  /** Begins to watch; in some runs, to act. */
  start(): void {
    if (this.#chance.yes(0.6)) this.#actLater();
    this.#releaseLater();
  }

  #actLater(): void {
    const { world } = this.#around;
    world.time.after(this.#chance.between(500, 12_000), () => {
      if (world.healed) return;
      const entries = [...this.#ledger.entries.values()];
      const mistaken = entries.length === 0 || this.#chance.yes(0.03);
      void this.#intervene(mistaken ? nothing : this.#draw(this.#chance.pick(entries)));
      this.#actLater();
    });
  }

  #draw({ gid, tx }: Entry): Omit<Intervention, 'actor' | 'reason'> {
    const verb = this.#chance.yes(0.75) ? 'retry' : 'terminate';
    const seen = this.#chance.pickWeighted({ any: 5, current: 3, stale: 1 });
    const expectedVersion = seen === 'any' ? null : tx.version - (seen === 'stale' ? 1 : 0);
    return { gid: gid as Gid, verb, expectedVersion };
  }

  #releaseLater(): void {
    const { world } = this.#around;
    world.time.after(1_000, () => {
      if (world.healed && !this.#releasing) void this.#release();
      this.#releaseLater();
    });
  }

  async #release(): Promise<void> {
    this.#releasing = true;
    for (const { gid, tx } of this.#ledger.entries.values()) {
      if (tx.hold === null) continue;
      // A message that nobody can be asked about would be held again: a human has to know.
      const verb = tx.hold.code === 'nobody-to-ask' ? 'terminate' : 'retry';
      await this.#intervene({ gid: gid as Gid, verb, expectedVersion: null });
    }
    this.#releasing = false;
  }

  async #intervene(what: Omit<Intervention, 'actor' | 'reason'>): Promise<void> {
    const { api, checks } = this.#around;
    const act = { ...what, actor: `operator-${++this.#acts}`, reason: 'by hand' };
    await api.ask(this.#chance.pick(api.machines), {
      gid: act.gid,
      title: `${act.verb} ${act.gid} by ${act.actor}${act.expectedVersion === null ? '' : ` at v${act.expectedVersion}`}`,
      act: (coordinator) => coordinator.intervene(act),
      left: (answer) => checks.checkIntervention(act, answer),
    });
  }
}
