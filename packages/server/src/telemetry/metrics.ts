/** The metrics: what is counted, and the decorators that count, so that nothing else knows of metrics. */
import type { BranchCall, CallObserver, Coordinator, Observer } from '@amends/coordinator';
import type { Mode, OutcomeClass, Transaction } from '@amends/core';
import { type AnyChange, type CommitAnswer, decorated, type Store } from '@amends/store';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Everything that the server measures, on one registry. */
export interface Metrics {
  readonly registry: Registry;
  /** Decorates the store: commits, their sizes, durations and outcomes. */
  store(store: Store): Store;
  /** Counts transactions that begin and end. */
  readonly observer: Observer;
  /** Counts calls by participant host and outcome, and their durations. */
  readonly callObserver: CallObserver;
  /** How one request ended. */
  request(api: string, protocol?: 'http' | 'grpc'): RequestMeter;
  /** Shows the coordinator's load when metrics are read. */
  watch(coordinator: Pick<Coordinator, 'health'>): void;
}

/** Counts the answers of one route. @param seconds from the first byte of the request to the end of the answer */
type RequestMeter = (statusCode: number, seconds: number) => void;

/** Participant hosts that have a label of their own; the rest is `other`, so that callers cannot make series without end. */
const hostLabelsMax = 100;

const fastSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const slowSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600];
const batchSizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/** Makes the metrics of one server. @param version of the product */
export function createMetrics(version: string): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const make = instruments(registry);
  make.gauge('dtm_server_info', 'Always 1', ['version'], (gauge) => gauge.labels(version).set(1));
  return {
    registry,
    store: storeMeter(make),
    observer: makeObserver(make),
    callObserver: makeCallObserver(make),
    request: requestMeters(make),
    watch: (coordinator) => watch(make, coordinator),
  };
}

/** Counts by itself until the metrics are read: the registry's own counting makes an object each time. */
class Tally {
  readonly #labels: readonly string[];
  #unread = 0;

  constructor(labels: readonly string[]) {
    this.#labels = labels;
  }

  inc(): void {
    this.#unread += 1;
  }

