/** The smallest possible run: that figures come out, never what they are. */
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { nobody } from './load/saga-request.ts';
import { measureInTurns } from './meters/measurement.ts';
import { readOptions, UsageError } from './options.ts';
import { root } from './processes/scratch.ts';
import { makeReport, reportText } from './report/report.ts';
import { withBench } from './run/open-bench.ts';
import { silentProgress } from './run/progress.ts';
import { modes } from './scenarios/modes.ts';
import { speed } from './scenarios/speed.ts';
import { tenBranches } from './scenarios/ten-branches.ts';
import { startRelay } from './servers/relay-process.ts';

const options = readOptions(['--rounds', '1', '--seconds', '0.2', '--connections', '4', '--no-out'])!;

function around({ signal = new AbortController().signal, baseline = null as string | null } = {}) {
  return { options: { ...options, baseline }, progress: silentProgress, signal };
}

test('the scenario speed measures the relay, sagas of two branches and sagas that call nobody', async () => {
  const result = makeReport(options, 0, await withBench(around(), (bench) => speed.run(bench)));
  const [figures] = result.tables;
  expect(figures?.rows.map(([name]) => name)).toEqual(['relay (the floor)', 'saga of two branches', 'saga that calls nobody']);
  expect(result.notes).toEqual([]);
  expect(result.marks.map(({ name }) => name)).toEqual(['CPU per saga', 'throughput', 'p99', 'peak RSS']);
  if (process.platform === 'linux') expect(result.marks.every(({ value }) => Number(value) > 0)).toBe(true);
  expect(reportText(result)).toContain('saga of two branches');
  expect(JSON.parse(JSON.stringify(result))).toMatchObject({ options: { rounds: 1 }, tables: [{}, {}] });
});

test('the scenario ten-branches counts the commits that contain a saga, and those that a single one waits for', async () => {
  const { tables, marks, notes } = await withBench(around(), (bench) => tenBranches.run(bench));
  const [load, quiet] = tables;
  expect(load?.rows.map(([name]) => name)).toEqual(['relay (the floor)', 'saga of ten branches']);
  // One for each answer would be eleven. A saga that takes long on a busy machine makes more than two.
  const commits = Number(quiet?.rows[0]?.[quiet.columns.indexOf('commits/saga')]);
  expect(commits).toBeGreaterThanOrEqual(2);
  expect(commits).toBeLessThan(6);
  if (!notes.some((note) => note.includes('strace')))
    expect(Number(quiet?.rows[0]?.[quiet.columns.indexOf('syncs/saga')])).toBeGreaterThanOrEqual(2);
  expect(marks.map(({ name }) => name)).toEqual(['CPU of ten branches', 'commits of ten branches']);
});

test('a baseline is measured in the same rounds, and each figure is shown beside it with their quotient', async () => {
  const { tables, notes } = await withBench(around({ baseline: root }), (bench) => speed.run(bench));
  expect(notes).toEqual([]);
  expect(tables[0]?.rows.map(([name]) => name)).toContain('baseline, saga of two branches');
  const { columns, rows } = tables.at(-1)!;
  expect(columns).toEqual(['against the baseline', 'baseline', 'now', 'now / baseline']);
  expect(rows.map(([name]) => name?.replace('saga of two branches: ', ''))).toEqual([
    'per second',
    'CPU µs',
    'p50 ms',
    'p99 ms',
    'commits',
    'batches',
    'bytes written',
    'RSS MB, peak',
    'RSS MB, at the end',
  ]);
  if (process.platform === 'linux') expect(rows.flatMap(([, ...figures]) => figures)).not.toContain('-');
});

test('subjects are measured in turns, every other round backwards', async () => {
  const turns: string[] = [];
  const progress = { ...silentProgress, phase: (text: string) => turns.push(text) };
  await withBench({ ...around(), progress }, async (bench) => {
    const relay = await startRelay(bench, nobody);
    await measureInTurns({ ...bench, options: { ...options, rounds: 2 } }, [
      { ...relay, name: 'one' },
      { ...relay, name: 'other' },
    ]);
  });
  expect(turns.slice(-4)).toEqual(['round 1 of 2, one', 'round 1 of 2, other', 'round 2 of 2, other', 'round 2 of 2, one']);
});

test('the scenario modes measures each mode and gRPC beside its relay', async () => {
  const { tables, marks, notes } = await withBench(around(), (bench) => modes.run(bench));
  expect(tables[0]?.rows.map(([name]) => name)).toEqual(['saga', 'msg', 'tcc', 'xa', 'workflow', 'grpc-saga']);
  expect(notes).toEqual([]);
  expect(marks.every(({ value }) => Number(value) > 0)).toBe(true);
});

test('a run that is interrupted leaves no process and no folder behind', async () => {
  const interruption = new AbortController();
  const seen = { pid: 0, folder: '' };
  const run = withBench(around(interruption), async ({ crew, scratch }) => {
    const member = crew.start({ name: 'endless', args: ['--eval', 'setInterval(() => {}, 1000); process.send({})'] });
    await member.message();
    Object.assign(seen, { pid: member.pid, folder: scratch.folder });
    interruption.abort();
    await member.lost;
  });
  await expect(run).rejects.toThrow('aborted');
  expect(existsSync(seen.folder)).toBe(false);
  expect(() => process.kill(seen.pid, 0)).toThrow('ESRCH');
});

test('a part of the processes may go earlier, and goes with all of them at the latest', async () => {
  const pids: number[] = [];
  await withBench(around(), async ({ crew }) => {
    for (const part of [crew.part(), crew.part()]) {
      const member = part.start({ name: 'endless', args: ['--eval', 'setInterval(() => {}, 1000); process.send({})'] });
      await member.message();
      pids.push(member.pid);
      if (pids.length === 1) await part.close();
    }
    expect(() => process.kill(pids[0]!, 0)).toThrow('ESRCH');
    expect(process.kill(pids[1]!, 0)).toBe(true);
  });
  expect(() => process.kill(pids[1]!, 0)).toThrow('ESRCH');
});

test.for([
  [['--rounds', '0'], '--rounds "0"'],
  [['--seconds', 'soon'], '--seconds "soon"'],
  [['--scenario', 'luck'], '--scenario "luck"'],
  [['--target', '127.0.0.1:36789'], '--target "127.0.0.1:36789"'],
  [['--fast'], '--fast'],
  [['--scenario', 'speed', '--baseline', '/nowhere'], '--baseline "/nowhere": expected the root of a checkout'],
  [['--scenario', 'idle', '--baseline', root], '--baseline goes with --scenario marks, speed'],
  [['--scenario', 'speed', '--baseline', root, '--fsync-ms', '5'], '--baseline goes with neither --target nor --fsync-ms'],
  [['--scenario', 'modes', '--strace'], '--strace goes with --scenario speed'],
] as const)('%j is refused, naming what is wrong', ([args, named]) => {
  expect(() => readOptions(args)).toThrow(UsageError);
  expect(() => readOptions(args)).toThrow(named);
});
