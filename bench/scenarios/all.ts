/** The scenarios, in the order of `--help`. */

import { backlog } from './backlog.ts';
import { deadHost } from './dead-host.ts';
import { growth } from './growth.ts';
import { idle } from './idle.ts';
import { marks } from './marks.ts';
import { modes } from './modes.ts';
import { parts } from './parts.ts';
import { profile } from './profile.ts';
import type { Scenario } from './scenario.ts';
import { speed } from './speed.ts';
import { tenBranches } from './ten-branches.ts';

export const scenarios: readonly Scenario[] = [marks, speed, tenBranches, modes, idle, backlog, growth, deadHost, parts, profile];
