/** The services that tests can ask for. */

/** A service that `tools/services` starts, or, for MongoDB, that somebody else has started. */
export type ServiceName = 'postgres' | 'mariadb' | 'redis' | 'mongodb';

/** A service that can be used, or why it cannot. */
export type Available = { readonly url: string } | { readonly missing: string };

/** What runs, and how to end it. */
export interface Running {
  readonly url: string;
  /** Ends it and removes what it has stored. Idempotent. */
  stop(): Promise<void>;
}

/** The services with a recipe here. */
export const startable = ['postgres', 'mariadb', 'redis'] as const;

/** A service with a recipe here. */
export type Startable = (typeof startable)[number];

/** Whether a word names a service with a recipe. */
export function isStartable(name: string): name is Startable {
  return (startable as readonly string[]).includes(name);
}

/** A service that is not to be had on this machine; the message says how to get it. */
export class ServiceMissing extends Error {
  override readonly name = 'ServiceMissing';
}
