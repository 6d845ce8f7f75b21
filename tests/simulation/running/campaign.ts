/** Many seeds, one after the other, until one breaks an invariant. */
import { Coverage } from '../world/coverage.ts';
import type { Production } from '../world/production.ts';
import { type Run, simulate } from './simulate.ts';

/** Which seeds to run, on what. */
export interface CampaignOptions {
  readonly production: Production;
  readonly first: number;
  readonly count: number;
  /** Hears how many are done, after each. */
  readonly onProgress?: (done: number) => void;
  /** Ends the campaign after the seed under way. */
  readonly signal?: AbortSignal;
}

/** What came of it. */
export interface Campaign {
  /** Seeds that were run, the failed one included. */
  readonly done: number;
  readonly coverage: Coverage;
  /** The first run that broke an invariant, with its trace; null: none. */
  readonly failed: Run | null;
}

/** Runs the seeds in order and stops at the first that fails. */
export async function runCampaign(options: CampaignOptions): Promise<Campaign> {
  const { production, first, count, onProgress, signal } = options;
  const coverage = new Coverage();
  for (let done = 1; done <= count; done++) {
    const run = await simulate({ production, seed: first + done - 1, coverage, tracing: false });
    onProgress?.(done);
    if (run.violations.length > 0) return { done, coverage, failed: await traceSeed(production, run.seed) };
    if (signal?.aborted === true) return { done, coverage, failed: null };
  }
  return { done: count, coverage, failed: null };
}

export function traceSeed(production: Production, seed: number): Promise<Run> {
  return simulate({ production, seed, coverage: new Coverage(), tracing: true });
}
