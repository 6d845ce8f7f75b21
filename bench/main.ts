/** `npm run bench`: see `--help`. */
import { loadavg } from 'node:os';
import { relative } from 'node:path';
import { help, readOptions, UsageError } from './options.ts';
import { makeReport, reportText, writeReport } from './report/report.ts';
import type { BenchOptions } from './run/bench.ts';
import { withBench } from './run/open-bench.ts';
import { showProgress } from './run/progress.ts';
import { scenarios } from './scenarios/all.ts';

const codes = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interruption.abort());

process.exit(await main(process.argv.slice(2)));

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(args);
    if (options === null) process.stdout.write(help());
    else await run(options);
    return codes.ok;
  } catch (error) {
    if (interruption.signal.aborted) return codes.interrupted;
    if (!(error instanceof Error)) throw error;
    const usage = error instanceof UsageError;
    process.stderr.write(`bench: ${error.message}${usage ? '; see npm run bench -- --help' : ''}\n`);
    return usage ? codes.usage : codes.failed;
  }
}

async function run(options: BenchOptions): Promise<void> {
  const scenario = scenarios.find(({ name }) => name === options.scenario)!;
  const around = { options, progress: showProgress(), signal: interruption.signal };
  const [loadBefore = 0] = loadavg();
  const result = makeReport(options, loadBefore, await withBench(around, (bench) => scenario.run(bench)));
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : reportText(result));
  if (options.out === null) return;
  writeReport(options.out, result);
  process.stderr.write(`written to ${relative(process.cwd(), options.out)}\n`);
}
