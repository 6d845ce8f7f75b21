/**
 * One run of a coordinator process, as an operating system sees it: everything that the coordinator does to the outside
 * goes through `acts`, everything that comes in through `deliver`. A dead process does nothing and hears nothing; a
 * paused one hears everything later, when it is resumed.
 */
import type { Clock, Coordinator, CoordinatorOptions, Log, Random, Timers } from '@amends/coordinator';
import type { NodeId } from '@amends/core';
import type { Chance } from '../world/random.ts';
import type { World } from '../world/world.ts';

export class NodeProcess {
  /** For people: `A1` is the first process of the first machine. */
  readonly name: string;
  readonly node: NodeId;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
  /** Set by whoever starts it. */
  coordinator!: Coordinator;
  readonly #world: World;
  #alive = true;
  #silent = false;
  #pausedAt: number | null = null;
  #inbox: (() => void)[] = [];
  #actsLeft = Number.POSITIVE_INFINITY;
  readonly #ended: () => void;

  /** @param ended called when it dies */
  constructor(world: World, name: string, ended: () => void) {
    this.#world = world;
    this.#ended = ended;
    this.name = name;
    this.node = world.production.core.nodeId(`node-${name}`);
    const chance = world.chance.stream(`process ${name}`);
    const lagMs = chance.between(0, 15);
    this.clock = { now: () => world.production.core.epochMs(Math.floor(world.epoch() - lagMs)) };
    this.timers = {
      after: (delayMs, wake) => this.#after(delayMs, wake, () => this.#timerErrorMs(chance)),
      soon: (wake) => this.#soon(wake),
    };
    this.random = { bytes: (count) => chance.bytes(count), fraction: () => chance.fraction() };
    const log = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) =>
      world.note(() => `${name} logs ${level}: ${message} ${describe(fields)}`);
    this.log = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  }

  /** Everything that a coordinator needs of its host. */
  get ports(): Pick<CoordinatorOptions, 'node' | 'nodeName' | 'clock' | 'timers' | 'random' | 'log'> {
    const { node, name, clock, timers, random, log } = this;
    return { node, nodeName: name, clock, timers, random, log };
  }

  get alive(): boolean {
    return this.#alive;
  }

  get paused(): boolean {
    return this.#pausedAt !== null;
  }

  /** Counts one act that begins something: a claim, a call, a sign of life. @returns whether the process lives to do it */
  works(): boolean {
    if (this.#alive && this.#silent) this.#world.report('SIM-24', `${this.name} works after it has stopped`);
    return this.acts();
  }

  /** From now on work is a fault: the coordinator has said that it has stopped. */
  expectSilence(): void {
    this.#silent = true;
  }

  /** Counts one act on the outside. @returns whether the process lives to do it */
  acts(): boolean {
    if (this.#alive && --this.#actsLeft < 0) {
      this.#world.coverage.count('process faults', 'crash at a port call');
      this.crash('in the middle of a step');
    }
    return this.#alive;
  }

  /** Brings something in. */
  deliver(run: () => void): void {
    if (!this.#alive) return;
    if (this.paused) this.#inbox.push(run);
    else run();
  }

  /** kill -9. */
  crash(why: string): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#inbox = [];
    this.#world.note(() => `${this.name} dies (${why})`);
    this.#ended();
  }

  /** Dies on the act that follows after `acts` others; `Infinity`: not any more. */
  crashSoon(acts: number): void {
    this.#actsLeft = acts;
  }

  /** kill -STOP. */
  pause(): void {
    if (!this.#alive || this.paused) return;
    this.#pausedAt = this.#world.time.now;
    this.#world.note(() => `${this.name} is paused`);
  }

  /** kill -CONT. */
  resume(): void {
    if (!this.#alive || !this.paused) return;
    this.#world.note(() => `${this.name} goes on after ${Math.round(this.#world.time.now - this.#pausedAt!)} ms`);
    this.#pausedAt = null;
    const inbox = this.#inbox;
    this.#inbox = [];
    for (const run of inbox) this.#world.time.after(0, () => this.deliver(run));
  }

  #after(delayMs: number, wake: () => void, errorMs: () => number): () => void {
    if (!this.acts()) return () => {};
    let cancelled = false;
    const cancel = this.#world.time.after(Math.max(1, delayMs) + errorMs(), () => this.deliver(() => cancelled || wake()));
    return () => {
      cancelled = true;
      cancel();
    };
  }

  #soon(wake: () => void): void {
    if (this.acts()) this.#world.time.after(0, () => this.deliver(wake));
  }

  /** Timers come a little early or late by nature, and sometimes very late. */
  #timerErrorMs(chance: Chance): number {
    if (!chance.yes(this.#world.faults.process.lateTimer)) return chance.between(-1, 2);
    this.#world.coverage.count('process faults', 'late timer');
    return chance.between(0, 2_000);
  }
}

function describe(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .map(([key, value]) => `${key}=${value instanceof Error ? value.message : String(value)}`)
    .join(' ');
}
