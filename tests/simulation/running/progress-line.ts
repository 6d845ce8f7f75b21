/** Shows that work goes on: one line that renews itself on a terminal, a line now and then elsewhere. */

/** A progress line that is being shown. */
export interface ProgressLine {
  update(done: number): void;
  /** Takes the line away. */
  end(): void;
  /** Since it began. */
  seconds(): number;
}

/** Starts a progress line for so many seeds. */
export function showProgress(total: number): ProgressLine {
  const terminal = process.stdout.isTTY === true;
  const everyMs = terminal ? 250 : 10_000;
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1_000;
  let nextAt = startedAt + everyMs;
  return {
    update(done) {
      if (performance.now() < nextAt) return;
      nextAt = performance.now() + everyMs;
      const text = `${done} of ${total} seeds, ${Math.round(done / seconds())} per second`;
      process.stdout.write(terminal ? `\r\x1b[K${text}` : `${text}\n`);
    },
    end() {
      if (terminal) process.stdout.write('\r\x1b[K');
    },
    seconds,
  };
}
