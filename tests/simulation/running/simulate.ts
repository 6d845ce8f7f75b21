/** One run: everything that one seed leads to, from the first request to the judgement. */
import type { CoordinatorHealth } from '@amends/coordinator';
import type { Gid } from '@amends/core';
import { runApplication } from '../applications/application.ts';
import type { Surroundings } from '../applications/client.ts';
import { Operator } from '../applications/operator.ts';
import { hosts, openingBalances } from '../applications/saga-maker.ts';
import { ApiChecks } from '../checks/api-checks.ts';
import { CallChecks } from '../checks/call-checks.ts';
import { Ledger } from '../checks/ledger.ts';
import { Api } from '../nodes/api.ts';
import { Database } from '../nodes/database.ts';
import { Machine } from '../nodes/machine.ts';
import { Participant } from '../nodes/participant.ts';
import { drawSettings } from '../nodes/settings.ts';
import { Wire } from '../nodes/wire.ts';
import { type Violation, World, type WorldOptions } from '../world/world.ts';
import { checkSettlement, type Remains } from './settlement.ts';

/** What came of one seed. */
export interface Run {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** Empty unless asked for. */
  readonly trace: readonly string[];
}

/** After the faults everything must be finished within this, the longest retry pause included. Milliseconds. */
const settleWithinMs = 240_000;

/** Runs one seed to its end. The same production and seed give the same run, to the last byte of the trace. */
export async function simulate(options: WorldOptions): Promise<Run> {
  const world = new World(options);
  world.note(() => `seed ${options.seed}, weather: ${world.weather}`);
  const stopListening = listenForBugs(world);
  try {
    await live(world);
  } catch (error) {
    world.report('SIM-26', error instanceof Error ? error.stack! : String(error));
  } finally {
    // Promises that nobody catches are reported once the microtasks are done.
    await new Promise((resolve) => setImmediate(resolve));
    stopListening();
  }
  return { seed: options.seed, violations: world.violations, trace: world.trace };
}

/** Everything that lives in one world. */
interface Scene extends Remains {
  readonly machines: readonly Machine[];
  readonly around: Surroundings;
}

async function live(world: World): Promise<void> {
  const scene = build(world);
  const faultsEndAtMs = world.chance.between(4_000, 40_000);
  const busy = sendApplications(scene, faultsEndAtMs * 0.7);
  world.time.after(faultsEndAtMs, () => {
    world.heal();
    for (const machine of scene.machines) machine.recover();
  });
  const atRest = () => world.healed && busy() === 0 && world.underWay === 0 && scene.ledger.unfinished === 0;
  const tooLong = () => world.time.now > faultsEndAtMs + settleWithinMs;
  await world.time.run(() => world.violations.length > 0 || atRest() || tooLong());
  if (world.violations.length === 0) await checkSettlement(scene);
  if (world.violations.length === 0 && world.chance.yes(0.15)) await checkEmptyHands(scene);
}

function build(world: World): Scene {
  const ledger = new Ledger(world);
  const database = new Database(world, ledger);
  const participants = new Map(hosts.map((host) => [host as string, openParticipant(world, host)]));
  const wire = new Wire(world, new CallChecks(world, ledger), participants);
  const settings = drawSettings(world.chance);
  const names = ['A', 'B', 'C'].slice(0, world.chance.pick([1, 2, 2, 2, 3]));
  const machines = names.map((name) => new Machine(world, name, { database, wire, settings }));
  const checks = new ApiChecks(world, ledger);
  const around = { world, api: new Api(world, machines), checks, participants };
  new Operator(around, ledger).start();
  return { world, ledger, database, checks, participants, machines, around, crowded: settings.liveMax < 10 };
}

/** @returns how many of them still want something */
function sendApplications({ world, around }: Scene, startWithinMs: number): () => number {
  let busy = world.chance.whole(1, 6);
  for (let number = busy; number > 0; number--) {
    void runApplication(`g${number}` as Gid, around, startWithinMs).then(() => {
      busy -= 1;
    });
  }
  return () => busy;
}

/** A node learns at its next wake, at most this far off, that others have finished what it thinks it drives. Milliseconds. */
const emptyWithinMs = 45_000;

/** No coordinator holds on to anything long after all is finished. Takes time, so not every run looks. */
async function checkEmptyHands({ world, machines }: Scene): Promise<void> {
  const until = world.time.now + emptyWithinMs;
  await world.time.run(() => world.time.now > until);
  for (const { process } of machines) {
    let health: CoordinatorHealth | null = null;
    void process?.coordinator.health().then((answer) => {
      health = answer;
    });
    await world.time.run(() => process === null || health !== null);
    checkEmpty(world, process?.name, health);
  }
}

function checkEmpty(world: World, name: string | undefined, health: CoordinatorHealth | null): void {
  if (health === null) return;
  const { live, calling, uncommitted } = health;
  if (live + calling + uncommitted > 0)
    world.report('SIM-25', `${name} still holds ${live} transactions, ${calling} calls, ${uncommitted} changes`);
}

function openParticipant(world: World, host: string): Participant {
  const participant = new Participant(world, host);
  for (const [account, balance] of Object.entries(openingBalances)) participant.accounts.set(account, balance);
  return participant;
}

function listenForBugs(world: World): () => void {
  const caught = (error: unknown) => world.report('SIM-26', error instanceof Error ? error.stack! : String(error));
  process.on('unhandledRejection', caught);
  return () => process.off('unhandledRejection', caught);
}
