/** What every decorator of a store is made of. */
import type { Store } from './store.ts';

/** The store with some of its methods replaced; all others go to it unchanged. */
export function decorated(store: Store, replaced: Partial<Store>): Store {
  return {
    capabilities: store.capabilities,
    commit: (changes) => store.commit(changes),
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
    ...replaced,
  };
}
