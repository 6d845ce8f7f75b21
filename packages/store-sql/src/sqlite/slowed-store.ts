/** Decorates a store so that commits take longer, as on a slow disk. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Store } from '@amends/store';

/** The store, each of whose commits is answered `delayMs` later. */
export function slowed(store: Store, delayMs: number): Store {
  const slow: Store = Object.create(store);
  return Object.assign(slow, {
    commit: async (changes) => {
      const answers = await store.commit(changes);
      await pause(delayMs);
      return answers;
    },
  } satisfies Pick<Store, 'commit'>);
}
