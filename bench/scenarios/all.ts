/** The scenarios, in the order of `--help`. */

import { backlog } from './backlog.ts';
import { deadHost } from './dead-host.ts';
import { growth } from './growth.ts';
import { idle } from './idle.ts';
import { modes } from './modes.ts';
import { parts } from './parts.ts';
import { profile } from './profile.ts';
import type { Scenario } from './scenario.ts';
import { speed } from './speed.ts';

export const scenarios: readonly Scenario[] = [speed, modes, idle, backlog, growth, deadHost, parts, profile];
