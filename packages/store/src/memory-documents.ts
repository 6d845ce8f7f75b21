/** The small documents of the memory store, each with its own compare-and-swap. */
import type { DocumentChange, StoredDocument } from './store.ts';

/** Documents by kind and key. `allow` and `apply` make one compare-and-swap while nothing else runs between them. */
export class MemoryDocuments {
  readonly #byName = new Map<string, StoredDocument>();

  /** Whether all expectations hold. */
  allow(changes: readonly DocumentChange[]): boolean {
    return changes.every((change) => (this.#byName.get(nameOf(change))?.version ?? 0) === change.expectedVersion);
  }

  /** Does what `allow` has allowed. */
  apply(changes: readonly DocumentChange[]): void {
    for (const { kind, key, expectedVersion, content } of changes) {
      if (content === null) this.#byName.delete(nameOf({ kind, key }));
      else this.#byName.set(nameOf({ kind, key }), Object.freeze({ kind, key, version: expectedVersion + 1, content }));
    }
  }

  /** Those of one kind, or one of them, by key. */
  list(kind: string, key?: string): readonly StoredDocument[] {
    return [...this.#byName.values()]
      .filter((document) => document.kind === kind && (key === undefined || document.key === key))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }
}

function nameOf(document: { readonly kind: string; readonly key: string }): string {
  return JSON.stringify([document.kind, document.key]);
}
