import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { AmendsError, errorKinds } from '../index.ts';

/** What each row of the table of codes in docs/errors.md says. */
function readDocumented(): Record<string, unknown> {
  const text = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8');
  const [table = ''] = text.split('## Outcome codes');
  const rows = table.matchAll(/^\| `(\w+)` \| (\d+) \| (\w+) \| (-\d+) \| (yes|no) \| ([^|]+) \|/gm);
  return Object.fromEntries(
    [...rows].map(([, code, http, grpcStatus, rpc, retry, title]) => {
      const codes = { httpStatus: Number(http), grpcStatus, jsonRpcCode: Number(rpc) };
      return [code, { ...codes, retryable: retry === 'yes', title: title!.trim() }];
    }),
  );
}

test('docs/errors.md lists every code with its statuses, retry and title, and no other', () => {
  expect(readDocumented()).toEqual(errorKinds);
});

test('an error that fields are to blame for names each of them in its message', () => {
  const issues = [
    { field: 'steps', message: 'is missing' },
    { field: 'gid', message: 'is empty' },
  ];
  expect(new AmendsError('invalid_request', issues)).toMatchObject({ issues, message: 'steps: is missing; gid: is empty' });
  expect(new AmendsError('overloaded', 'body: is not cut out of a sentence').issues).toEqual([]);
});
