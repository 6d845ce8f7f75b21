/** An example with its coordinator as processes that can be made to die at any boundary, and that come back at once. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { AmendsClient, type Transaction } from '@amends/client';
import type { Example } from '../../examples/stage/example.ts';
import { freePorts } from '../../examples/stage/ports.ts';
import { Service, ServiceEnded } from '../../examples/stage/service.ts';
import { createStage } from '../../examples/stage/stage.ts';
import type { Startable } from '../../tools/services/kinds.ts';
import { arm, type Death, disarm } from './boundary.ts';

const insistsForMs = 20_000;
const pauseMs = 10;

/** The whole, under test. */
export interface System<Name extends string> {
  readonly amends: AmendsClient;
  readonly url: Readonly<Record<Name, string>>;
  /** A power cut that lasts: the service is gone until `restart`. */
  kill(service: Name): Promise<void>;
  restart(service: Name): Promise<void>;
  /** The process will die so from now on, one death after the other. */
  arm(target: Name | 'coordinator', deaths: readonly Death[]): void;
  disarm(target: Name | 'coordinator'): void;
  /** How often processes have died so far. */
  deaths(): number;
  /** Resolves when every process that has died is back. @throws ServiceEnded when one ended of itself */
  whole(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a coordinator with failpoints and an example's services with failpoints. */
export async function openSystem<Name extends string>(
  example: Example<Name>,
  databases: Readonly<Partial<Record<Startable, string>>> = {},
): Promise<System<Name>> {
  const folder = mkdtempSync(join(tmpdir(), 'amends-failpoints-'));
  const dbOf = (target: string) => join(folder, target === 'coordinator' ? '' : example.name, `${target}.db`);
  const names = Object.keys(example.services);
  const firstPort = await freePorts(1 + names.length);
  const revivals: Promise<void>[] = [];
  // Only the death that was ordered is survived; a process that ends of itself fails the test.
  const comeBack = async (service: Service, error: ServiceEnded): Promise<void> => {
    if (error.how !== 'SIGKILL') throw error;
    await service.start().catch((again: unknown) => {
      if (again instanceof ServiceEnded) return comeBack(service, again);
      throw again;
    });
  };
  const revive = (service: Service, error: ServiceEnded) => {
    revivals.push(comeBack(service, error));
    revivals.at(-1)!.catch(() => {}); // `whole` tells
  };
  const coordinator = new Service({
    name: 'coordinator',
    args: [join(import.meta.dirname, 'coordinator.ts'), '--db', dbOf('coordinator')],
    port: firstPort,
    logFile: join(folder, 'coordinator.log'),
    onCrash: (error) => revive(coordinator, error),
  });
  await coordinator.start();
  const stage = createStage(example, {
    amends: new AmendsClient({ server: coordinator.url, retry: { delayMs: pauseMs, delayMsMax: pauseMs } }),
    server: coordinator.url,
    dataFolder: folder,
    logFolder: folder,
    databases,
    ports: Object.fromEntries(names.map((name, index) => [name, firstPort + 1 + index])),
    nodeArgs: ['--import', join(import.meta.dirname, 'participant.ts')],
    onCrash: (error, name) => revive(stage.services.get(name as Name)!, error),
  });
  await stage.open();
  return {
    amends: stage.amends,
    url: stage.url,
    kill: stage.kill,
    restart: stage.restart,
    arm: (target, deaths) => arm(dbOf(target), deaths),
    disarm: (target) => disarm(dbOf(target)),
    deaths: () => revivals.length,
    async whole() {
      await Promise.all(revivals);
    },
    async close() {
      await stage.close();
      await coordinator.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Does it again until it succeeds, as a caller does whose servers come and go.
 * @throws the last error, when there is no success for 20 s
 */
export async function insist<T>(act: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + insistsForMs;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await setTimeout(pauseMs);
    }
  }
}

/** Reads a list from a service, however often it takes. */
export function rows(url: string): Promise<Record<string, string | number>[]> {
  return insist(async () => (await (await fetch(url)).json()) as Record<string, string | number>[]);
}

/** The transaction at its end, however often the coordinator goes away meanwhile. */
export function waitForEnd(amends: AmendsClient, gid: string): Promise<Transaction> {
  return insist(async () => {
    const transaction = await amends.wait(gid, { waitMs: 1_000 });
    if (transaction.outcome === 'running') throw new Error(`${gid} has not ended: ${JSON.stringify(transaction)}`);
    return transaction;
  });
}
