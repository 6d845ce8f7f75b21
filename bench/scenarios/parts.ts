/** What the parts of a durable saga cost without what decides about it: what no coordinator on them can be cheaper than. */
import { join } from 'node:path';
import { branchPayload } from '../load/saga-request.ts';
import { errorNotes, measureInTurns } from '../meters/measurement.ts';
import type { Findings } from '../report/findings.ts';
import type { Bench } from '../run/bench.ts';
import { startAmends } from '../servers/amends-server.ts';
import { startRelay } from '../servers/relay-process.ts';
import type { Subject } from '../servers/subject.ts';
import { loadTable } from './load-table.ts';
import type { Scenario } from './scenario.ts';

export const parts: Scenario = {
  name: 'parts',
  summary: "what HTTP, a thread and SQLite's commits cost by themselves: a lower bound for any coordinator on them",
  run,
};

const program = join(import.meta.dirname, '..', 'servers', 'parts-process.ts');

async function run(bench: Bench): Promise<Findings> {
  bench.progress.phase('starting');
  const branchUrls = bench.participants.http;
  const amends = { ...(await startAmends({ name: 'amends' }, bench)), branchUrls };
  const subjects = [
    await startRelay(bench, branchUrls),
    await startPart(bench, 'http', "the server's HTTP, nothing stored"),
    await startPart(bench, 'thread', '… and a thread that does nothing'),
    await startPart(bench, 'store', '… and its durable commits'),
    { ...amends, name: 'saga of two branches' },
  ];
  const measured = await measureInTurns(bench, subjects);
  return {
    tables: [loadTable(measured)],
    marks: [],
    notes: errorNotes(measured),
    measurements: { measured },
  };
}

async function startPart({ crew, participants, scratch }: Bench, part: string, name: string): Promise<Subject> {
  const urls = participants.http;
  const file = join(scratch.folder, `${part}.db`);
  const member = crew.start({ name: part, args: [program, part, ...urls, branchPayload, file] });
  const { url } = await member.message<{ url: string }>();
  return { name, url, pid: member.pid, branchUrls: urls };
}
