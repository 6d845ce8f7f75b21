import { AmendsError, branchIdOfStep, type Outcome, type OutcomeClass } from '@amends/core';
import { openMemoryStore, type Store } from '@amends/store';
import { describe, expect, it } from 'vitest';
import { callTo } from '../testing/call-to.ts';
import { createMetrics } from './metrics.ts';

function outcomeOf(outcome: OutcomeClass): Outcome {
  return { class: outcome, code: 'http_200', detail: '', exchange: 'answered', durationMs: 20 };
}

describe('the calls', () => {
  it('are counted by host, op and outcome', async () => {
    const { callObserver, registry } = createMetrics('1');
    callObserver(callTo('http://bank:80/a?x=1'), outcomeOf('success'));
    callObserver(callTo('http://bank/b'), outcomeOf('unknown'));
    const text = await registry.metrics();
    expect(text).toContain('amends_calls_total{host="bank",op="action",outcome="success"} 1');
    expect(text).toContain('amends_calls_total{host="bank",op="action",outcome="unknown"} 1');
    expect(text).toContain('amends_call_seconds_sum{host="bank"} 0.04');
  });

  it('are counted on from one reading to the next', async () => {
    const { callObserver, registry } = createMetrics('1');
    for (const count of [1, 2]) {
      callObserver(callTo('http://bank/'), outcomeOf('success'));
      expect(await registry.metrics()).toContain(`amends_calls_total{host="bank",op="action",outcome="success"} ${count}`);
    }
  });

  it('of 150 hosts have 100 labels and one for the rest', async () => {
    const { callObserver, registry } = createMetrics('1');
    for (let i = 0; i < 150; i++) callObserver(callTo(`http://host${i}/`), outcomeOf('success'));
    const series = (await registry.metrics()).split('\n').filter((line) => line.startsWith('amends_calls_total{'));
    expect(series).toHaveLength(101);
    expect(series.at(-1)).toBe('amends_calls_total{host="other",op="action",outcome="success"} 50');
  });
});

describe('the branches', () => {
  it('are counted as DTM does, with 100 branch ids at most', async () => {
    const { callObserver, registry } = createMetrics('1');
    for (let i = 0; i < 150; i++) callObserver({ ...callTo('http://a/'), branchId: branchIdOfStep(i) }, outcomeOf('success'));
    callObserver(callTo('http://a/'), outcomeOf('ongoing'));
    const text = await registry.metrics();
    const name = 'dtm_branch_process_total{model="saga"';
    expect(text.split('\n').filter((line) => line.startsWith(name) && line.includes('"ok"'))).toHaveLength(100);
    expect(text).toContain(`${name},branchid="other",branchtype="action",status="ok"} 51`);
    expect(text).toContain(`${name},branchid="01",branchtype="action",status="fail"} 1`);
  });
});

describe('the commits', () => {
  it('are counted by what became of them, also when they fail as a whole', async () => {
    const metrics = createMetrics('1');
    const inner = openMemoryStore();
    const broken: Store = { ...inner, commit: () => Promise.reject(new AmendsError('store_unavailable', 'disk full')) };
    await expect(metrics.store(broken).commit([])).rejects.toThrow('disk full');
    await metrics.store(answeringStore(inner)).commit([]);
    const text = await metrics.registry.metrics();
    expect(text).toContain('amends_store_failures_total 1');
    expect(text).toContain('amends_store_changes_total{outcome="applied"} 1');
    expect(text).toContain('amends_store_changes_total{outcome="conflict"} 1');
    expect(text).toContain('amends_store_commit_seconds_count 2');
  });
});

/** A store whose commits are answered so, whatever they hold. */
function answeringStore(inner: Store): Store {
  return { ...inner, commit: () => Promise.resolve([{ fate: 'applied' }, { fate: 'conflict' }]) };
}

describe('the requests', () => {
  it('are counted as DTM does: by route, and by whether they failed', async () => {
    const metrics = createMetrics('1');
    const meter = metrics.request('submit');
    meter(200, 0.001);
    meter(399, 0.001);
    meter(409, 0.5);
    const text = await metrics.registry.metrics();
    expect(text).toContain('dtm_server_process_total{type="http",api="submit",status="ok"} 2');
    expect(text).toContain('dtm_server_process_total{type="http",api="submit",status="fail"} 1');
    expect(text).toContain('dtm_server_response_duration_count{type="http",api="submit"} 3');
    expect(text).toContain('dtm_server_info{version="1"} 1');
  });
});
