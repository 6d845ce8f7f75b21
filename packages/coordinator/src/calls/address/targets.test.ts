import { defaultRetry, type Spec } from '@amends/core';
import { expect, test } from 'vitest';
import { refuseForbidden } from './network-address.ts';
import { parseAddress } from './parse-address.ts';
import { registeredTargets, specTargets, targetRefuser } from './targets.ts';

const refuse = targetRefuser((url) => parseAddress(url, refuseForbidden));
const isRefused = (url: string) => () => refuse([{ field: 'url', url }]);

test.each([
  'http://2852039166/',
  'http://[::ffff:a9fe:a9fe]/x',
  'http://0/',
  '169.254.169.254:80/bank.Bank/Debit',
  '2852039166/bank.Bank/Debit',
])('a forbidden address is refused in every spelling, with a scheme or without: %s', (url) =>
  expect(isRefused(url)).toThrow(/^url: .* which is never called$/),
);

test.each([
  '',
  'http://127.0.0.1:9/',
  'http://metadata.internal/',
  'localhost:36790/bank.Bank/Debit',
  'dns:///bank:1/x',
  'nonsense',
])('names, other addresses, and what is none are not judged here: %j', (url) => expect(isRefused(url)).not.toThrow());

test('questions are named as their face names them', () => {
  const any = {
    payloads: [new Uint8Array()],
    headers: {},
    presentation: {},
    alarmAfterMs: null,
    trace: null,
    callTimeoutMs: 1,
    retry: defaultRetry,
  };
  const times = { askAfterMs: 1, delayMs: 0, notBefore: null, concurrent: false };
  const msg: Spec = { ...any, ...times, mode: 'msg', face: 'native', steps: [], query: 'http://a/' };
  const workflow: Spec = { ...any, mode: 'workflow', face: 'native', name: 'w', resume: 'http://b/' };
  expect(specTargets(msg)).toEqual([{ field: 'query', url: 'http://a/' }]);
  expect(specTargets({ ...msg, face: 'dtm' })[0]!.field).toBe('query_prepared');
  expect(specTargets(workflow)).toEqual([{ field: 'resume', url: 'http://b/' }]);
  expect(specTargets({ ...workflow, face: 'dtm' })[0]!.field).toBe('query_prepared');
});

test('what a workflow records calls nobody', () => {
  const step = { kind: 'progress', branchId: '01' as never, op: 'action', status: 'succeed', payload: new Uint8Array() } as const;
  expect(registeredTargets('workflow', step)).toEqual([]);
});
