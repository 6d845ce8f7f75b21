/**
 * A participant: accounts with money, and a barrier that makes the effect of each call single. The barrier row and the
 * change of the balance belong to one local transaction, here one moment.
 */
import type { Chance } from '../world/random.ts';
import type { World } from '../world/world.ts';

/** A call as it arrives, from a coordinator or from the application itself. */
export interface Arriving {
  readonly gid: string;
  readonly branchId: string;
  readonly mode: string;
  readonly op: string;
  readonly payload: Uint8Array;
}

/** What a step moves; the body of its calls. */
export interface Movement {
  readonly account: string;
  /** Added by the forward calls, taken back by those that undo. */
  readonly amount: number;
  /** A refusal is allowed: compensatable steps and the pivot. */
  readonly refusable: boolean;
  /** What cannot be undone must not happen after it was refused: the refusal is remembered. */
  readonly undoable: boolean;
}

/** What a call does to the account; in two phases what is taken is taken in the first, what is given in the second. */
type Effect = 'do' | 'undo' | 'reserve' | 'settle' | 'release';

function effectOf({ mode, op }: Arriving): Effect {
  const twoPhases = mode === 'tcc' || mode === 'xa';
  switch (op) {
    case 'try':
      return 'reserve';
    case 'action':
      return twoPhases ? 'reserve' : 'do';
    case 'confirm':
    case 'commit':
      return 'settle';
    case 'cancel':
      return 'release';
    case 'rollback':
      return twoPhases ? 'release' : 'undo';
    default:
      return 'undo';
  }
}

/** Whether a call begins what others settle or undo: only such calls may be refused. */
function isFirst(request: Arriving): boolean {
  const effect = effectOf(request);
  return effect === 'do' || effect === 'reserve';
}

/** How much an effect adds to the account. */
function amountOf(effect: Effect, { amount }: Movement): number {
  switch (effect) {
    case 'do':
      return amount;
    case 'undo':
      return -amount;
    case 'reserve':
      return Math.min(amount, 0);
    case 'settle':
      return Math.max(amount, 0);
    case 'release':
      return -Math.min(amount, 0);
  }
}

/** The forward call that a call undoes; null: it undoes nothing. */
function originOf({ op }: Arriving): string | null {
  return { compensate: 'action', rollback: 'action', cancel: 'try' }[op] ?? null;
}

/** Statuses that the simulated participants answer with. */
export type Status = 200 | 409 | 425 | 500;

/** An account whose name begins so must not become negative. */
export const flooredPrefix = 'floor-';

