/** All that is promised, in one run: every scenario that has marks, each with processes of its own. */
import type { Findings } from '../report/findings.ts';
import type { Bench } from '../run/bench.ts';
import { backlog } from './backlog.ts';
import { deadHost } from './dead-host.ts';
import { growth } from './growth.ts';
import { idle } from './idle.ts';
import { modes } from './modes.ts';
import type { Scenario } from './scenario.ts';
import { speed } from './speed.ts';
import { tenBranches } from './ten-branches.ts';

const parts: readonly Scenario[] = [speed, tenBranches, modes, idle, backlog, growth, deadHost];

export const marks: Scenario = {
  name: 'marks',
  summary: `all that is promised: ${parts.map(({ name }) => name).join(', ')}, one after the other`,
  takesBaseline: true,
  run,
};

async function run(bench: Bench): Promise<Findings> {
  const found: (readonly [string, Findings])[] = [];
  for (const scenario of parts) found.push([scenario.name, await runAlone(scenario, bench)]);
  return {
    tables: found.flatMap(([name, { tables }]) =>
      tables.map(({ columns: [first, ...rest], rows }) => ({ columns: [first || name, ...rest], rows })),
    ),
    marks: found.flatMap(([, { marks }]) => marks),
    notes: found.flatMap(([name, { notes }]) => notes.map((note) => `${name}: ${note}`)),
    measurements: Object.fromEntries(found.map(([name, { measurements }]) => [name, measurements])),
  };
}

/** Its servers are gone before the next scenario begins. */
async function runAlone(scenario: Scenario, bench: Bench): Promise<Findings> {
  const crew = bench.crew.part();
  try {
    return await scenario.run({ ...bench, crew });
  } finally {
    await crew.close();
  }
}
