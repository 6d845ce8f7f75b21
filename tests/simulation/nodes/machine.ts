/** One machine: it runs one coordinator process after the other, and strikes them as the faults of the run say. */

import type { Chance } from '../world/random.ts';
import type { World } from '../world/world.ts';
import type { Database } from './database.ts';
import { NodeProcess } from './node-process.ts';
import type { Settings } from './settings.ts';
import type { Wire } from './wire.ts';

export class Machine {
  readonly name: string;
  /** The process that runs; null while there is none. */
  process: NodeProcess | null = null;
  readonly #world: World;
  readonly #database: Database;
  readonly #wire: Wire;
  readonly #settings: Settings;
  readonly #chance: Chance;
  #runs = 0;

  constructor(world: World, name: string, parts: { database: Database; wire: Wire; settings: Settings }) {
    this.#world = world;
    this.name = name;
    this.#database = parts.database;
    this.#wire = parts.wire;
    this.#settings = parts.settings;
    this.#chance = world.chance.stream(`machine ${name}`);
    this.#boot();
    this.#strikeLater();
  }

  /** After the faults: what stands still goes on, what is dead is started. */
  recover(): void {
    this.process?.crashSoon(Number.POSITIVE_INFINITY);
    this.process?.resume();
    this.#boot();
  }

  #boot(): void {
    if (this.process !== null) return;
    this.#runs += 1;
    const process = new NodeProcess(this.#world, `${this.name}${this.#runs}`, () => this.#bootLater());
    this.process = process;
    this.#world.note(() => `${process.name} starts`);
    process.coordinator = this.#world.production.coordinator.createCoordinator({
      ...this.#settings,
      ...process.ports,
      store: this.#database.connect(process),
      transport: this.#wire.transport(process, this.#settings),
    });
    process.coordinator.start().catch((error: Error) => {
      if (!process.alive) return;
      this.#cover('start failed');
      process.crash(`cannot start: ${error.message}`);
    });
  }

  #bootLater(): void {
    this.process = null;
    const pauseMs = this.#world.healed ? 100 : this.#chance.between(50, 12_000);
    this.#world.time.after(pauseMs, () => this.#boot());
  }

  #strikeLater(): void {
    const { blowEveryMs } = this.#world.faults.process;
    if (blowEveryMs === 0) return;
    this.#world.time.after(this.#chance.between(0.2, 2) * blowEveryMs, () => {
      if (this.#world.healed) return;
      if (this.process !== null) this.#strike(this.process);
      this.#strikeLater();
    });
  }

  #strike(process: NodeProcess): void {
    const { timeToLiveMs } = this.#settings;
    switch (this.#chance.pickWeighted({ crash: 2, 'crash soon': 4, 'short pause': 1, 'long pause': 3, stop: 1 })) {
      case 'crash':
        this.#cover('crash at a moment');
        return process.crash('killed');
      case 'crash soon':
        return process.crashSoon(this.#chance.whole(0, 30));
      case 'short pause':
        this.#cover('pause within the time to live');
        return this.#pause(process, this.#chance.between(10, timeToLiveMs / 2));
      case 'long pause':
        this.#cover('pause beyond the time to live');
        return this.#pause(process, this.#chance.between(timeToLiveMs, 3 * timeToLiveMs));
      case 'stop':
        this.#cover('graceful stop');
        return this.#stop(process);
    }
  }

  #pause(process: NodeProcess, pauseMs: number): void {
    process.pause();
    this.#world.time.after(pauseMs, () => process.resume());
  }

  #stop(process: NodeProcess): void {
    this.#world.note(() => `${process.name} is asked to stop`);
    const stopped = process.coordinator.stop({ graceMs: this.#chance.between(0, 4_000) });
    void stopped.then(() => {
      process.expectSilence();
      this.#world.time.after(2_000, () => process.crash('stopped in good order'));
    });
  }

  #cover(name: string): void {
    this.#world.coverage.count('process faults', name);
  }
}
