/** The server's log: pino, one line per change of a transaction's status. */
import type { Log, Observer } from '@amends/coordinator';
import { destination, type Logger, pino } from 'pino';
import type { Config } from './config.ts';
import { textLine } from './log-text.ts';

/** The log of a process, and how to empty its buffer before the end. */
export interface ServerLog extends Log {
  /** Resolves when everything is written, or cannot be because nobody reads any more. */
  flush(): Promise<void>;
}

/** Lines are gathered up to this size before they are written. Bytes. */
const bufferBytes = 16_000;
/** Lines wait no longer than this. Milliseconds. */
const flushEveryMs = 250;

/** Opens the log on standard output. */
export function openLog({ logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>): ServerLog {
  const asText = logFormat === 'text' || (logFormat === 'auto' && process.stdout.isTTY === true);
  const output = destination({ fd: 1, sync: false, minLength: bufferBytes, periodicFlush: flushEveryMs });
  // Whoever read the log is gone: the server goes on without it.
  output.on('error', () => {});
  const sink = asText ? { write: (line: string) => void output.write(textLine(line)) } : output;
  const logger = pino({ level: logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters }, sink);
  return { ...asPort(logger), flush: () => new Promise((resolve) => output.flush(() => resolve())) };
}

const formatters = { level: (label: string) => ({ level: label }) };

function asPort(logger: Logger): Log {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  };
}

/** Logs each change of status, and each hold. */
export function loggedChanges(log: Log): Observer {
  return ({ previous, next }) => {
    if (next.status !== previous?.status) {
      const { gid, status, version } = next;
      if (previous === null) log.info({ gid, mode: next.mode, steps: next.branches.length }, 'transaction submitted');
      if (previous !== null || status !== 'submitted')
        log.info(
          { gid, status, version, durationMs: next.updatedAt - next.createdAt, ...reasonOf(next.reason) },
          `transaction ${status}`,
        );
    }
    if (next.hold !== null && (previous?.hold ?? null) === null)
      log.warn({ gid: next.gid, ...next.hold }, 'transaction on hold: needs attention');
  };
}

function reasonOf(reason: string): { readonly reason?: string } {
  return reason === '' ? {} : { reason };
}
