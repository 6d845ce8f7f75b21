import { branchIdOfStep, epochMs, type Gid, type Outcome } from '@amends/core';
import { expect, test } from 'vitest';
import type { BranchCall } from '../ports/ports.ts';
import { parseAddress } from './address/parse-address.ts';
import { type FailingHostsOptions, tellingFailures } from './failing-hosts.ts';

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
  let next: Outcome = ok;
  let closed = 0;
  const transport = tellingFailures(
    {
      call: async () => next,
      async close() {
        closed += 1;
      },
    },
    {
      log: {
        warn(given, message) {
          fields.push(given);
          lines.push(`${given['host']} ${given['failures']} ${given['code'] ?? ''}: ${message}`);
        },
      },
      clock: { now: () => epochMs(now) },
      ...options,
    },
  );
  return {
    transport,
    fields,
    closed: () => closed,
    pass: (ms: number) => {
      now += ms;
    },
    /** Calls, and tells the lines that came of it. */
    async call(outcome: Outcome, url = 'http://bank:80/in') {
      next = outcome;
      const request = { gid: 'g' as Gid, branchId: branchIdOfStep(0), op: 'action', address: parseAddress(url) } as BranchCall;
      expect(await transport.call(request)).toBe(outcome);
      return lines.splice(0);
    },
  };
}

test('the first failing call of a host is told, then once a minute how many, then that it answers', async () => {
  const { call, pass, fields } = stage();
  expect(await call(ok)).toEqual([]);
  expect(await call(away)).toEqual(['bank 1 connect_refused: calls of a participant fail']);
  expect(fields[0]).toMatchObject({ gid: 'g', branchId: '01', op: 'action', detail: 'connect ECONNREFUSED' });
  for (let count = 0; count < 100; count++) expect(await call(away)).toEqual([]);
  pass(60_000);
  expect(await call(noFiles)).toEqual(['bank 101 too_many_files: calls of a participant still fail']);
  expect(await call(away)).toEqual([]);
  pass(5_000);
  expect(await call(refused)).toEqual(['bank 1 : a participant answers again']);
  expect(fields[2]).toMatchObject({ failedForMs: 65_000 });
  expect(await call(ok)).toEqual([]);
});

test('an answer that is no verdict is a failing call; what was answered is not in the log', async () => {
  const { call, fields } = stage();
  expect(await call(broken)).toEqual(['bank 1 http_500: calls of a participant fail']);
  expect(JSON.stringify(fields)).not.toContain('secret');
});

test('each host is told by itself, over gRPC too', async () => {
  const { call } = stage();
  await call(away);
  expect(await call(away, 'shop:90/shop.Shop/Sell')).toEqual(['shop:90 1 connect_refused: calls of a participant fail']);
  expect(await call(ok, 'http://other/')).toEqual([]);
  expect(await call(ok)).toEqual(['bank 0 : a participant answers again']);
});

test('a host that fails every other time gets two lines per minute', async () => {
  const { call, pass } = stage();
  const lines: string[] = [];
  for (let second = 0; second < 180; second++) {
    lines.push(...(await call(away)), ...(await call(ok)));
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

test('failures soon after a host has answered again are told when it goes on answering', async () => {
  const { call, pass } = stage();
  for (const outcome of [away, ok, away, ok]) await call(outcome);
  pass(60_000);
  expect(await call(ok)).toEqual(['bank 1 : a participant answers again']);
  expect(await call(away)).toEqual(['bank 1 connect_refused: calls of a participant fail']);
});

test('what a stopping coordinator has not sent says nothing of its host', async () => {
  const { call } = stage();
  expect(await call(stopped)).toEqual([]);
});

test('more failing hosts than are told apart share their lines, until there is room', async () => {
  const { call, pass } = stage({ hostsMax: 1 });
  await call(away);
  expect(await call(away, 'http://b/')).toEqual(['(other hosts) 1 connect_refused: calls of a participant fail']);
  expect(await call(away, 'http://c/')).toEqual([]);
  await call(ok);
  pass(60_000);
  expect(await call(away, 'http://c/')).toEqual(['(other hosts) 2 connect_refused: calls of a participant still fail']);
  pass(3_600_000);
  expect(await call(away, 'http://c/')).toEqual(['c 1 connect_refused: calls of a participant fail']);
});

test('closing closes what makes the calls', async () => {
  const { transport, closed } = stage();
  await transport.close();
  expect(closed()).toBe(1);
});
