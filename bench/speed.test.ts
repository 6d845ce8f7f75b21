/** The smallest possible run: that figures come out, never what they are. */
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readOptions, UsageError } from './options.ts';
import { reportText, resultOf } from './report/report.ts';
import { withBench } from './run/open-bench.ts';
import { silentProgress } from './run/progress.ts';
import { modes } from './scenarios/modes.ts';
import { speed } from './scenarios/speed.ts';

const options = readOptions(['--rounds', '1', '--seconds', '0.2', '--connections', '4', '--no-out'])!;

function around(signal = new AbortController().signal) {
  return { options, progress: silentProgress, signal };
}

test('the scenario speed measures the relay, sagas of two branches and sagas that call nobody', async () => {
  const result = resultOf(options, 0, await withBench(around(), (bench) => speed.run(bench)));
  const [figures] = result.tables;
  expect(figures?.rows.map(([name]) => name)).toEqual(['relay (the floor)', 'saga of two branches', 'saga that calls nobody']);
  expect(result.notes).toEqual([]);
  expect(result.marks.map(({ name }) => name)).toEqual(['CPU per saga', 'throughput', 'peak RSS']);
  if (process.platform === 'linux') expect(result.marks.every(({ value }) => Number(value) > 0)).toBe(true);
  expect(reportText(result)).toContain('saga of two branches');
  expect(JSON.parse(JSON.stringify(result))).toMatchObject({ options: { rounds: 1 }, tables: [{}, {}] });
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
  const run = withBench(around(interruption.signal), async ({ crew, scratch }) => {
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

test.for([
  [['--rounds', '0'], '--rounds "0"'],
  [['--seconds', 'soon'], '--seconds "soon"'],
  [['--scenario', 'luck'], '--scenario "luck"'],
  [['--target', '127.0.0.1:36789'], '--target "127.0.0.1:36789"'],
  [['--fast'], '--fast'],
] as const)('%j is refused, naming what is wrong', ([args, named]) => {
  expect(() => readOptions(args)).toThrow(UsageError);
  expect(() => readOptions(args)).toThrow(named);
});
