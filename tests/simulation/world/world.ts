/** What all parts of one run share: time, chance, the faults of the moment, the trace, and the place where violations end. */
import type { EpochMs } from '@amends/core';
import type { Coverage } from './coverage.ts';
import { drawFaults, drawWeather, type Faults, noFaults, type Weather } from './faults.ts';
import type { Production } from './production.ts';
import { Chance } from './random.ts';
import { VirtualTime } from './virtual-time.ts';

/** A broken invariant. */
export interface Violation {
  /** Which checker found it: an invariant's code. */
  readonly checker: string;
  readonly message: string;
  /** Virtual milliseconds. */
  readonly at: number;
}

/** How a run is made. */
export interface WorldOptions {
  readonly production: Production;
  readonly seed: number;
  readonly coverage: Coverage;
  /** Keep a trace; costs time, changes nothing else. */
  readonly tracing: boolean;
}

/** 2026-01-01T00:00Z: the moment at which every simulation begins. */
const originMs = 1_767_225_600_000;

export class World {
  readonly production: Production;
  readonly chance: Chance;
  readonly time = new VirtualTime();
  readonly coverage: Coverage;
  readonly weather: Weather;
  readonly trace: string[] = [];
  readonly violations: Violation[] = [];
  /** Requests on the wire that a participant has yet to see or finish. */
  underWay = 0;
  readonly #tracing: boolean;
  readonly #faults: Faults;
  /** Virtual milliseconds; null while faults happen. */
  healedAt: number | null = null;

  constructor(options: WorldOptions) {
    this.production = options.production;
    this.coverage = options.coverage;
    this.#tracing = options.tracing;
    this.chance = new Chance(options.seed, 'world');
    this.weather = drawWeather(this.chance);
    this.#faults = drawFaults(this.chance.stream('faults'), this.weather);
  }

  /** What goes wrong now. */
  get faults(): Faults {
    return this.healed ? noFaults : this.#faults;
  }

  get healed(): boolean {
    return this.healedAt !== null;
  }

  /** Whether, in this run, neither the database nor the processes ever fail. */
  get peaceful(): boolean {
    return this.#faults.store === noFaults.store && this.#faults.process === noFaults.process;
  }

  /** From now on nothing goes wrong any more. */
  heal(): void {
    this.healedAt = this.time.now;
    this.note(() => '── faults stop ──');
  }

  /** True time, as the database's clock shows it. */
  epoch(): EpochMs {
    return this.production.core.epochMs(originMs + Math.floor(this.time.now));
  }

  /** Adds a line to the trace; the text is made only when somebody reads it. */
  note(text: () => string): void {
    if (this.#tracing) this.trace.push(`${(this.time.now / 1000).toFixed(3).padStart(8)}  ${text()}`);
  }

  /** Records a broken invariant; the run ends with the event under way. */
  report(checker: string, message: string): void {
    this.note(() => `VIOLATION ${checker}: ${message}`);
    this.violations.push({ checker, message, at: this.time.now });
  }

  /** A moment for people: seconds since the start. */
  seconds(at: number): string {
    return `${((at - originMs) / 1000).toFixed(3)}s`;
  }
}
