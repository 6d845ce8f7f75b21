/** Says on standard error what goes on: a line that renews itself on a terminal, a line for each phase elsewhere. */

/** Where progress is shown. */
export interface Progress {
  /** Something new begins. */
  phase(text: string): void;
  /** How far it has come. */
  tick(text: string): void;
  /** Takes the line away. */
  end(): void;
}

/** Progress on standard error. */
export function showProgress(): Progress {
  const terminal = process.stderr.isTTY === true;
  let current = '';
  const renew = (text: string) => process.stderr.write(`\r\x1b[K${text}`);
  return {
    phase(text) {
      current = text;
      if (terminal) renew(text);
      else process.stderr.write(`${text}\n`);
    },
    tick(text) {
      if (terminal) renew(`${current}: ${text}`);
    },
    end() {
      if (terminal) renew('');
    },
  };
}

/** Progress that nobody sees. */
export const silentProgress: Progress = { phase() {}, tick() {}, end() {} };
