/** A store that can be told to fail, as when its disk is full or its database away. */
import { AmendsError } from '@amends/core';
import { decorated, type Store } from '@amends/store';

/** The store and its switch. */
export interface FailingStore {
  readonly store: Store;
  /** What fails from now on: nothing, writing, or everything. */
  fail(what: 'nothing' | 'writing' | 'everything'): void;
}

/** Decorates a store; it works until it is told to fail. */
export function failingStore(inner: Store): FailingStore {
  let failing: 'nothing' | 'writing' | 'everything' = 'nothing';
  const write = <T>(act: () => Promise<T>) => (failing === 'nothing' ? act() : refuse<T>());
  const read = <T>(act: () => Promise<T>) => (failing === 'everything' ? refuse<T>() : act());
  const store = decorated(inner, {
    commit: (changes) => write(() => inner.commit(changes)),
    load: (gids) => read(() => inner.load(gids)),
    claim: (request) => write(() => inner.claim(request)),
    list: (query) => read(() => inner.list(query)),
    history: (gid, page) => read(() => inner.history(gid, page)),
    heartbeat: (beat) => write(() => inner.heartbeat(beat)),
    nodes: () => read(() => inner.nodes()),
    documents: (kind, key) => read(() => inner.documents(kind, key)),
    audit: (query) => read(() => inner.audit(query)),
    purge: (request) => write(() => inner.purge(request)),
    ping: () => write(() => inner.ping()),
  });
  return {
    store,
    fail(what) {
      failing = what;
    },
  };
}

function refuse<T>(): Promise<T> {
  return Promise.reject(new AmendsError('store_unavailable', 'the disk is full'));
}
