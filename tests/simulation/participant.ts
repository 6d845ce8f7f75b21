/**
 * A participant: accounts with money, and a barrier that makes the effect of each call single. The barrier row and the
 * change of the balance belong to one local transaction, here one moment.
 */
import type { BranchCall } from '@amends/coordinator';
import type { Op } from '@amends/core';
import type { Chance } from './random.ts';
import type { World } from './world.ts';

/** What a step moves; the body of its calls. */
export interface Movement {
  readonly account: string;
  /** Added by the action, taken back by the compensation. */
  readonly amount: number;
  /** A refusal is allowed: compensatable steps and the pivot. */
  readonly refusable: boolean;
  /** What cannot be undone must not happen after it was refused: the refusal is remembered. */
  readonly undoable: boolean;
}

/** Statuses that the simulated participants answer with. */
export type Status = 200 | 409 | 425 | 500;

/** An account whose name begins so must not become negative. */
export const flooredPrefix = 'floor-';

export class Participant {
  readonly host: string;
  readonly accounts = new Map<string, number>();
  /** Effects of calls by `gid branch`, in the order they happened. */
  readonly effects = new Map<string, Op[]>();
  readonly #barrier = new Map<string, Op>();
  readonly #ongoing = new Map<string, number>();
  readonly #refused = new Set<string>();
  readonly #world: World;
  readonly #chance: Chance;
  #down = false;

  constructor(world: World, host: string) {
    this.#world = world;
    this.host = host;
    this.#chance = world.chance.stream(`participant ${host}`);
    this.#downLater();
  }

  get down(): boolean {
    return this.#down && !this.#world.healed;
  }

  /** A request arrives; `answer` is called when there is one. */
  receive(request: BranchCall, answer: (status: Status) => void): void {
    const { slow } = this.#world.faults.participant;
    const workMs = this.#lucky(slow, 'slow') ? this.#chance.between(200, 9_000) : this.#chance.between(0.5, 30);
    const effectAt = workMs * this.#chance.fraction();
    this.#world.underWay += 1;
    this.#world.time.after(effectAt, () => {
      const status = this.#handle(request);
      this.#world.time.after(workMs - effectAt, () => {
        this.#world.underWay -= 1;
        answer(status);
      });
    });
  }

  #handle(request: BranchCall): Status {
    const { errorBefore, errorAfter } = this.#world.faults.participant;
    if (this.#lucky(errorBefore, 'error before effect')) return 500;
    if (this.#stillOngoing(request)) return 425;
    const status = this.#throughBarrier(request);
    return status === 200 && this.#lucky(errorAfter, 'error after effect') ? 500 : status;
  }

  /** Work that takes long: asked for again until it is done, or doing itself in the meantime. */
  #stillOngoing(request: BranchCall): boolean {
    if (this.#world.healed) return false;
    const key = keyOf(request, request.op);
    const left = this.#ongoing.get(key);
    if (left === undefined && this.#chance.yes(this.#world.faults.participant.ongoing)) {
      this.#ongoing.set(key, this.#chance.whole(0, 3));
      if (this.#chance.yes(0.3)) this.#finishInBackground(request);
    } else if (left === undefined || left === 0) {
      this.#ongoing.set(key, 0);
      return false;
    } else {
      this.#ongoing.set(key, left - 1);
    }
    this.#world.coverage.reached('participants', 'ongoing');
    return true;
  }

  #finishInBackground(request: BranchCall): void {
    this.#world.underWay += 1;
    this.#world.time.after(this.#chance.between(10, 6_000), () => {
      this.#world.underWay -= 1;
      this.#world.coverage.reached('participants', 'effect in the background');
      this.#throughBarrier(request);
    });
  }

  /** The barrier of `dtm-protocol`, section 5.2: one local transaction. */
  #throughBarrier(request: BranchCall): Status {
    const { op } = request;
    const cover = (name: string) => this.#world.coverage.reached('participants', name);
    const own = keyOf(request, op);
    const origin = op === 'compensate' ? keyOf(request, 'action') : null;
    const nothingToUndo = origin !== null && !this.#barrier.has(origin);
    if (this.#barrier.has(own)) {
      cover(this.#barrier.get(own) === op ? 'repeated (barrier)' : 'hanging action (barrier)');
      return 200;
    }
    if (nothingToUndo) {
      cover('null compensation (barrier)');
      this.#barrier.set(origin, op);
      this.#barrier.set(own, op);
      return 200;
    }
    const movement = movementOf(request.payload);
    if (this.#refused.has(own) || this.#refuses(request, movement)) {
      if (movement.refusable && !movement.undoable) this.#refused.add(own);
      return 409;
    }
    this.#barrier.set(own, op);
    this.#apply(request, movement);
    return 200;
  }

  #refuses({ op }: BranchCall, movement: Movement): boolean {
    const { refuse, refuseWrongly } = this.#world.faults.participant;
    if (op === 'compensate' || !movement.refusable) return this.#lucky(refuseWrongly, 'refused wrongly');
    const short = movement.account.startsWith(flooredPrefix) && (this.accounts.get(movement.account) ?? 0) + movement.amount < 0;
    if (short) this.#world.coverage.reached('participants', 'short of money');
    return short || this.#lucky(refuse, 'refused');
  }

  #apply(request: BranchCall, { account, amount }: Movement): void {
    const { gid, branchId, op } = request;
    const key = `${gid} ${branchId}`;
    const effects = this.effects.get(key) ?? [];
    const signed = op === 'action' ? amount : -amount;
    this.#world.coverage.reached('participants', 'applied');
    this.#world.note(() => `${this.host}: ${gid} ${branchId} ${op} takes effect (${account} ${signed >= 0 ? '+' : ''}${signed})`);
    if (effects.includes(op)) this.#world.violated('I6', `${key} ${op} takes effect twice`);
    if (op === 'action' && effects.includes('compensate'))
      this.#world.violated('I4', `${key}: the action takes effect after its undo`);
    if (op === 'compensate' && !effects.includes('action')) this.#world.violated('I5', `${key}: undone without having been done`);
    effects.push(op);
    this.effects.set(key, effects);
    const balance = (this.accounts.get(account) ?? 0) + signed;
    this.accounts.set(account, balance);
    if (balance < 0 && account.startsWith(flooredPrefix)) this.#world.violated('I10', `${account} becomes ${balance}`);
  }

  #lucky(probability: number, name: string): boolean {
    if (!this.#chance.yes(probability)) return false;
    this.#world.coverage.reached('participants', name);
    return true;
  }

  #downLater(): void {
    const { downEveryMs } = this.#world.faults.participant;
    if (downEveryMs === 0) return;
    this.#world.time.after(this.#chance.between(0.2, 2) * downEveryMs, () => {
      this.#down = true;
      this.#world.note(() => `${this.host}: down`);
      this.#world.time.after(this.#chance.between(500, 15_000), () => {
        this.#down = false;
        this.#world.note(() => `${this.host}: up again`);
        if (!this.#world.healed) this.#downLater();
      });
    });
  }
}

function keyOf({ gid, branchId }: BranchCall, op: Op): string {
  return `${gid} ${branchId} ${op}`;
}

/** The body of a step's calls. */
export function payloadOf(movement: Movement): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(movement));
}

/** What the body of a call says. */
export function movementOf(payload: Uint8Array): Movement {
  return JSON.parse(new TextDecoder().decode(payload)) as Movement;
}
