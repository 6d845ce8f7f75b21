/** Decorates a store so that commits take longer, as on a slow disk. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Store } from '@amends/store';

/** The store, each of whose commits is answered `delayMs` later. */
export function slowed(store: Store, delayMs: number): Store {
  return {
    capabilities: store.capabilities,
    commit: async (changes) => {
      const answers = await store.commit(changes);
      await pause(delayMs);
      return answers;
    },
    load: (gids) => store.load(gids),
    claim: (request) => store.claim(request),
    list: (query) => store.list(query),
    history: (gid, page) => store.history(gid, page),
    heartbeat: (beat) => store.heartbeat(beat),
    nodes: () => store.nodes(),
    documents: (kind, key) => store.documents(kind, key),
    audit: (query) => store.audit(query),
    purge: (request) => store.purge(request),
    ping: () => store.ping(),
    close: () => store.close(),
  };
}
