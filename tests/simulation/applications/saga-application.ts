/**
 * An application of sagas: submits one and insists until it has an answer; sometimes says it twice, or differently; waits for the
 * end.
 */
import type { Submitted } from '@amends/coordinator';
import type { Gid, SagaSpec } from '@amends/core';
import type { Said } from '../checks/said.ts';
import type { Machine } from '../nodes/machine.ts';
import type { Chance } from '../world/random.ts';
import type { Surroundings } from './client.ts';
import { change, drawSaga } from './saga-maker.ts';

const triesMax = 8;

export class SagaApplication {
  readonly #gid: Gid;
  readonly #spec: SagaSpec;
  readonly #around: Surroundings;
  readonly #chance: Chance;
  #askedAt: Machine | null = null;

  constructor(gid: Gid, around: Surroundings) {
    this.#gid = gid;
    this.#around = around;
    this.#chance = around.world.chance.stream(`application ${gid}`);
    this.#spec = drawSaga(this.#chance);
  }

  /** Resolves when the application wants nothing more. */
  async run(startsWithinMs: number): Promise<void> {
    await this.#pause(0, startsWithinMs);
    const early = this.#chance.yes(0.05) ? this.#follow() : null;
    const twin = this.#chance.yes(0.3) ? this.#sayAgain() : null;
    const acknowledged = await this.#insist();
    await Promise.all([early, twin]);
    if (acknowledged || this.#chance.yes(0.3)) await this.#follow();
    if (acknowledged && this.#chance.yes(0.2)) await this.#submit(this.#spec);
  }

  /** @returns whether the saga is known to be stored */
  async #insist(): Promise<boolean> {
    for (let tries = 0; tries < triesMax; tries++) {
      const said = await this.#submit(this.#spec);
      if (said !== 'lost' && 'value' in said) return true;
      if (said !== 'lost' && said.error === 'value_refused') return false;
      await this.#pause(50, 3_000);
    }
    return false;
  }

  /** The same request once more, or another one under the same gid, at about the same time or later. */
  async #sayAgain(): Promise<void> {
    await this.#pause(0, this.#chance.pick([0, 30, 5_000]));
    await this.#submit(this.#chance.yes(0.6) ? this.#spec : change(this.#chance, this.#spec));
  }

  async #submit(spec: SagaSpec): Promise<Said<Submitted> | 'lost'> {
    const { world, api, checks } = this.#around;
    const gid = this.#gid;
    const machine = this.#chance.pick(api.machines);
    const elsewhere = this.#askedAt !== null && this.#askedAt !== machine;
    this.#askedAt ??= machine;
    checks.submitting(gid);
    const said = await api.ask(machine, {
      gid,
      title: spec === this.#spec ? `submit ${gid} ${this.#shape()}` : `submit ${gid} with other content`,
      act: (coordinator) => coordinator.submit({ gid, spec }),
      left: (answer) => checks.checkSubmit(gid, spec, answer),
    });
    if (said === 'lost') world.coverage.count('api', 'submit answer lost');
    else if (elsewhere && 'value' in said && said.value.verdict === 'repeated')
      world.coverage.count('api', 'submit repeated at the other node');
    return said;
  }

  async #follow(): Promise<void> {
    const { world, api, checks } = this.#around;
    const gid = this.#gid;
    for (let times = this.#chance.whole(0, 3); times > 0; times--) {
      const waitMs = this.#chance.whole(0, 15_000);
      const mustExist = checks.acknowledged.has(gid);
      const askedAt = world.time.now;
      await api.ask(this.#chance.pick(api.machines), {
        gid,
        title: `wait for ${gid}`,
        act: (coordinator) => coordinator.wait(gid, { waitMs }),
        left: (answer) => checks.checkWait({ gid, mustExist, latest: askedAt + waitMs }, answer),
      });
    }
  }

  #pause(minMs: number, maxMs: number): Promise<void> {
    return this.#around.world.time.pause(this.#chance.between(minMs, maxMs));
  }

  /** The saga in one line: `-` calls nothing, `!` pivot, `+` retriable, `<` comes after. */
  #shape(): string {
    const steps = this.#spec.steps.map(({ kind, action, compensate, after }, index) => {
      const mark = { compensatable: compensate === '' ? '-' : '', pivot: '!', retriable: '+' }[kind];
      return `${action === '' ? '-' : ''}${index + 1}${mark}${after.length === 0 ? '' : `<${after.map((n) => n + 1).join(',')}`}`;
    });
    const limit = this.#spec.timeoutMs === null ? '' : ` within ${this.#spec.timeoutMs} ms`;
    return `[${steps.join(' ')}]${limit}`;
  }
}
