import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { classOfConnectError } from './connection-error.ts';

test.each([
  ['ECONNREFUSED', 'connect_refused'],
  ['ETIMEDOUT', 'connect_timeout'],
  ['ECONNRESET', 'connect_refused'],
  ['ENOTFOUND', 'name_unknown'],
  ['ENFILE', 'too_many_files'],
  ['CERT_HAS_EXPIRED', 'tls_failed'],
  ['ESOMETHINGELSE', 'connect_refused'],
])('whatever has kept a connection from coming about, nothing was heard: %s is %s', (code, expected) => {
  const error = Object.assign(new Error(), { code });
  expect(classOfConnectError(error)).toEqual({ code: expected, exchange: 'refused' });
  expect(classOfConnectError(new AggregateError([error]))).toEqual({ code: expected, exchange: 'refused' });
});

test.skipIf(process.platform === 'win32')('a process that may open no more files says so', () => {
  const program = join(import.meta.dirname, '..', 'testing', 'out-of-files.ts');
  const called = ['http://127.0.0.1:9/in', '127.0.0.1:9/a.B/C'];
  const command = `ulimit -n 64; exec "$0" "$@"`;
  const printed = execFileSync('sh', ['-c', command, process.execPath, program, ...called], { encoding: 'utf8' });
  const outcome = { class: 'unknown', code: 'too_many_files', exchange: 'refused', detail: expect.stringContaining('EMFILE') };
  expect(JSON.parse(printed)).toMatchObject([outcome, outcome]);
});
