/** The scenarios, in the order of `--help`. */
import type { Scenario } from '../scenario.ts';
import { speed } from './speed.ts';

export const scenarios: readonly Scenario[] = [speed];
