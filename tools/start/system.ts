/** Everything that `npm start` runs: the coordinator and the stages of the examples. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AmendsClient } from '@amends/client';
import type { Example } from '../../examples/stage/example.ts';
import { portError } from '../../examples/stage/ports.ts';
import { Service } from '../../examples/stage/service.ts';
import { createStage, type OpenStage } from '../../examples/stage/stage.ts';
import { findDatabases, type Print } from '../../examples/stage/tell.ts';
import type { Startable } from '../services/kinds.ts';
import { createServices } from '../services/running-services.ts';
import { addressFile, readAddresses, writeAddresses } from './addresses.ts';
import { leftovers, recover } from './leftovers.ts';
import { root, type StartOptions } from './options.ts';
import { checkFolder, checkPorts, PlaceError } from './place.ts';

const command = join(root, 'packages', 'cli', 'bin', 'amends.js');

/** An example on its stage. */
export interface Staged {
  readonly example: Example;
  readonly stage: OpenStage;
  /** Starts its services, where they listened at the last start if they can, and writes down where that is. */
  open(): Promise<void>;
}

/** The running whole. */
export interface System {
  readonly coordinator: Service;
  readonly amends: AmendsClient;
  /**
   * Starts the coordinator, lets what the last run left unfinished end, then clears the examples' databases.
   * @returns the examples on their stages, still to be opened: the first can be told before the last has started
   */
  open(print: Print): Promise<readonly Staged[]>;
  /** Stops all, at any moment. Idempotent. */
  close(): Promise<void>;
}

/** Prepares the whole; nothing runs before `open`. @param onCrash called when a process ends that was not told to */
export function createSystem(options: StartOptions, onCrash: (error: Error) => void): System {
  const logFolder = join(options.dataFolder, 'logs');
  const examplesFolder = join(options.dataFolder, 'examples');
  const server = `http://127.0.0.1:${options.port}`;
  const amends = new AmendsClient({ server });
  const coordinator = createCoordinatorService(options, join(logFolder, 'coordinator.log'), onCrash);
  const services = createServices({ installs: process.env['CI'] === 'true' });
  const databases: Partial<Record<Startable, string>> = {};
  const setStage = (example: Example): Staged => {
    const file = addressFile(options.dataFolder, example);
    const folders = { dataFolder: examplesFolder, logFolder };
    const stage = createStage(example, { amends, server, ...folders, databases, ports: portsIn(file, example), onCrash });
    const open = async () => {
      await stage.open();
      writeAddresses(file, stage.url);
    };
    return { example, stage, open };
  };
  const stages: OpenStage[] = [];
  const setStages = () => {
    const staged = options.examples.map(setStage);
    stages.push(...staged.map(({ stage }) => stage));
    return staged;
  };

  return {
    coordinator,
    amends,
    async open(print) {
      checkFolder(options.dataFolder);
      await checkPorts(listPorts(options));
      const origins = await findOrigins(options);
      mkdirSync(logFolder, { recursive: true });
      for (const example of options.examples) {
        const found = await findDatabases(example, databases, services);
        if (typeof found === 'string') throw new PlaceError(found);
        Object.assign(databases, found);
      }
      await coordinator.start();
      const unfinished = await leftovers(amends, origins);
      if (unfinished.length > 0) {
        const kept = setStages();
        await Promise.all(kept.map((staged) => staged.open()));
        await recover(amends, unfinished, print);
        await Promise.all(kept.map(({ stage }) => stage.close()));
      }
      const staged = setStages();
      for (const { stage } of staged) stage.clear();
      return staged;
    },
    async close() {
      await Promise.all(stages.map((stage) => stage.close()));
      await coordinator.stop();
      await services.stop();
    },
  };
}

function createCoordinatorService(options: StartOptions, logFile: string, onCrash: (error: Error) => void): Service {
  const { port, dataFolder } = options;
  const store = `sqlite:${join(dataFolder, 'amends.db')}`;
  const flags = ['--host', '127.0.0.1', '--grpc-port', `${port + 1}`, '--store', store];
  const args = ['--max-semi-space-size=32', command, 'serve', ...flags];
  return new Service({ name: 'coordinator', args, port, logFile, onCrash });
}

function listPorts({ port }: StartOptions): Map<number, string> {
  return new Map([
    [port, 'the coordinator'],
    [port + 1, "the coordinator's gRPC"],
  ]);
}

function portsIn(file: string, example: Example): Readonly<Record<string, number>> {
  const addresses = Object.entries(readAddresses(file, example));
  return Object.fromEntries(addresses.map(([service, address]) => [service, Number(new URL(address).port)]));
}

/** Where the coordinator listens, and the services listened at the last start, unless somebody else listens there now. */
async function findOrigins({ dataFolder, examples, port }: StartOptions): Promise<Set<string>> {
  const services = examples.flatMap((example) => Object.values(readAddresses(addressFile(dataFolder, example), example)));
  const errors = await Promise.all(services.map((address) => portError(Number(new URL(address).port))));
  const free = services.filter((_, index) => errors[index] === null);
  return new Set([`http://127.0.0.1:${port}`, `http://127.0.0.1:${port + 1}`, ...free]);
}
