/** `npm run sim`: see `command-line.ts` for what it takes and README.md for what it does. */
import { type Campaign, runCampaign, traceSeed } from './running/campaign.ts';
import { type Asked, help, readArguments, UsageError } from './running/command-line.ts';
import { showProgress } from './running/progress-line.ts';
import type { Run } from './running/simulate.ts';
import { loadProduction } from './world/production.ts';

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => interruption.abort());

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    return await act(readArguments(args));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`sim: ${error.message}\n`);
    return 2;
  }
}

async function act(asked: Asked): Promise<number> {
  if (asked.kind === 'help') {
    process.stdout.write(help);
    return 0;
  }
  const production = await loadProduction();
  if (asked.kind === 'trace') return conclude(await traceSeed(production, asked.seed));
  const progress = showProgress(asked.count);
  const { signal } = interruption;
  const campaign = await runCampaign({ production, ...asked, signal, onProgress: progress.update });
  progress.end();
  return report(asked, campaign, progress.seconds());
}

function report({ first }: { readonly first: number }, { done, coverage, failed }: Campaign, seconds: number): number {
  const cut = interruption.signal.aborted ? ', interrupted' : '';
  process.stdout.write(`${coverage.table()}\n\n`);
  process.stdout.write(`seeds ${first} to ${first + done - 1}: ${done} run, ${Math.round(done / seconds)} per second${cut}\n`);
  if (failed !== null) return conclude(failed);
  process.stdout.write('no invariant was broken\n');
  return interruption.signal.aborted ? 1 : 0;
}

/** Prints a trace and its verdict. */
function conclude({ seed, trace, violations }: Run): number {
  const verdict = violations.map(({ checker, message }) => `${checker}: ${message}`).join('\n  ');
  const again = `npm run sim -- --seed ${seed}`;
  process.stdout.write(`${trace.join('\n')}\n\n`);
  process.stdout.write(
    verdict === '' ? `seed ${seed}: no invariant was broken\n` : `seed ${seed} FAILED (${again})\n  ${verdict}\n`,
  );
  return verdict === '' ? 0 : 1;
}
