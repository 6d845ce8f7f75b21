/** The server's log: pino, one line per transaction, at its end. */
import type { Log, Observer } from '@amends/coordinator';
import type { Transaction } from '@amends/core';
import { destination, type Logger, pino } from 'pino';
import type { Config } from '../config/index.ts';
import { textLine } from './log-text.ts';

/** The log of a process, and how to empty its buffer before the end. */
export interface ServerLog extends Log {
  /** Resolves when everything is written, or cannot be because nobody reads any more. */
  flush(): Promise<void>;
}

/**
 * Opens the log on standard output. Errors are written at once, with all before them; other lines are gathered for up to
 * 250 ms. An error that nobody catches, the end of the process, writes them too; only a kill may take them with it.
 */
export function openLog({ logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>): ServerLog {
  const asText = logFormat === 'text' || (logFormat === 'auto' && process.stdout.isTTY === true);
  const output = destination({ fd: 1, sync: false });
  // Whoever read the log is gone: the server goes on without it.
  output.on('error', () => {});
  const lines = gather((text) => output.write(text));
  const sink = asText ? { write: (line: string) => lines.write(textLine(line)) } : lines;
  const logger = pino({ level: logLevel, base: null, timestamp: isoTime(), formatters }, sink);
  process.on('uncaughtExceptionMonitor', () => {
    lines.flush();
    writeNow(output);
  });
  const flush = () => {
    lines.flush();
    return new Promise<void>((resolve) => output.flush(() => resolve()));
  };
  const error: Log['error'] = (fields, message) => {
    logger.error(fields, message);
    lines.flush();
  };
  return { ...asPort(logger), error, flush };
}

/** Waits until all that was given is written; for the end of the process, when nothing else can be done any more. */
function writeNow(output: ReturnType<typeof destination>): void {
  try {
    output.flushSync();
  } catch {
    // Nobody reads any more.
  }
}

/** The time in each line as `pino.stdTimeFunctions.isoTime` writes it, made once for all lines of a millisecond. */
function isoTime(): () => string {
  let madeFor = 0;
  let text = '';
  return () => {
    const now = Date.now();
    if (now !== madeFor) text = `,"time":"${new Date(now).toISOString()}"`;
    madeFor = now;
    return text;
  };
}

/** So many lines go out together. */
const linesTogether = 100;
/** Lines wait no longer than this. Milliseconds. */
const linesWaitMs = 250;

/**
 * Gathers lines before they are written. The destination could do so itself, but measures all that it holds with each
 * line that comes, which costs more than the line.
 */
function gather(write: (text: string) => void): { write(line: string): void; flush(): void } {
  let lines: string[] = [];
  let timer: NodeJS.Timeout | null = null;
  const flush = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (lines.length > 0) write(lines.join(''));
    lines = [];
  };
  return {
    flush,
    write(line) {
      lines.push(line);
      if (lines.length >= linesTogether) flush();
      else timer ??= setTimeout(flush, linesWaitMs);
    },
  };
}

const formatters = { level: (label: string) => ({ level: label }) };

function asPort(logger: Logger): Omit<Log, 'error'> {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
  };
}

/**
 * Logs each transaction at its end, each hold, and each alarm.
 * @param everyStatus also log how it begins and each change of its status, at level debug
 */
export function logChanges(log: Log, everyStatus: boolean): Observer {
  return ({ previous, next }) => {
    if (next.finishedAt !== null && (previous?.finishedAt ?? null) === null) logEnd(log, next);
    else if (everyStatus && next.status !== previous?.status) logStatus(log, next);
    if (next.hold !== null && (previous?.hold ?? null) === null)
      log.warn({ gid: next.gid, ...next.hold }, 'transaction on hold: needs attention');
    if (next.overdueSince !== null && (previous?.overdueSince ?? null) === null)
      log.warn({ gid: next.gid, status: next.status, ageMs: ageMsOf(next) }, 'transaction overdue: not finished');
  };
}

function logEnd(log: Log, ended: Transaction): void {
  const { gid, mode, status, branches, version, reason } = ended;
  const fields = { gid, mode, branches: branches.length, version, durationMs: ageMsOf(ended) };
  log.info(reason === '' ? fields : { ...fields, reason }, `transaction ${status}`);
}

function logStatus(log: Log, { gid, mode, status, branches, reason }: Transaction): void {
  log.debug({ gid, mode, branches: branches.length, reason }, `transaction ${status}`);
}

function ageMsOf({ createdAt, updatedAt }: Transaction): number {
  return updatedAt - createdAt;
}
