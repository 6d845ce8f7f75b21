/** The metrics: what is counted, and the decorators that count, so that nothing else knows of metrics. */

import type { BranchCall, Coordinator, Observer, Transport } from '@amends/coordinator';
import type { Mode, OutcomeClass, Status } from '@amends/core';
import type { Change, CommitAnswer, Store } from '@amends/store';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { remembered } from './remembered.ts';

/** Everything that the server measures, on one registry. */
export interface Metrics {
  readonly registry: Registry;
  /** Decorates the store: commits, their sizes, durations and outcomes. */
  store(store: Store): Store;
  /** Decorates the transport: calls by participant host and outcome, and their durations. */
  transport(transport: Transport): Transport;
  /** Counts transactions that begin and end. */
  readonly observer: Observer;
  /** How one request ended. */
  request(api: string): RequestMeter;
  /** Shows the coordinator's load when metrics are read. */
  watch(coordinator: Coordinator): void;
}

/** Counts the answers of one route. @param seconds from the first byte of the request to the end of the answer */
export type RequestMeter = (statusCode: number, seconds: number) => void;

/** Participant hosts that have a label of their own; the rest is `other`, so that callers cannot make series without end. */
const hostLabelsMax = 100;

const fastSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const slowSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600];
const batchSizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/** Makes the metrics of one server. @param version of the product */
export function createMetrics(version: string): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const info = new Gauge({ name: 'dtm_server_info', help: 'Always 1', labelNames: ['version'], registers: [registry] });
  info.labels(version).set(1);
  return {
    registry,
    store: storeMeter(registry),
    transport: transportMeter(registry),
    observer: observerOf(registry),
    request: requestMeters(registry),
    watch: (coordinator) => watch(registry, coordinator),
  };
}

function requestMeters(registry: Registry): Metrics['request'] {
  const count = new Counter({
    name: 'dtm_server_process_total',
    help: 'Requests by route and result',
    labelNames: ['type', 'api', 'status'],
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'dtm_server_response_duration',
    help: 'Time to answer a request, in seconds',
    labelNames: ['type', 'api'],
    buckets: fastSeconds,
    registers: [registry],
  });
  return (api) => {
    const ok = count.labels('http', api, 'ok');
    const fail = count.labels('http', api, 'fail');
    const time = duration.labels('http', api);
    return (statusCode, seconds) => {
      (statusCode < 400 ? ok : fail).inc();
      time.observe(seconds);
    };
  };
}

function storeMeter(registry: Registry): Metrics['store'] {
  const changes = new Counter({
    name: 'amends_store_changes_total',
    help: 'Changes given to the store, by what became of them',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'amends_store_commit_seconds',
    help: 'Time of one commit, in seconds',
    buckets: fastSeconds,
    registers: [registry],
  });
  const size = new Histogram({
    name: 'amends_store_commit_changes',
    help: 'Changes in one commit',
    buckets: batchSizes,
    registers: [registry],
  });
  const failures = new Counter({
    name: 'amends_store_failures_total',
    help: 'Commits that failed as a whole',
    registers: [registry],
  });
  const byOutcome = remembered((outcome: CommitAnswer['outcome']) => changes.labels(outcome));

  async function measured(store: Store, batch: readonly Change[]): Promise<readonly CommitAnswer[]> {
    const startedAt = performance.now();
    try {
      const answers = await store.commit(batch);
      for (const { outcome } of answers) byOutcome(outcome).inc();
      return answers;
    } catch (error) {
      failures.inc();
      throw error;
    } finally {
      duration.observe((performance.now() - startedAt) / 1000);
      size.observe(batch.length);
    }
  }

  return (store) => ({
    capabilities: store.capabilities,
    commit: (batch) => measured(store, batch),
    load: (gids) => store.load(gids),
    claim: (request) => store.claim(request),
    list: (query) => store.list(query),
    history: (gid, page) => store.history(gid, page),
    heartbeat: (beat) => store.heartbeat(beat),
    nodes: () => store.nodes(),
    documents: (kind, key) => (key === undefined ? store.documents(kind) : store.documents(kind, key)),
    audit: (query) => store.audit(query),
    purge: (request) => store.purge(request),
    ping: () => store.ping(),
    close: () => store.close(),
  });
}

