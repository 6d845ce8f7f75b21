/** Puts an example on the stage: its services as processes with fresh databases, at addresses that stories can use. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { AmendsClient } from '@amends/client';
import type { Example, Stage } from './example.ts';
import { Service } from './service.ts';

const examplesFolder = join(import.meta.dirname, '..');

/** Where and how to play. */
export interface StageOptions {
  readonly amends: AmendsClient;
  /** Holds `<example>/<service>.db`, made anew. */
  readonly dataFolder: string;
  readonly logFolder: string;
  /** Port of the first service, the others follow; 0: any. */
  readonly firstPort: number;
  /** Called when a service ends that was not killed by a story. */
  readonly onCrash: (error: Error) => void;
  /** More arguments of `node` for every service. */
  readonly nodeArgs?: readonly string[];
}

/** A stage with its curtain. */
export interface OpenStage<Name extends string = string> extends Stage<Name> {
  /** Stops all services. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts all services of an example at once.
 * @throws Error when one of them cannot be started; then none is left running
 */
export async function openStage<Name extends string>(example: Example<Name>, options: StageOptions): Promise<OpenStage<Name>> {
  const folder = join(options.dataFolder, example.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  mkdirSync(options.logFolder, { recursive: true });
  const services = servicesOf(example, folder, options);
  const close = async () => {
    await Promise.all([...services.values()].map((service) => service.stop()));
  };
  const started = await Promise.allSettled([...services.values()].map((service) => service.start()));
  const failure = started.find((result) => result.status === 'rejected');
  if (failure !== undefined) {
    await close();
    throw failure.reason;
  }
  const url = Object.fromEntries([...services].map(([name, service]) => [name, service.url])) as Record<Name, string>;
  return {
    amends: options.amends,
    url,
    kill: (name) => services.get(name)!.kill(),
    restart: (name) => services.get(name)!.start(),
    close,
  };
}

function servicesOf<Name extends string>(example: Example<Name>, folder: string, options: StageOptions): Map<Name, Service> {
  const names = Object.keys(example.services) as Name[];
  const service = (name: Name, index: number) => {
    const { script, args = [] } = example.services[name];
    const file = join(examplesFolder, example.name, script);
    const db = join(folder, `${name}.db`);
    return new Service({
      name: `${example.name}/${name}`,
      args: (port) => [...(options.nodeArgs ?? []), file, '--port', `${port}`, '--db', db, ...args],
      port: options.firstPort === 0 ? 0 : options.firstPort + index,
      logFile: join(options.logFolder, `${example.name}-${name}.log`),
      onCrash: options.onCrash,
    });
  };
  return new Map(names.map((name, index) => [name, service(name, index)]));
}
