/** What scenarios are. */

import type { Findings } from '../report/findings.ts';
import type { Bench } from '../run/bench.ts';

/** One question put to Amends. */
export interface Scenario {
  readonly name: string;
  /** One line for `--help`. */
  readonly summary: string;
  /** Whether it can measure a baseline beside. Default: no. */
  readonly takesBaseline?: boolean;
  run(bench: Bench): Promise<Findings>;
}