  moveTo(counter: Counter): void {
    if (this.#unread > 0) counter.labels(...this.#labels).inc(this.#unread);
    this.#unread = 0;
  }
}

/**
 * The series of an instrument, found by the value of one label after the other. Each is made once, because that is not cheap;
 * whoever gives the values keeps them few.
 */
type Series<L extends readonly string[], S> = L extends readonly [string, ...infer Rest extends readonly string[]]
  ? (label: string) => Series<Rest, S>
  : S;

/** Makes instruments on one registry: name, meaning, names of labels. */
interface Instruments {
  counter<const L extends readonly string[]>(name: string, help: string, ...labelNames: L): Series<L, Tally>;
  histogram<const L extends readonly string[]>(
    name: string,
    help: string,
    buckets: number[],
    ...labelNames: L
  ): Series<L, Histogram.Internal<string>>;
  /** `set` is called whenever the gauge is read. */
  gauge(name: string, help: string, labelNames: string[], set: (gauge: Gauge) => void | Promise<void>): void;
}

function instruments(registry: Registry): Instruments {
  const registers = [registry];
  return {
    counter<const L extends readonly string[]>(name: string, help: string, ...labelNames: L) {
      const tallies: Tally[] = [];
      const counter: Counter = new Counter({
        name,
        help,
        labelNames,
        registers,
        collect() {
          for (const tally of tallies) tally.moveTo(counter);
        },
      });
      return makeSeries(labelNames, (labels) => {
        const tally = new Tally(labels);
        tallies.push(tally);
        return tally;
      });
    },
    histogram<const L extends readonly string[]>(name: string, help: string, buckets: number[], ...labelNames: L) {
      const histogram: Histogram = new Histogram({ name, help, buckets, labelNames, registers });
      return makeSeries(labelNames, (labels) => histogram.labels(...labels));
    },
    gauge(name, help, labelNames, set) {
      const gauge: Gauge = new Gauge({ name, help, labelNames, registers, collect: () => set(gauge) });
    },
  };
}

function makeSeries<L extends readonly string[], S>(labelNames: L, make: (labels: readonly string[]) => S): Series<L, S> {
  const under = (labels: readonly string[]): unknown => {
    if (labels.length === labelNames.length) return make(labels);
    const known = new Map<string, unknown>();
    return (label: string) => {
      const found = known.get(label);
      if (found !== undefined) return found;
      const made = under([...labels, label]);
      known.set(label, made);
      return made;
    };
  };
  return under([]) as Series<L, S>;
}

function requestMeters(make: Instruments): Metrics['request'] {
  const count = make.counter('dtm_server_process_total', 'Requests by route and result', 'type', 'api', 'status');
  const help = 'Time to answer a request, in seconds';
  const duration = make.histogram('dtm_server_response_duration', help, fastSeconds, 'type', 'api');
  return (api, protocol = 'http') => {
    const ok = count(protocol)(api)('ok');
    const fail = count(protocol)(api)('fail');
    const time = duration(protocol)(api);
    return (statusCode, seconds) => {
      (statusCode < 400 ? ok : fail).inc();
      time.observe(seconds);
    };
  };
}

function storeMeter(make: Instruments): Metrics['store'] {
  const changes = make.counter('amends_store_changes_total', 'Changes given to the store, by what became of them', 'outcome');
  const duration = make.histogram('amends_store_commit_seconds', 'Time of one commit, in seconds', fastSeconds);
  const size = make.histogram('amends_store_commit_changes', 'Changes in one commit', batchSizes);
  const failures = make.counter('amends_store_failures_total', 'Commits that failed as a whole');

  async function measure(store: Store, batch: readonly AnyChange[]): Promise<readonly CommitAnswer[]> {
    const startedAt = performance.now();
    try {
      const answers = await store.commit(batch);
      for (const { fate } of answers) changes(fate).inc();
      return answers;
    } catch (error) {
      failures.inc();
      throw error;
    } finally {
      duration.observe((performance.now() - startedAt) / 1000);
      size.observe(batch.length);
    }
  }

  return (store) => decorated(store, { commit: (batch) => measure(store, batch) });
}

function makeCallObserver(make: Instruments): CallObserver {
  const calls = make.counter('amends_calls_total', 'Calls of participants by host, op and outcome', 'host', 'op', 'outcome');
  const duration = make.histogram('amends_call_seconds', 'Time of one call of a participant, in seconds', slowSeconds, 'host');
  const countAsDtm = branchCounter(make);
  const hostOf = hostLabels();
  return (call, outcome) => {
    const host = hostOf(call.address.host);
    calls(host)(call.op)(outcome.class).inc();
    countAsDtm(call, outcome.class);
    duration(host).observe(outcome.durationMs / 1000);
  };
}

/** Branch ids that have a label of their own, as `01` to `99`; the rest is `other`. */
const branchIdCharactersMax = 2;

function branchCounter(make: Instruments): (request: BranchCall, outcome: OutcomeClass) => void {
  const help = 'Calls of branches; status fail: any answer but success';
  const calls = make.counter('dtm_branch_process_total', help, 'model', 'branchid', 'branchtype', 'status');
  return ({ mode, branchId, op }, outcome) => {
    const branch = branchId.length > branchIdCharactersMax ? 'other' : branchId;
    calls(mode)(branch)(op)(outcome === 'success' ? 'ok' : 'fail').inc();
  };
}

/** The label of a host: the first hundred have their own. */
function hostLabels(): (host: string) => string {
  const hosts = new Set<string>();
  return (host) => {
    const label = host === '' ? 'none' : host;
    if (hosts.size < hostLabelsMax) hosts.add(label);
    return hosts.has(label) ? label : 'other';
  };
}

function makeObserver(make: Instruments): Observer {
  const begun = make.counter('amends_transactions_begun_total', 'Transactions begun, by mode', 'mode');
  const held = make.counter('amends_transactions_held_total', 'Times that a transaction was put on hold, by mode', 'mode');
  const overdue = make.counter('amends_transactions_overdue_total', 'Transactions not finished when their alarm was due', 'mode');
  const countEnd = endMeter(make);
  const countAsDtm = processCounter(make);
  return ({ previous, next }) => {
    const isHeld = next.hold !== null && (previous?.hold ?? null) === null;
    const isEnd = next.finishedAt !== null && (previous?.finishedAt ?? null) === null;
    if (previous === null) begun(next.mode).inc();
    if (isHeld) held(next.mode).inc();
    if (next.overdueSince !== null && (previous?.overdueSince ?? null) === null) overdue(next.mode).inc();
    if (isEnd) countEnd(next);
    if (isHeld || isEnd) countAsDtm(next.mode, isEnd ? 'ok' : 'fail');
  };
}

/** What became of ended transactions, and how long they lived. */
function endMeter(make: Instruments): (ended: Transaction) => void {
  const help = 'Transactions ended, by mode and status';
  const ends = make.counter('amends_transactions_ended_total', help, 'mode', 'status');
  const life = make.histogram('dtm_transaction_handled_duration', 'Life of ended transactions, in seconds', slowSeconds, 'model');
  return ({ mode, status, createdAt, finishedAt }) => {
    ends(mode)(status).inc();
    life(mode).observe((finishedAt! - createdAt) / 1000);
  };
}

function processCounter(make: Instruments): (mode: Mode, status: 'ok' | 'fail') => void {
  const help = 'Transactions that came to their end, done or undone (ok), or to a hold (fail)';
  const processed = make.counter('dtm_transaction_process_total', help, 'model', 'status');
  return (mode, status) => processed(mode)(status).inc();
}

function watch(make: Instruments, coordinator: Pick<Coordinator, 'health'>): void {
  const help =
    'What is under way: live transactions, those that wait for a host, calls, changes that wait for their commit; nodes alive';
  make.gauge('amends_load', help, ['what'], async (gauge) => {
    const { live, waiting, calling, uncommitted, nodes } = await coordinator.health();
    gauge.labels('live').set(live);
    gauge.labels('calling').set(calling);
    gauge.labels('waiting').set(waiting);
    gauge.labels('uncommitted').set(uncommitted);
    gauge.labels('nodes').set(nodes.length);
  });
  make.gauge('amends_store_up', '1 while the store answers', [], async (gauge) => {
    gauge.set((await coordinator.health()).store === null ? 0 : 1);
  });
}
