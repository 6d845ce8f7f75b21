/** What applications of every mode do: ask coordinators, insist, call participants themselves over a network that fails, wait. */
import type { Coordinator, Requested, Submitted, TransactionRequest } from '@amends/coordinator';
import type { Gid, Spec } from '@amends/core';
import type { ApiChecks } from '../checks/api-checks.ts';
import type { Said } from '../checks/said.ts';
import type { Api } from '../nodes/api.ts';
import type { Arriving, Participant, Status } from '../nodes/participant.ts';
import type { Chance } from '../world/random.ts';
import type { World } from '../world/world.ts';

/** What applications work with. */
export interface Surroundings {
  readonly world: World;
  readonly api: Api;
  readonly checks: ApiChecks;
  readonly participants: ReadonlyMap<string, Participant>;
}

const triesMax = 8;
/** How long an application waits for a participant that it calls itself. Milliseconds. */
const callPatienceMs = 5_000;

export class Client {
  readonly gid: Gid;
  readonly chance: Chance;
  readonly around: Surroundings;

  constructor(gid: Gid, around: Surroundings, chance: Chance) {
    this.gid = gid;
    this.around = around;
    this.chance = chance;
  }

  pause(minMs: number, maxMs: number): Promise<void> {
    return this.around.world.time.pause(this.chance.between(minMs, maxMs));
  }

  /** Announces the transaction until somebody has an answer. @returns null when nobody had */
  prepare(spec: Spec): Promise<Submitted | null> {
    const { gid } = this;
    const { checks } = this.around;
    return this.#insist(
      `prepare ${gid} (${spec.mode})`,
      (coordinator) => coordinator.prepare({ gid, spec }),
      (said) => checks.checkPrepare(gid, said),
    );
  }

  /** Begins it by submitting it, or lets it go on. */
  submit(spec: Spec): Promise<Submitted | null> {
    const { gid } = this;
    const { checks } = this.around;
    return this.#insist(
      `submit ${gid} (${spec.mode})`,
      (coordinator) => coordinator.submit({ gid, spec }),
      (said) => checks.checkPrepare(gid, said),
    );
  }

  /** Asks something of it until somebody has an answer. @returns null when nobody had */
  request(request: TransactionRequest): Promise<Requested | null> {
    const { gid } = this;
    const { checks } = this.around;
    return this.#insist(
      `${request.type} ${gid}`,
      (coordinator) => coordinator.request(gid, request),
      (said) => checks.checkRequest(gid, request, said),
    );
  }

  async #insist<T>(
    title: string,
    act: (coordinator: Coordinator) => Promise<T>,
    left: (said: Said<T>) => string,
  ): Promise<T | null> {
    const { api } = this.around;
    for (let tries = 0; tries < triesMax; tries++) {
      const said = await api.ask(this.chance.pick(api.machines), { gid: this.gid, title, act, left });
      if (said !== 'lost' && 'value' in said) return said.value;
      if (said !== 'lost' && (said.error === 'value_refused' || said.error === 'not_found')) return null;
      await this.pause(50, 3_000);
    }
    return null;
  }

  /** Waits for the end now and then. */
  async follow(): Promise<void> {
    const { world, api, checks } = this.around;
    const { gid } = this;
    if (this.chance.yes(0.5)) return;
    const waitMs = this.chance.whole(0, 15_000);
    const mustExist = checks.acknowledged.has(gid);
    const latest = world.time.now + waitMs;
    await api.ask(this.chance.pick(api.machines), {
      gid,
      title: `wait for ${gid}`,
      act: (coordinator) => coordinator.wait(gid, { waitMs }),
      left: (answer) => checks.checkWait({ gid, mustExist, latest }, answer),
    });
  }

  /** Calls a participant itself; `lost` when no answer came: it may have taken effect or not, or will. */
  call(host: string, arriving: Omit<Arriving, 'gid'>): Promise<Status | 'lost'> {
    const { world, participants } = this.around;
    const { wire } = world.faults;
    return new Promise((resolve) => {
      const giveUp = world.time.after(callPatienceMs, () => resolve('lost'));
      if (this.chance.yes(wire.drop)) return;
      const late = this.chance.yes(wire.late) ? this.chance.between(500, 20_000) : 0;
      world.underWay += 1;
      world.time.after(this.chance.between(0.3, 12) + late, () => {
        world.underWay -= 1;
        const participant = participants.get(host)!;
        if (participant.down) return;
        participant.receive({ ...arriving, gid: this.gid }, (status) => {
          if (this.chance.yes(wire.answerLost)) return;
          giveUp();
          resolve(status);
        });
      });
    });
  }
}
