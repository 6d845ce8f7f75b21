import { AmendsError } from '@amends/core';
import { describe, expect, it } from 'vitest';
import type { ServerLog } from '../telemetry/log.ts';
import { silentLog } from '../testing/running-server.ts';
import { type AskedOverHttp, requestError } from './request-error.ts';

/** A log that keeps what is said of errors. */
function keptLog(): ServerLog & { readonly errors: unknown[] } {
  const errors: unknown[] = [];
  return { ...silentLog, errors, error: ({ err }) => void errors.push(err) };
}

const asked = { headers: {}, routeOptions: { bodyLimit: 1_024 } } as AskedOverHttp;

describe('what went wrong with a request', () => {
  it('stays an operating error', () => {
    const error = new AmendsError('overloaded', 'too much');
    expect(requestError(error, silentLog, asked)).toBe(error);
  });

  it.each([
    [{ code: 'FST_ERR_CTP_BODY_TOO_LARGE', statusCode: 413 }, 'too_large', /^body: has too many bytes/],
    [{ code: 'FST_ERR_CTP_INVALID_CONTENT_LENGTH', statusCode: 400 }, 'invalid_request', /^body: /],
    [{ code: 'FST_ERR_BAD_URL', statusCode: 400, message: 'bad' }, 'invalid_request', /^path: bad$/],
    [{ code: 'FST_ERR_OF_LATER', statusCode: 414, message: 'too long' }, 'invalid_request', /^too long$/],
  ])('is the caller’s fault where HTTP says so: %o', (error, code, message) => {
    const log = keptLog();
    const made = requestError(error, log, asked);
    expect([made.code, made.message]).toEqual([code, expect.stringMatching(message)]);
    expect(log.errors).toEqual([]);
  });

  it('is a bug when nobody has foreseen it: logged, and not shown', () => {
    for (const bug of [new TypeError('secret'), 'thrown text', null]) {
      const log = keptLog();
      expect(requestError(bug, log, asked)).toMatchObject({ code: 'internal', message: expect.not.stringContaining('secret') });
      expect(log.errors).toEqual([bug]);
    }
  });
});
