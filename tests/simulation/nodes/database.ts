/**
 * The database that all coordinators share, and the faulty connections to it. A request takes effect at one moment
 * between its sending and its answer, even when its sender has died meanwhile; then the answer finds nobody.
 */
import type { Change, ClaimRequest, CommitAnswer, Store, StoredTransaction } from '@amends/store';
import type { Ledger } from '../checks/ledger.ts';
import type { Chance } from '../world/random.ts';
import type { World } from '../world/world.ts';
import type { NodeProcess } from './node-process.ts';

/** Requests that no checker and no special fault cares about. */
const plainRequests = ['load', 'list', 'history', 'nodes', 'documents', 'audit', 'purge', 'ping'] as const;

export class Database {
  /** Without faults, for the checkers. */
  readonly store: Store;
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #chance: Chance;
  readonly #commitsInFlightMax: number;
  readonly #changesPerCommitMax: number;
  /** Whether it takes a change: the same answer however often it comes. */
  readonly #refusals = new Map<string, boolean>();
  #down = false;

  constructor(world: World, ledger: Ledger) {
    this.#world = world;
    this.#ledger = ledger;
    this.#chance = world.chance.stream('database');
    this.store = world.production.store.openMemoryStore({ now: () => world.epoch() });
    this.#commitsInFlightMax = this.#chance.pick([1, 1, 2, 4]);
    this.#changesPerCommitMax = this.#chance.pick([1, 3, 100]);
    this.#outageLater();
  }

