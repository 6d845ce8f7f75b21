import { dtmRoutes } from '@amends/wire/dtm';
import { dtmMethods } from '@amends/wire/grpc';
import { expect, test } from 'vitest';
import { dtmOperations } from './operations.ts';

test('every operation declares what a caller must be allowed to do', () => {
  for (const { permission } of Object.values(dtmOperations)) expect(permission).toMatch(/^(public|\w+:\w+)$/);
});

test('every operation can be reached over HTTP, and every rpc is one of them', () => {
  const served = new Set<string>(dtmRoutes.map(({ operation }) => operation));
  expect([...served].sort()).toEqual(Object.keys(dtmOperations).sort());
  for (const { operation } of Object.values(dtmMethods)) expect(served).toContain(operation);
});

test('what JSON-RPC offers needs what its one route asks of a caller', () => {
  const methods = ['newGid', 'prepare', 'submit', 'abort', 'registerBranch'] as const;
  expect(new Set(methods.map((method) => dtmOperations[method].permission))).toEqual(new Set(['transactions:create']));
});
