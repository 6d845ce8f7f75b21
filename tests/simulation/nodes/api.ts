/** Requests of applications and operators to the coordinators: over a network that loses answers, to processes that die. */
import type { Coordinator } from '@amends/coordinator';
import type { Gid } from '@amends/core';
import type { Said } from '../checks/said.ts';
import { SessionChecks } from '../checks/session-checks.ts';
import type { Chance } from '../world/random.ts';
import type { World } from '../world/world.ts';
import type { Machine } from './machine.ts';
import type { NodeProcess } from './node-process.ts';

export interface Request<T> {
  /** What it is about. */
  readonly gid: Gid;
  /** For people: who asks for what. */
  readonly title: string;
  act(coordinator: Coordinator): Promise<T>;
  /** Hears the answer when it leaves the coordinator, whether or not it arrives. @returns a word on it for the trace */
  left(said: Said<T>): string;
}

/** How long a client waits for an answer. Milliseconds. */
const patienceMs = 30_000;

export class Api {
  readonly machines: readonly Machine[];
  readonly #world: World;
  readonly #chance: Chance;
  readonly #sessions: SessionChecks;

  constructor(world: World, machines: readonly Machine[]) {
    this.#world = world;
    this.#sessions = new SessionChecks(world);
    this.#chance = world.chance.stream('api');
    this.machines = machines;
  }

  /** Asks the machine; `lost` when no answer came: the request may have taken effect or not. */
  ask<T>(machine: Machine, request: Request<T>): Promise<Said<T> | 'lost'> {
    const { time } = this.#world;
    return new Promise((resolve) => {
      const giveUp = time.after(patienceMs, () => resolve('lost'));
      const end = (said: Said<T> | 'lost') => {
        giveUp();
        resolve(said);
      };
      time.after(this.#latencyMs(), () => {
        const { process } = machine;
        if (process === null) return end('lost');
        process.deliver(() => this.#serve(process, request, end));
      });
    });
  }

  #serve<T>(process: NodeProcess, request: Request<T>, end: (said: Said<T>) => void): void {
    this.#world.note(() => `${process.name} is asked: ${request.title}`);
    const hear = this.#sessions.watch(request.gid);
    void this.#said(request.act(process.coordinator)).then((said) => {
      if (!process.acts()) return;
      if ('value' in said) hear(said.value);
      const word = request.left(said);
      this.#world.note(() => `${process.name} answers: ${request.title}: ${word}`);
      if (this.#chance.yes(this.#world.faults.wire.answerLost)) return;
      this.#world.time.after(this.#latencyMs(), () => end(said));
    });
  }

  #said<T>(answer: Promise<T>): Promise<Said<T>> {
    const { isAmendsError } = this.#world.production.core;
    return answer.then(
      (value) => ({ value }),
      (error: unknown) => {
        if (isAmendsError(error)) return { error: error.code };
        this.#world.report('SIM-26', `thrown instead of answered: ${error instanceof Error ? error.stack : String(error)}`);
        return { error: 'internal' };
      },
    );
  }

  #latencyMs(): number {
    return this.#chance.between(0.3, 12);
  }
}
