/** Shows that work goes on: one line that renews itself on a terminal, a line now and then elsewhere. */
import type { Progress } from './case-result.ts';

const quietMs = 10_000;

/** A progress line that is being shown. */
export interface ProgressLine {
  update(progress: Progress): void;
  /** Takes the line away. */
  end(): void;
}

/** Starts a progress line for a suite of so many cases. */
export function showProgress(name: string, total: number): ProgressLine {
  const terminal = process.stdout.isTTY === true;
  const startedAt = performance.now();
  let latest: Progress = { phase: 'building', done: 0, failed: 0 };
  const show = () => {
    const text = `${name}: ${describe(latest, total)}, ${Math.round((performance.now() - startedAt) / 1000)} s`;
    process.stdout.write(terminal ? `\r\x1b[K${text}` : `${text}\n`);
  };
  const timer = setInterval(show, terminal ? 250 : quietMs);
  return {
    update: (progress) => {
      latest = progress;
    },
    end: () => {
      clearInterval(timer);
      if (terminal) process.stdout.write('\r\x1b[K');
    },
  };
}

function describe({ phase, done, failed }: Progress, total: number): string {
  if (phase === 'building') return 'building (the first time downloads and compiles the client)';
  return `${done} of ${total} done${failed > 0 ? `, ${failed} failed` : ''}`;
}
