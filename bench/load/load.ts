/**
 * A process: the load generator. It gets orders by message and answers each with one result. A closed loop: every
 * line begins its next job when the last one is done; or, with `ratePerS`, jobs that fall due one by one,
 * whose latency counts from that moment, so that a server which stalls cannot hide it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { grpcRequests, httpRequests, type JobKind, type RequestsOf } from './jobs.ts';
import { type Line, openGrpcLines, openHttpLines } from './lines.ts';
import { type BranchUrls, type GidOrder, gidMaker } from './saga-request.ts';
import { percentile } from './statistics.ts';

export interface LoadOrder {
  readonly kind: JobKind;
  /** Root of the server; of one for gRPC too, as `http://host:port`. */
  readonly url: string;
  readonly branchUrls: BranchUrls;
  readonly gidOrder: GidOrder;
  readonly connections: number;
  readonly seconds: number;
  /** Jobs per second; null: as many as go. */
  readonly ratePerS: number | null;
}

/** How it went. */
export interface LoadResult {
  /** Jobs whose every request was answered well; sagas, mostly. */
  readonly sagas: number;
  /** Answered otherwise. */
  readonly errors: number;
  /** From the first request to the last answer. */
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What the process says. */
export type LoadMessage =
  | { readonly ready: true }
  | { readonly sagas: number }
  | { readonly result: LoadResult }
  | { readonly failure: string };

const progressEveryMs = 200;
const answersWithinMs = 30_000;

/** Ends the order under way before its time. */
let stop = (): void => {};

process.on('message', (message: LoadOrder | 'stop') => {
  if (message === 'stop') return stop();
  run(message).then(
    (result) => say({ result }),
    (error: Error) => say({ failure: error.message }),
  );
});
// The next order may be long in coming.
process.channel?.ref();
say({ ready: true });

function say(message: LoadMessage): void {
  process.send?.(message);
}

function run(order: LoadOrder): Promise<LoadResult> {
  const { kind, url, branchUrls } = order;
  return kind === 'grpc-saga'
    ? carryOut(order, openGrpcLines, grpcRequests(branchUrls))
    : carryOut(order, openHttpLines, httpRequests(kind, new URL(url), branchUrls));
}

type OpenLines<R> = (url: string, count: number, onBroken: (error: Error) => void) => Promise<readonly Line<R>[]>;

async function carryOut<R>(order: LoadOrder, openLines: OpenLines<R>, requestsOf: RequestsOf<R>): Promise<LoadResult> {
  const broken = Promise.withResolvers<never>();
  const lines = await openLines(order.url, order.connections, broken.reject);
  const tally = new Tally();
  const progress = setInterval(() => say({ sagas: tally.latenciesMs.length }), progressEveryMs);
  try {
    const nextGid = gidMaker(order.gidOrder);
    const nextJob = () => requestsOf(nextGid());
    const startedAt = performance.now();
    const shift = { nextJob, tally, until: startedAt + order.seconds * 1000 };
    stop = () => {
      shift.until = performance.now();
    };
    await Promise.race([work(lines, shift, order.ratePerS), broken.promise, tooLate(order)]);
    return tally.result((performance.now() - startedAt) / 1000);
  } finally {
    clearInterval(progress);
    for (const line of lines) line.close();
  }
}

async function tooLate({ seconds, url }: LoadOrder): Promise<never> {
  await pause(seconds * 1000 + answersWithinMs, undefined, { ref: false });
  throw new Error(`${url} left requests unanswered for ${answersWithinMs / 1000} s`);
}

class Tally {
  readonly latenciesMs: number[] = [];
  errors = 0;

  add(isDone: boolean, latencyMs: number): void {
    if (isDone) this.latenciesMs.push(latencyMs);
    else this.errors += 1;
  }

  result(seconds: number): LoadResult {
    const { latenciesMs, errors } = this;
    return {
      sagas: latenciesMs.length,
      errors,
      seconds,
      p50Ms: percentile(latenciesMs, 0.5),
      p99Ms: percentile(latenciesMs, 0.99),
    };
  }
}

interface Shift<R> {
  readonly nextJob: () => readonly R[];
  readonly tally: Tally;
  /** Nothing is begun from this moment on. */
  until: number;
}

async function work<R>(lines: readonly Line<R>[], shift: Shift<R>, ratePerS: number | null): Promise<void> {
  if (ratePerS === null) await Promise.all(lines.map((line) => repeat(line, shift)));
  else await pace(lines, shift, ratePerS);
}

/** Sends the requests of a job, each once the one before it is answered; the first that is not well answered is the last. */
function carry<R>(line: Line<R>, job: readonly R[], onEnd: (isDone: boolean) => void): void {
  let next = 0;
  line.onAnswer = (isWell) => {
    if (isWell && next < job.length) line.send(job[next++]!);
    else onEnd(isWell);
  };
  line.send(job[next++]!);
}

function repeat<R>(line: Line<R>, shift: Shift<R>): Promise<void> {
  const { nextJob, tally } = shift;
  return new Promise((resolve) => {
    const begin = () => {
      const begunAt = performance.now();
      carry(line, nextJob(), (isDone) => {
        const now = performance.now();
        tally.add(isDone, now - begunAt);
        if (now >= shift.until) resolve();
        else begin();
      });
    };
    begin();
  });
}

/** Jobs fall due at a steady rate; one that finds no free line waits for the next. */
function pace<R>(lines: readonly Line<R>[], shift: Shift<R>, ratePerS: number): Promise<void> {
  return new Promise((resolve) => {
    const { nextJob, tally } = shift;
    const idle = [...lines];
    const startedAt = performance.now();
    let begun = 0;
    const nextDue = () => startedAt + (begun * 1000) / ratePerS;
    const timer = setInterval(beginWhatIsDue, 1);

    function beginWhatIsDue(): void {
      while (nextDue() < Math.min(shift.until, performance.now()) && idle.length > 0) beginOne(idle.shift()!);
      if (nextDue() < shift.until || idle.length < lines.length) return;
      clearInterval(timer);
      resolve();
    }

    function beginOne(line: Line<R>): void {
      const dueAt = nextDue();
      begun += 1;
      carry(line, nextJob(), (isDone) => {
        tally.add(isDone, performance.now() - dueAt);
        idle.push(line);
        beginWhatIsDue();
      });
    }
  });
}
