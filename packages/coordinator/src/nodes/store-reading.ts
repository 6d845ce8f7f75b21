/** Readings of the store's health. Each writes to the store, so all who ask within a second share one. */
import type { NodeRow, Store, StoreHealth } from '@amends/store';
import type { Clock } from '../ports/ports.ts';

/** A reading is shared for this long. Milliseconds. */
const toldForMs = 1_000;

/** What one reading found. */
export interface StoreReading {
  /** null: it could not be read and written. */
  readonly store: StoreHealth | null;
  readonly nodes: readonly NodeRow[];
  /** Why not; empty otherwise. */
  readonly trouble: string;
}

/** Makes what reads the store at most once in a second; it never rejects. */
export function sharedReading(store: Pick<Store, 'ping' | 'nodes'>, clock: Clock): () => Promise<StoreReading> {
  let reading: Promise<StoreReading> | null = null;
  let readAt = 0;
  return () => {
    if (reading !== null && clock.now() - readAt < toldForMs) return reading;
    readAt = clock.now();
    reading = read(store);
    return reading;
  };
}

async function read(from: Pick<Store, 'ping' | 'nodes'>): Promise<StoreReading> {
  try {
    const [store, nodes] = await Promise.all([from.ping(), from.nodes()]);
    return { store, nodes, trouble: '' };
  } catch (error) {
    return { store: null, nodes: [], trouble: error instanceof Error ? error.message : String(error) };
  }
}
