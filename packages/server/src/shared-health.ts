/** The coordinator's health for those who ask often: each reading writes to the store, so they share one. */
import type { Coordinator, CoordinatorHealth } from '@amends/coordinator';

/** A reading is told for so long. Milliseconds. */
const toldForMs = 1_000;

/** Asks for the health, at most once in a second. */
export type AskHealth = () => Promise<CoordinatorHealth>;

/** Makes it. @param now milliseconds of a clock that only goes forward; default: the process's own */
export function sharedHealth(coordinator: Pick<Coordinator, 'health'>, now = () => performance.now()): AskHealth {
  let reading: Promise<CoordinatorHealth> | null = null;
  let readAt = 0;
  return () => {
    if (reading !== null && now() - readAt < toldForMs) return reading;
    readAt = now();
    reading = coordinator.health();
    return reading;
  };
}

/** Ready: running, and the store can be written. */
export function isReadyBy({ state, store }: Pick<CoordinatorHealth, 'state' | 'store'>): boolean {
  return state === 'running' && store !== null;
}