function transportMeter(registry: Registry): Metrics['transport'] {
  const calls = new Counter({
    name: 'amends_calls_total',
    help: 'Calls of participants by host, op and outcome',
    labelNames: ['host', 'op', 'outcome'],
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'amends_call_seconds',
    help: 'Time of one call of a participant, in seconds',
    labelNames: ['host'],
    buckets: slowSeconds,
    registers: [registry],
  });
  const hostOf = hostLabels();
  const counter = remembered((key: string) => calls.labels(...(key.split(' ') as [string, string, string])));
  const timer = remembered((host: string) => duration.labels(host));

  function count(request: BranchCall, outcome: { readonly class: OutcomeClass; readonly durationMs: number }): void {
    const host = hostOf(request.url);
    counter(`${host} ${request.op} ${outcome.class}`).inc();
    timer(host).observe(outcome.durationMs / 1000);
  }

  return (transport) => ({
    async call(request) {
      const outcome = await transport.call(request);
      count(request, outcome);
      return outcome;
    },
    close: () => transport.close(),
  });
}

/** The label of a URL's host: the first hundred hosts have their own. */
function hostLabels(): (url: string) => string {
  const hosts = new Set<string>();
  return remembered((url: string) => {
    const host = URL.canParse(url) ? new URL(url).host : 'none';
    if (hosts.size < hostLabelsMax) hosts.add(host);
    return hosts.has(host) ? host : 'other';
  });
}

function observerOf(registry: Registry): Observer {
  const begun = new Counter({
    name: 'amends_transactions_begun_total',
    help: 'Transactions begun, by mode',
    labelNames: ['mode'],
    registers: [registry],
  });
  const ended = new Counter({
    name: 'amends_transactions_ended_total',
    help: 'Transactions ended, by mode and status',
    labelNames: ['mode', 'status'],
    registers: [registry],
  });
  const held = new Counter({
    name: 'amends_transactions_held_total',
    help: 'Times that a transaction was put on hold, by mode',
    labelNames: ['mode'],
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'dtm_transaction_handled_duration',
    help: 'Life of ended transactions, in seconds',
    labelNames: ['model'],
    buckets: slowSeconds,
    registers: [registry],
  });
  const beginnings = remembered((mode: Mode) => begun.labels(mode));
  const endings = remembered((key: `${Mode} ${Status}`) => ended.labels(...(key.split(' ') as [string, string])));
  const lives = remembered((mode: Mode) => duration.labels(mode));
  return ({ previous, next }) => {
    if (previous === null) beginnings(next.mode).inc();
    if (next.hold !== null && (previous?.hold ?? null) === null) held.labels(next.mode).inc();
    if (next.finishedAt === null || (previous?.finishedAt ?? null) !== null) return;
    endings(`${next.mode} ${next.status}`).inc();
    lives(next.mode).observe((next.finishedAt - next.createdAt) / 1000);
  };
}

function watch(registry: Registry, coordinator: Coordinator): void {
  const load = new Gauge({
    name: 'amends_load',
    help: 'What is under way: live transactions, calls in flight, changes that wait for their commit',
    labelNames: ['what'],
    registers: [registry],
    async collect() {
      const { live, calling, uncommitted, nodes, store } = await coordinator.health();
      load.labels('live').set(live);
      load.labels('calling').set(calling);
      load.labels('uncommitted').set(uncommitted);
      load.labels('nodes').set(nodes.length);
      up.set(store === null ? 0 : 1);
    },
  });
  const up = new Gauge({ name: 'amends_store_up', help: '1 while the store answers', registers: [registry] });
}
