/** The floor, as the bench sees it. */
import { join } from 'node:path';
import { type BranchUrls, branchPayload } from '../load/saga-request.ts';
import type { Crew } from '../processes/crew.ts';
import type { Bench } from '../run/bench.ts';
import type { Subject } from './subject.ts';

/** A relay that runs. */
type Relay = Subject & { readonly pid: number };

/** Starts the relay. @param branchUrls whom it calls */
export function startRelay({ crew }: Bench, branchUrls: BranchUrls): Promise<Relay> {
  return start(crew, 'relay.mjs', branchUrls);
}

/** Starts the relay over gRPC. */
export function startGrpcRelay({ crew, participants }: Bench): Promise<Relay> {
  return start(crew, 'grpc-relay.mjs', participants.grpc);
}

async function start(crew: Crew, program: string, branchUrls: BranchUrls): Promise<Relay> {
  const relay = crew.start({ name: program, args: [join(import.meta.dirname, program), ...branchUrls, branchPayload] });
  const { url } = await relay.message<{ url: string }>();
  return { name: 'relay (the floor)', url, pid: relay.pid, branchUrls };
}
