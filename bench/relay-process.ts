/** The floor, as the bench sees it. */
import { join } from 'node:path';
import type { Subject } from './measurement.ts';
import { branchPayload } from './saga-request.ts';
import type { Bench } from './scenario.ts';

/** Starts the relay. */
export async function startRelay({ crew, participants }: Bench): Promise<Subject & { readonly pid: number }> {
  const branchUrls = [participants.first, participants.second] as const;
  const relay = crew.start({ name: 'relay', args: [join(import.meta.dirname, 'relay.mjs'), ...branchUrls, branchPayload] });
  const { url } = await relay.message<{ url: string }>();
  return { name: 'relay (the floor)', url, pid: relay.pid, branchUrls };
}
