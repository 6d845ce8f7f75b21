/** What all parts of one run share. */

import type { LoadGenerator } from '../load/load-generator.ts';
import type { ParticipantUrls } from '../load/participants.ts';
import type { GidOrder } from '../load/saga-request.ts';
import type { Crew } from '../processes/crew.ts';
import type { Scratch } from '../processes/scratch.ts';
import type { Progress } from './progress.ts';

/** What is to be measured, and how. */
export interface BenchOptions {
  readonly scenario: string;
  readonly rounds: number;
  /** Length of one measurement. */
  readonly seconds: number;
  readonly connections: number;
  readonly gidOrder: GidOrder;
  /** Transactions prepared by `backlog` and `growth`; null: as many as the scenario says. */
  readonly count: number | null;
  /** How much longer every commit takes. Milliseconds. */
  readonly fsyncDelayMs: number;
  readonly strace: boolean;
  /** Root of a built checkout whose server is measured beside; null: none. */
  readonly baseline: string | null;
  /** Root of another server to measure instead of Amends; null: Amends. */
  readonly target: string | null;
  /** Its process; null: its CPU and memory are not measured. */
  readonly targetPid: number | null;
  /** Print the result as JSON instead of as tables. */
  readonly json: boolean;
  /** Where the result is written; null: nowhere. */
  readonly out: string | null;
}

/** What a scenario works with. */
export interface Bench {
  readonly options: BenchOptions;
  readonly scratch: Scratch;
  readonly crew: Crew;
  readonly load: LoadGenerator;
  readonly participants: ParticipantUrls;
  readonly progress: Progress;
}