export class Participant {
  readonly host: string;
  readonly accounts = new Map<string, number>();
  /** Effects of calls by `gid branch`, in the order they happened. */
  readonly effects = new Map<string, string[]>();
  /** What each transaction has added to all accounts here together. */
  readonly added = new Map<string, number>();
  /** Has the workflow of a gid run again. */
  onResume: (gid: string) => void = () => {};
  readonly #barrier = new Map<string, string>();
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
  receive(request: Arriving, answer: (status: Status) => void): void {
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

  #handle(request: Arriving): Status {
    const { errorBefore, errorAfter } = this.#world.faults.participant;
    if (this.#lucky(errorBefore, 'error before effect')) return 500;
    if (this.#stillOngoing(request)) return 425;
    const status = this.#throughBarrier(request);
    return status === 200 && this.#lucky(errorAfter, 'error after effect') ? 500 : status;
  }

  /** Work that takes long: asked for again until it is done, or doing itself in the meantime. */
  #stillOngoing(request: Arriving): boolean {
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
    this.#world.coverage.count('participants', 'ongoing');
    return true;
  }

  #finishInBackground(request: Arriving): void {
    this.#world.underWay += 1;
    this.#world.time.after(this.#chance.between(10, 6_000), () => {
      this.#world.underWay -= 1;
      this.#world.coverage.count('participants', 'effect in the background');
      this.#throughBarrier(request);
    });
  }

  /**
   * The local transaction of a message, its barrier row in it.
   * @returns whether it is committed; not when somebody has asked before whether it was
   */
  commitLocally(gid: string, movement: Movement): boolean {
    const key = `${gid} 00 msg`;
    if (this.#barrier.has(key)) return false;
    this.#barrier.set(key, 'msg');
    this.#apply({ gid, branchId: '00', mode: 'msg', op: 'action', payload: payloadOf(movement) }, movement);
    return true;
  }

  /** Was the local transaction committed? After a no it never will be. */
  #question({ gid }: Arriving): Status {
    const key = `${gid} 00 msg`;
    if (!this.#barrier.has(key)) this.#barrier.set(key, 'rollback');
    return this.#barrier.get(key) === 'msg' ? 200 : 409;
  }

  /** The barrier of `dtm-protocol`, section 5.2: one local transaction. */
  #throughBarrier(request: Arriving): Status {
    const { op } = request;
    if (op === 'msg') return this.#question(request);
    if (op === 'resume') {
      this.onResume(request.gid);
      return 200;
    }
    const cover = (name: string) => this.#world.coverage.count('participants', name);
    const own = keyOf(request, op);
    const before = originOf(request);
    const origin = before === null ? null : keyOf(request, before);
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
      if (movement.refusable && !movement.undoable && isFirst(request)) this.#refused.add(own);
      return 409;
    }
    this.#barrier.set(own, op);
    this.#apply(request, movement);
    return 200;
  }

  #refuses(request: Arriving, movement: Movement): boolean {
    const { refuse, refuseWrongly } = this.#world.faults.participant;
    if (!isFirst(request) || !movement.refusable) return this.#lucky(refuseWrongly, 'refused wrongly');
    const short = movement.account.startsWith(flooredPrefix) && (this.accounts.get(movement.account) ?? 0) + movement.amount < 0;
    if (short) this.#world.coverage.count('participants', 'short of money');
    return short || this.#lucky(refuse, 'refused');
  }

  #apply(request: Arriving, movement: Movement): void {
    const { gid, branchId, op } = request;
    const { account } = movement;
    const key = `${gid} ${branchId}`;
    const effect = effectOf(request);
    const signed = amountOf(effect, movement);
    this.#world.coverage.count('participants', 'applied');
    this.#world.note(() => `${this.host}: ${gid} ${branchId} ${op} takes effect (${account} ${signed >= 0 ? '+' : ''}${signed})`);
    this.#checkOrder(key, op, effect);
    this.effects.set(key, [...(this.effects.get(key) ?? []), op]);
    this.added.set(gid, (this.added.get(gid) ?? 0) + signed);
    const balance = (this.accounts.get(account) ?? 0) + signed;
    this.accounts.set(account, balance);
    if (balance < 0 && account.startsWith(flooredPrefix)) this.#world.report('SIM-10', `${account} becomes ${balance}`);
  }

  /** SIM-4, SIM-5, SIM-6, and SIM-8: what is settled was reserved before, and not released. */
  #checkOrder(key: string, op: string, effect: Effect): void {
    const effects = this.effects.get(key) ?? [];
    const has = (...ops: readonly string[]) => ops.some((other) => effects.includes(other));
    const forward = has('action', 'try');
    const undone = has('compensate', 'cancel', 'rollback');
    if (has(op)) this.#world.report('SIM-6', `${key} ${op} takes effect twice`);
    if ((effect === 'do' || effect === 'reserve') && undone)
      this.#world.report('SIM-4', `${key}: ${op} takes effect after its undo`);
    if ((effect === 'undo' || effect === 'release') && !forward)
      this.#world.report('SIM-5', `${key}: undone without having been done`);
    if (effect === 'settle' && !forward) this.#world.report('SIM-8', `${key}: ${op} without its first phase`);
    if ((effect === 'settle' && undone) || (effect === 'release' && has('confirm', 'commit')))
      this.#world.report('SIM-8', `${key}: both phases two take effect`);
  }

  #lucky(probability: number, name: string): boolean {
    if (!this.#chance.yes(probability)) return false;
    this.#world.coverage.count('participants', name);
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

function keyOf({ gid, branchId }: Arriving, op: string): string {
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
