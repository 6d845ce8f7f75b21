/** For tests: a store that does some things otherwise. */
import type { Store } from '@amends/store';

const methods = [
  'commit',
  'load',
  'claim',
  'list',
  'history',
  'heartbeat',
  'nodes',
  'documents',
  'audit',
  'purge',
  'ping',
  'close',
] as const;

/** A store with some of its methods replaced; all others are those of `real`. */
export function storeWith(real: Store, changes: Partial<Store>): Store {
  const entries = methods.map((name) => [name, (...args: never[]) => (real[name] as (...all: never[]) => unknown)(...args)]);
  return { capabilities: real.capabilities, ...Object.fromEntries(entries), ...changes } as Store;
}
