/** What an example consists of: services, each a process with its own database, and stories about them. */
import type { AmendsClient } from '@amends/client';
import type { Startable } from '../../tools/services/kinds.ts';

/** A system of services with the stories it can tell. */
export interface Example<Name extends string = string> {
  /** The name of its folder. */
  readonly name: string;
  /** What it needs beside Node. Default: nothing. */
  readonly databases?: readonly Startable[];
  /** One process each, by name. */
  readonly services: Readonly<Record<Name, ServiceScript>>;
  /** They are told in this order, and each begins where the one before has ended. */
  readonly stories: readonly Story<Name>[];
}

/** How a service is started; `--port` and `--db` are added. */
export interface ServiceScript {
  /** File in the example's folder. */
  readonly script: string;
  readonly args?: readonly string[];
  /** true: it calls the coordinator itself, so `--server` is added too. */
  readonly asksServer?: true;
  /** Databases that it is told of: `--redis URL`, and so on. */
  readonly uses?: readonly Startable[];
}

/** One thing that can happen to a system. */
export interface Story<Name extends string = string> {
  readonly title: string;
  /**
   * Lets it happen and asserts that it ended as the title says.
   * @throws AssertionError when it did not
   */
  play(stage: Stage<Name>): Promise<Ending>;
}

/** What a story works with. */
export interface Stage<Name extends string = string> {
  readonly amends: AmendsClient;
  /** Address of the coordinator, for what the client does not do. */
  readonly server: string;
  /** Where each service listens. */
  readonly url: Readonly<Record<Name, string>>;
  /** SIGKILL, as a power cut. Resolves when the process is gone. */
  kill(service: Name): Promise<void>;
  /** Starts a killed service again, at the same address, on the same database. */
  restart(service: Name): Promise<void>;
  /** Resolves when a call of the transaction has found the service down. */
  missed(gid: string): Promise<void>;
}

/** How a story ended. */
export interface Ending {
  /** The transaction to show. */
  readonly gid: string;
  /** The system afterwards: balances, stock, bookings; for people. */
  readonly state: Readonly<Record<string, string | number>>;
}