  /** A connection for one process; it dies with it. */
  connect(process: NodeProcess): Store {
    const { store } = this;
    const capabilities = {
      ...store.capabilities,
      durable: true,
      shared: true,
      commitsInFlightMax: this.#commitsInFlightMax,
      changesPerCommitMax: this.#changesPerCommitMax,
    };
    const plain = plainRequests.map((name) => {
      const request = store[name] as (...asked: unknown[]) => Promise<unknown>;
      return [name, (...asked: unknown[]) => this.#send(process, name, () => request.apply(store, asked))];
    });
    return this.#world.production.store.decorated(store, {
      ...(Object.fromEntries(plain) as Pick<Store, (typeof plainRequests)[number]>),
      capabilities,
      // Nothing here changes documents without a transaction.
      commit: (changes) => this.#commit(process, changes as readonly Change[]),
      claim: (request) => this.#claim(process, request),
      heartbeat: (beat) => this.#send(process, 'heartbeat', () => this.#beat(beat)),
      close: () => Promise.resolve(),
    });
  }

  #beat(beat: Parameters<Store['heartbeat']>[0]): ReturnType<Store['heartbeat']> {
    this.#ledger.beat(beat.node, beat.ttlMs);
    return this.store.heartbeat(beat);
  }

  /** A request that either takes effect and is answered, or neither. */
  #send<T>(process: NodeProcess, name: string, effect: () => Promise<T>): Promise<T> {
    const lives = name === 'claim' || name === 'heartbeat' ? process.works() : process.acts();
    if (!lives) return new Promise(() => {});
    return new Promise<T>((resolve, reject) => {
      const refuse = () => this.#answer(process, () => reject(this.#unavailable(name)));
      if (this.#unlucky(this.#world.faults.store.unavailable, 'unavailable before effect')) return refuse();
      this.#world.time.after(this.#delayMs(), () => {
        if (this.#down) return refuse();
        this.#coverLateEffect(process);
        void effect().then((value) => this.#answer(process, () => resolve(value)));
      });
    });
  }

  #claim(process: NodeProcess, request: ClaimRequest): Promise<readonly StoredTransaction[]> {
    const take = async () => {
      const claimed = await this.store.claim(request);
      this.#ledger.enterClaim(claimed, request, process.name);
      return claimed;
    };
    if (!this.#chance.yes(this.#world.faults.store.claimAnswerLost)) return this.#send(process, 'claim', take);
    if (!process.works()) return new Promise(() => {});
    return new Promise((_, reject) =>
      this.#loseAnswer(take, () => this.#answer(process, () => reject(this.#unavailable('claim')))),
    );
  }

  /** A claim takes effect, and its sender hears of an error or of nothing. */
  #loseAnswer(take: () => Promise<unknown>, refuse: () => void): void {
    const how = this.#chance.pick([
      'answered by an error after its effect',
      'answered by an error before its effect',
      'never answered',
    ]);
    this.#world.coverage.count('store faults', `claim ${how}`);
    this.#world.note(() => `database: a claim is ${how}`);
    if (how === 'answered by an error before its effect') refuse();
    this.#later(() => {
      void take();
      if (how === 'answered by an error after its effect') refuse();
    });
  }

  #commit(process: NodeProcess, changes: readonly Change[]): Promise<readonly CommitAnswer[]> {
    if (!process.acts()) return new Promise(() => {});
    const { unavailable, unknownApplied, unknownNotApplied, unknownAppliedLater } = this.#world.faults.store;
    return new Promise((resolve, reject) => {
      const apply = () => this.#apply(process, changes);
      const answer = (answers: readonly CommitAnswer[]) => this.#answer(process, () => resolve(answers));
      const unknown = () => answer(changes.map(() => ({ fate: 'unknown' })));
      const refuse = () => this.#answer(process, () => reject(this.#unavailable('commit')));
      if (this.#unlucky(unavailable, 'unavailable before effect')) return refuse();
      if (this.#unlucky(unknownNotApplied, 'unknown, not applied')) return unknown();
      if (this.#unlucky(unknownAppliedLater, 'unknown, applied later')) {
        this.#later(() => void apply());
        return unknown();
      }
      const loseAnswer = this.#unlucky(unknownApplied, 'unknown, applied');
      this.#world.time.after(this.#delayMs(), () => {
        if (this.#down) return refuse();
        this.#coverLateEffect(process);
        void apply().then((answers) => (loseAnswer ? unknown() : answer(answers)));
      });
    });
  }

  /** The database still works on what its connection has given up. */
  #later(run: () => void): void {
    this.#world.underWay += 1;
    this.#world.time.after(this.#chance.between(1, 3_000), () => {
      this.#world.underWay -= 1;
      run();
    });
  }

  /** The moment at which the changes take effect. */
  async #apply(process: NodeProcess, changes: readonly Change[]): Promise<readonly CommitAnswer[]> {
    const taken = changes.filter((change) => !this.#refuses(change));
    const answers = await this.store.commit(taken);
    taken.forEach((change, index) => {
      const answer = answers[index]!;
      // No simulated value is one that the store does not take: it is the change that makes no sense.
      if (answer.fate === 'refused')
        this.#world.report('SIM-26', `${change.row.gid}: the store refuses version ${change.row.version}: ${answer.message}`);
      if (answer.fate === 'applied') this.#ledger.enterCommit(change, process.name);
      else this.#noteConflict(process, change, answer.fate);
    });
    let next = 0;
    return changes.map((change) =>
      this.#refuses(change) ? { fate: 'refused', message: 'a value that this database does not take' } : answers[next++]!,
    );
  }

  #refuses(change: Change): boolean {
    const name = nameOf(change);
    const refuses = this.#refusals.get(name) ?? this.#unlucky(this.#world.faults.store.refused, 'refused');
    this.#refusals.set(name, refuses);
    return refuses;
  }

  #noteConflict(process: NodeProcess, change: Change, outcome: string): void {
    const { owner } = this.#ledger.entries.get(change.row.gid)?.tx ?? { owner: null };
    this.#world.coverage.count('store faults', outcome);
    if (owner !== null && owner !== process.node) this.#world.coverage.count('process faults', 'zombie sent a stale commit');
    this.#world.note(() => `database: ${outcome} for ${process.name} on ${change.row.gid} v${change.row.version}`);
  }

  #answer(process: NodeProcess, run: () => void): void {
    this.#world.time.after(this.#delayMs(), () => process.deliver(run));
  }

  #delayMs(): number {
    if (this.#unlucky(this.#world.faults.store.slow, 'slow')) return this.#chance.between(50, 4_000);
    return this.#chance.between(0.2, 5);
  }

  #unlucky(probability: number, name: string): boolean {
    if (!this.#chance.yes(probability)) return false;
    this.#world.coverage.count('store faults', name);
    return true;
  }

  #coverLateEffect(process: NodeProcess): void {
    if (!process.alive) this.#world.coverage.count('store faults', 'effect after the crash of the sender');
  }

  #unavailable(name: string): Error {
    return new this.#world.production.core.AmendsError('store_unavailable', `${name}: the database cannot be reached`);
  }

  #outageLater(): void {
    const { outageEveryMs } = this.#world.faults.store;
    if (outageEveryMs === 0) return;
    this.#world.time.after(this.#chance.between(0.2, 2) * outageEveryMs, () => {
      this.#down = !this.#world.healed;
      if (!this.#down) return;
      this.#world.coverage.count('store faults', 'outage');
      this.#world.note(() => 'database: down');
      this.#world.time.after(this.#chance.between(100, 12_000), () => {
        this.#down = false;
        this.#world.note(() => 'database: up again');
        this.#outageLater();
      });
    });
  }
}

function nameOf({ row }: Change): string {
  return `${row.gid} v${row.version} ${row.owner} ${row.updatedAt} ${row.state}`;
}
