/** The floor, as the bench sees it. */
import { join } from 'node:path';
import { type BranchUrls, branchPayload } from '../load/saga-request.ts';
import type { Crew } from '../processes/crew.ts';
import type { Bench } from '../run/bench.ts';
import type { Subject } from './subject.ts';

/** Starts the relay. @param branchUrls whom it calls; default: the two participants over HTTP */
export async function startRelay(
  { crew, participants }: Bench,
  branchUrls: BranchUrls = [participants.first, participants.second],
): Promise<Subject & { readonly pid: number }> {
  return started(crew, 'relay.mjs', branchUrls);
}

/** Starts the relay over gRPC. */
export function startGrpcRelay({ crew, participants }: Bench): Promise<Subject & { readonly pid: number }> {
  return started(crew, 'grpc-relay.mjs', participants.grpc);
}

async function started(crew: Crew, program: string, branchUrls: BranchUrls): Promise<Subject & { readonly pid: number }> {
  const relay = crew.start({ name: program, args: [join(import.meta.dirname, program), ...branchUrls, branchPayload] });
  const { url } = await relay.message<{ url: string }>();
  return { name: 'relay (the floor)', url, pid: relay.pid, branchUrls };
}
