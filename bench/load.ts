/**
 * A process: the load generator. It gets orders by message and answers each with one result. A closed loop: every
 * connection sends its next saga when the last one is answered; or, with `ratePerS`, sagas that fall due one by one,
 * whose latency counts from that moment, so that a server which stalls cannot hide it.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { messageCutter, statusOf } from './http-messages.ts';
import { type BranchUrls, type GidOrder, gidMaker, submitRequests } from './saga-request.ts';
import { percentile } from './statistics.ts';

/** What to do. */
export interface LoadOrder {
  /** Root of the server. */
  readonly url: string;
  readonly branchUrls: BranchUrls;
  readonly gidOrder: GidOrder;
  readonly connections: number;
  readonly seconds: number;
  /** Sagas per second; null: as many as go. */
  readonly ratePerS: number | null;
}

/** How it went. */
export interface LoadResult {
  /** Answered with 200. */
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

/** One connection; `send` may be called again when `onAnswer` has been. */
interface Connection {
  send(request: string): void;
  onAnswer: (status: number) => void;
  close(): void;
}

async function run(order: LoadOrder): Promise<LoadResult> {
  const broken = Promise.withResolvers<never>();
  const connections = await Promise.all(Array.from({ length: order.connections }, () => open(order.url, broken.reject)));
  const tally = new Tally();
  const progress = setInterval(() => say({ sagas: tally.latenciesMs.length }), progressEveryMs);
  try {
    const requestOf = submitRequests(new URL(order.url), order.branchUrls);
    const nextGid = gidMaker(order.gidOrder);
    const nextRequest = () => requestOf(nextGid());
    const work = order.ratePerS === null ? closedLoop : paced(order.ratePerS);
    const startedAt = performance.now();
    const shift = { nextRequest, tally, until: startedAt + order.seconds * 1000 };
    stop = () => {
      shift.until = performance.now();
    };
    await Promise.race([work(connections, shift), broken.promise, tooLate(order)]);
    return tally.result((performance.now() - startedAt) / 1000);
  } finally {
    clearInterval(progress);
    for (const connection of connections) connection.close();
  }
}

async function open(url: string, onBroken: (error: Error) => void): Promise<Connection> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port || 80), noDelay: true });
  await once(socket, 'connect');
  const broken = () => onBroken(new Error(`${url} closed a connection`));
  const connection: Connection = {
    send: (request) => socket.write(request, 'latin1'),
    onAnswer: () => {},
    close: () => socket.off('close', broken).destroy(),
  };
  const cut = messageCutter((answer) => connection.onAnswer(statusOf(answer)));
  // An error is followed by `close`.
  socket
    .on('data', cut)
    .on('close', broken)
    .on('error', () => {});
  return connection;
}

async function tooLate({ seconds, url }: LoadOrder): Promise<never> {
  await pause(seconds * 1000 + answersWithinMs, undefined, { ref: false });
  throw new Error(`${url} left requests unanswered for ${answersWithinMs / 1000} s`);
}

class Tally {
  readonly latenciesMs: number[] = [];
  errors = 0;

  add(status: number, latencyMs: number): void {
    if (status === 200) this.latenciesMs.push(latencyMs);
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

interface Shift {
  readonly nextRequest: () => string;
  readonly tally: Tally;
  /** Nothing is sent from this moment on. */
  until: number;
}

async function closedLoop(connections: readonly Connection[], shift: Shift): Promise<void> {
  await Promise.all(connections.map((connection) => repeat(connection, shift)));
}

function repeat(connection: Connection, shift: Shift): Promise<void> {
  const { nextRequest, tally } = shift;
  return new Promise((resolve) => {
    let sentAt = 0;
    const send = () => {
      sentAt = performance.now();
      connection.send(nextRequest());
    };
    connection.onAnswer = (status) => {
      const now = performance.now();
      tally.add(status, now - sentAt);
      if (now >= shift.until) resolve();
      else send();
    };
    send();
  });
}

/** Sagas fall due at a steady rate; one that finds no free connection waits for the next. */
function paced(ratePerS: number): typeof closedLoop {
  return (connections, shift) =>
    new Promise((resolve) => {
      const { nextRequest, tally } = shift;
      const idle = [...connections];
      const startedAt = performance.now();
      let begun = 0;
      const nextDue = () => startedAt + (begun * 1000) / ratePerS;
      const timer = setInterval(sendWhatIsDue, 1);

      function sendWhatIsDue(): void {
        while (nextDue() < Math.min(shift.until, performance.now()) && idle.length > 0) sendOne(idle.shift()!);
        if (nextDue() < shift.until || idle.length < connections.length) return;
        clearInterval(timer);
        resolve();
      }

      function sendOne(connection: Connection): void {
        const dueAt = nextDue();
        begun += 1;
        connection.onAnswer = (status) => {
          tally.add(status, performance.now() - dueAt);
          idle.push(connection);
          sendWhatIsDue();
        };
        connection.send(nextRequest());
      }
    });
}
