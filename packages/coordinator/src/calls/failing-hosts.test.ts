import { branchIdOfStep, epochMs, type Gid, type Outcome } from '@amends/core';
import { expect, test } from 'vitest';
import type { BranchCall } from '../ports/ports.ts';
import { parseAddress } from './address/parse-address.ts';
import { type FailingHostsOptions, failureTeller } from './failing-hosts.ts';

const ok: Outcome = { class: 'success', code: 'http_200', detail: '', exchange: 'answered', durationMs: 1 };
const refused: Outcome = { ...ok, class: 'failure', code: 'http_409' };
const away: Outcome = { ...ok, class: 'unknown', code: 'connect_refused', detail: 'connect ECONNREFUSED', exchange: 'refused' };
const broken: Outcome = { ...ok, class: 'unknown', code: 'http_500', detail: 'the secret of ann' };
const noFiles: Outcome = { ...away, code: 'too_many_files', detail: 'connect EMFILE' };
const stopped: Outcome = { ...away, code: 'stopped', exchange: 'unsent' };

function stage(options: Partial<FailingHostsOptions> = {}) {
  const lines: string[] = [];
  const fields: Readonly<Record<string, unknown>>[] = [];
  let now = 1_000_000;
  const hear = failureTeller({
    log: {
      warn(given, message) {
        fields.push(given);
        lines.push(`${given['host']} ${given['failures']} ${given['code'] ?? ''}: ${message}`);
      },
    },
    clock: { now: () => epochMs(now) },
    ...options,
  });
  return {
    fields,
    pass: (ms: number) => {
      now += ms;
    },
    /** A call, and the lines that came of it. */
    call(outcome: Outcome, url = 'http://bank:80/in') {
      hear({ gid: 'g' as Gid, branchId: branchIdOfStep(0), op: 'action', address: parseAddress(url) } as BranchCall, outcome);
      return lines.splice(0);
    },
  };
}

test('the first failing call of a host is told, then once a minute how many, then that it answers', () => {
  const { call, pass, fields } = stage();
  expect(call(ok)).toEqual([]);
  expect(call(away)).toEqual(['bank 1 connect_refused: calls of a participant fail']);
  expect(fields[0]).toMatchObject({ gid: 'g', branchId: '01', op: 'action', detail: 'connect ECONNREFUSED' });
  for (let count = 0; count < 100; count++) expect(call(away)).toEqual([]);
  pass(60_000);
  expect(call(noFiles)).toEqual(['bank 101 too_many_files: calls of a participant still fail']);
  expect(call(away)).toEqual([]);
  pass(5_000);
  expect(call(refused)).toEqual(['bank 1 : a participant answers again']);
  expect(fields[2]).toMatchObject({ failedForMs: 65_000 });
  expect(call(ok)).toEqual([]);
});

test('an answer that is no verdict is a failing call; what was answered is not in the log', () => {
  const { call, fields } = stage();
  expect(call(broken)).toEqual(['bank 1 http_500: calls of a participant fail']);
  expect(JSON.stringify(fields)).not.toContain('secret');
});

test('each host is told by itself, over gRPC too', () => {
  const { call } = stage();
  call(away);
  expect(call(away, 'shop:90/shop.Shop/Sell')).toEqual(['shop:90 1 connect_refused: calls of a participant fail']);
  expect(call(ok, 'http://other/')).toEqual([]);
  expect(call(ok)).toEqual(['bank 0 : a participant answers again']);
});

test('a host that fails every other time gets two lines per minute', () => {
  const { call, pass } = stage();
  const lines: string[] = [];
  for (let second = 0; second < 180; second++) {
    lines.push(...call(away), ...call(ok));
    pass(1_000);
  }
  expect(lines).toEqual([
    'bank 1 connect_refused: calls of a participant fail',
    'bank 0 : a participant answers again',
    'bank 60 connect_refused: calls of a participant fail',
    'bank 0 : a participant answers again',
    'bank 60 connect_refused: calls of a participant fail',
    'bank 0 : a participant answers again',
  ]);
});

test('failures soon after a host has answered again are told when it goes on answering', () => {
  const { call, pass } = stage();
  for (const outcome of [away, ok, away, ok]) call(outcome);
  pass(60_000);
  expect(call(ok)).toEqual(['bank 1 : a participant answers again']);
  expect(call(away)).toEqual(['bank 1 connect_refused: calls of a participant fail']);
});

test('what a stopping coordinator has not sent says nothing of its host', () => {
  const { call } = stage();
  expect(call(stopped)).toEqual([]);
});

test('more failing hosts than are told apart share their lines, until there is room', () => {
  const { call, pass } = stage({ hostsMax: 1 });
  call(away);
  expect(call(away, 'http://b/')).toEqual(['(other hosts) 1 connect_refused: calls of a participant fail']);
  expect(call(away, 'http://c/')).toEqual([]);
  call(ok);
  pass(60_000);
  expect(call(away, 'http://c/')).toEqual(['(other hosts) 2 connect_refused: calls of a participant still fail']);
  pass(3_600_000);
  expect(call(away, 'http://c/')).toEqual(['c 1 connect_refused: calls of a participant fail']);
});
