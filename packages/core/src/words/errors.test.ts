import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorKinds } from '../index.ts';

/** Code, HTTP status, retry and title of each row of the table of codes in docs/errors.md. */
function documented(): Record<string, unknown> {
  const text = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8');
  const [table = ''] = text.split('## Outcome codes');
  const rows = table.matchAll(/^\| `(\w+)` \| (\d+) \| (yes|no) \| ([^|]+) \|/gm);
  return Object.fromEntries(
    [...rows].map(([, code, status, retry, title]) => [
      code,
      { httpStatus: Number(status), retryable: retry === 'yes', title: title!.trim() },
    ]),
  );
}

test('docs/errors.md lists every code with its status, retry and title, and no other', () => {
  expect(documented()).toEqual(errorKinds);
});
