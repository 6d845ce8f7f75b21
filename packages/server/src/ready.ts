/** Whether new work may be sent to this server. */
import type { CoordinatorHealth } from '@amends/coordinator';

/** Ready: running, and the store can be written. */
export function isReadyBy({ state, store }: Pick<CoordinatorHealth, 'state' | 'store'>): boolean {
  return state === 'running' && store !== null;
}
