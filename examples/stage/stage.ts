/** Puts an example on the stage: its services as processes with databases of their own, at addresses that stories can use. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { AmendsClient } from '@amends/client';
import type { Startable } from '../../tools/services/kinds.ts';
import type { Example, Stage } from './example.ts';
import { Service, type ServiceEnded } from './service.ts';
import { until } from './until.ts';

const examplesFolder = join(import.meta.dirname, '..');

/** Where and how to play. */
export interface StageOptions {
  readonly amends: AmendsClient;
  /** Address of the coordinator. */
  readonly server: string;
  /** Holds `<example>/<service>.db`. */
  readonly dataFolder: string;
  readonly logFolder: string;
  /** Addresses of the databases that the example needs. */
  readonly databases?: Readonly<Partial<Record<Startable, string>>>;
  /** Where services should listen, by name. Default, and where it is taken: where the kernel says. */
  readonly ports?: Readonly<Record<string, number>>;
  /** Called when a service ends that was not told to. */
  readonly onCrash: (error: ServiceEnded, service: string) => void;
  /** More arguments of `node` for every service. */
  readonly nodeArgs?: readonly string[];
}

/** A stage that can be opened and closed. */
export interface OpenStage<Name extends string = string> extends Stage<Name> {
  readonly services: ReadonlyMap<Name, Service>;
  /** Starts all services at once. @throws Error when one of them cannot be started */
  open(): Promise<void>;
  /** Stops all services, also while they start. Idempotent. */
  close(): Promise<void>;
  /** Removes the services' databases, and nothing else, while no service runs: they begin anew. */
  clear(): void;
}

/** Prepares a stage; nothing runs before `open`. */
export function createStage<Name extends string>(example: Example<Name>, options: StageOptions): OpenStage<Name> {
  const services = createServices(example, options);
  const url = {} as Record<Name, string>;
  return {
    amends: options.amends,
    server: options.server,
    url,
    services,
    kill: (name) => services.get(name)!.kill(),
    restart: (name) => services.get(name)!.start(),
    missed: (gid) => waitForMissedCall(options.amends, gid),
    async open() {
      mkdirSync(join(options.dataFolder, example.name), { recursive: true });
      mkdirSync(options.logFolder, { recursive: true });
      await Promise.all([...services.values()].map((service) => service.start()));
      for (const [name, service] of services) url[name] = service.url;
    },
    async close() {
      await Promise.all([...services.values()].map((service) => service.stop()));
    },
    clear() {
      const databases = [...services.keys()].map((name) => databaseOf(example, name, options));
      for (const file of databases) for (const suffix of filesOfDatabase) rmSync(`${file}${suffix}`, { force: true });
    },
  };
}

/** What SQLite adds to a database's name. */
const filesOfDatabase = ['', '-wal', '-shm', '-journal'];

function databaseOf({ name }: Pick<Example, 'name'>, service: string, { dataFolder }: StageOptions): string {
  return join(dataFolder, name, `${service}.db`);
}

function createServices<Name extends string>(example: Example<Name>, options: StageOptions): Map<Name, Service> {
  const names = Object.keys(example.services) as Name[];
  const service = (name: Name) => {
    const { script, args = [], asksServer = false, uses = [] } = example.services[name];
    const server = asksServer ? ['--server', options.server] : [];
    const databases = uses.flatMap((database) => [`--${database}`, options.databases?.[database] ?? '']);
    const file = join(examplesFolder, example.name, script);
    const db = databaseOf(example, name, options);
    return new Service({
      name: `${example.name}/${name}`,
      args: [...(options.nodeArgs ?? []), file, '--db', db, ...server, ...databases, ...args],
      port: options.ports?.[name] ?? 0,
      logFile: join(options.logFolder, `${example.name}-${name}.log`),
      onCrash: (error) => options.onCrash(error, name),
    });
  };
  return new Map(names.map((name) => [name, service(name)]));
}

async function waitForMissedCall(amends: AmendsClient, gid: string): Promise<void> {
  await until(`a call of ${gid} without an answer`, async () =>
    (await amends.history(gid)).some(({ outcome }) => outcome === 'unknown'),
  );
}
