import { type AmendsError, defaultRetry, type RegisteredBranch, type Spec } from '@amends/core';
import { expect, test } from 'vitest';
import { bankSaga } from '../../testing/bank-saga.ts';
import { parseAddress } from './parse-address.ts';
import { type JudgeAddress, refuseBranchTargets, refuseSpecTargets } from './targets.ts';

const judge: JudgeAddress = (url) => parseAddress(url).forbidden;
const refuseAll: JudgeAddress = (url) => (url === '' ? null : `${url} is refused`);

/** The fields that are named by what is thrown; null: nothing is. */
function refusedFields(act: () => void): readonly string[] | null {
  try {
    act();
    return null;
  } catch (error) {
    return (error as AmendsError).issues.map(({ field }) => field);
  }
}

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

test.each([
  'http://2852039166/',
  'http://[::ffff:a9fe:a9fe]/x',
  'http://0/',
  '169.254.169.254:80/bank.Bank/Debit',
  '2852039166/bank.Bank/Debit',
])('a forbidden address is refused in every spelling, with a scheme or without: %s', (url) =>
  expect(() => refuseSpecTargets({ ...msg, query: url }, judge)).toThrow(/^query: .* which is never called$/),
);

test.each([
  '',
  'http://127.0.0.1:9/',
  'http://metadata.internal/',
  'localhost:36790/bank.Bank/Debit',
  'dns:///bank:1/x',
  'nonsense',
])('names, other addresses, and what is none are not judged here: %j', (url) =>
  expect(refusedFields(() => refuseSpecTargets({ ...msg, query: url }, judge))).toBeNull(),
);

test('the first refused address of a saga is named by its step', () => {
  const spec = bankSaga(['a', 'b', 'c']);
  const refuse = (part: string) => refusedFields(() => refuseSpecTargets(spec, (url) => (url.endsWith(part) ? 'no' : null)));
  expect(refuse('/b')).toEqual(['steps[1].action']);
  expect(refuse('/unc')).toEqual(['steps[2].compensate']);
  expect(refuse('/d')).toBeNull();
});

test('questions are named as their face names them', () => {
  const fieldsOf = (spec: Spec) => refusedFields(() => refuseSpecTargets(spec, refuseAll));
  expect(fieldsOf(msg)).toEqual(['query']);
  expect(fieldsOf({ ...msg, face: 'dtm' })).toEqual(['query_prepared']);
  expect(fieldsOf(workflow)).toEqual(['resume']);
  expect(fieldsOf({ ...workflow, face: 'dtm' })).toEqual(['query_prepared']);
});

test('of a branch that joins each address is named as its mode names it', () => {
  const branch = { kind: 'participant', forward: 'http://a/', backward: '' } as RegisteredBranch;
  const fieldsOf = (mode: Spec['mode'], more = {}) =>
    refusedFields(() => refuseBranchTargets(mode, { ...branch, ...more }, refuseAll));
  expect(fieldsOf('tcc')).toEqual(['confirm']);
  expect(fieldsOf('tcc', { forward: '', backward: 'http://b/' })).toEqual(['cancel']);
  expect(fieldsOf('xa', { backward: 'http://a/' })).toEqual(['url']);
});

test('what a workflow records calls nobody', () => {
  const step = { kind: 'progress', branchId: '01' as never, op: 'action', status: 'succeed', payload: new Uint8Array() } as const;
  expect(refusedFields(() => refuseBranchTargets('workflow', step, refuseAll))).toBeNull();
});
