/** How the native API words what is wrong, and when it says to come back. */
import { describe, expect, it } from 'vitest';
import { deadAddress } from '../../testing/participant.ts';
import { runningServer } from '../../testing/running-server.ts';

const at = '/api/v1/transactions';
const step = { action: '' };

describe('a refusal', () => {
  it.each([
    ['a body that is null', null, { field: 'body', message: 'must be an object, is null' }],
    ['no steps', { mode: 'saga', steps: [] }, { field: 'steps', message: 'must have at least 1 entry, has 0' }],
    [
      'an empty gid',
      { mode: 'saga', gid: '', steps: [step] },
      { field: 'gid', message: 'must have at least 1 character, has 0' },
    ],
    [
      'a gid of blanks',
      { mode: 'saga', gid: ' \u00a0 ', steps: [step] },
      {
        field: 'gid',
        message: expect.stringMatching(/^must not contain control characters, nor begin or end with white space, is /),
      },
    ],
    [
      'a bad header name',
      { mode: 'saga', steps: [step], headers: { 'x y:': 'z' } },
      { field: 'headers."x y:"', message: 'is not a valid header name' },
    ],
    [
      'a number that no double holds',
      { mode: 'saga', steps: [{ action: '', timeoutMs: 1e17 }] },
      { field: 'steps[0].timeoutMs', message: 'must be at most 600000, is 100000000000000000' },
    ],
    [
      'an address of many letters',
      { mode: 'saga', steps: [{ action: 'x'.repeat(3_000) }] },
      { field: 'steps[0].action', message: 'must have at most 2048 characters, has 3000' },
    ],
    [
      'a day that no month has',
      { mode: 'msg', steps: [step], notBefore: '2030-02-30T00:00:00Z' },
      { field: 'notBefore', message: expect.stringMatching(/^must be a moment .*, is "2030-02-30T00:00:00Z"$/) },
    ],
    [
      'a header with a long name',
      { mode: 'saga', steps: [step], headers: { ['x'.repeat(129)]: '' } },
      { field: expect.stringMatching(/^headers\.x/), message: 'has a name of 129 characters, at most 128 are allowed' },
    ],
  ])('for %s lists the field', async (_what, body, error) => {
    const amends = await runningServer();
    expect(await amends.post(at, JSON.stringify(body))).toMatchObject({ status: 400, body: { errors: [error] } });
    expect(await amends.gids()).toEqual([]);
  });

  it.each([
    ['limit=-1', 'query.limit: must be a whole number from 1 to 1000, is -1'],
    ['limit=0', 'query.limit: must be a whole number from 1 to 1000, is 0'],
    ['limit=many', 'query.limit: must be a whole number from 1 to 1000, is "many"'],
    ['limit=1.5', 'query.limit: must be a whole number from 1 to 1000, is "1.5"'],
    ['limit=1001', 'query.limit: must be a whole number from 1 to 1000, is 1001'],
  ])('of ?%s says what may be', async (query, detail) => {
    const amends = await runningServer();
    expect(await amends.get(`${at}?${query}`)).toMatchObject({ status: 400, body: { detail } });
  });

  it('says so too where the bound is that of numbers', async () => {
    const amends = await runningServer();
    const { body } = await amends.get(`${at}/g/history?afterSeq=-1`);
    expect(body.detail).toBe('query.afterSeq: must be a whole number from 0 to 9007199254740991, is -1');
  });
});

describe('an answer about a transaction that goes on later', () => {
  const later = (action: string, more: object) => ({
    gid: 'g',
    mode: 'saga',
    steps: [{ action, retry: { kind: 'fixed', ...more } }],
  });

  it('says in how many seconds, wherever it is given', async () => {
    const amends = await runningServer();
    const body = later(`${await deadAddress()}/a`, { delayMs: 20_000 });
    const created = await amends.post(`${at}?waitMs=60000`, body);
    expect(created).toMatchObject({ status: 201, body: { outcome: 'running', hold: null } });
    const answers = [created, await amends.post(at, body), await amends.get(`${at}/g`), await amends.get(`${at}/g?waitMs=1`)];
    for (const { headers } of answers) {
      const seconds = Number(headers.get('retry-after'));
      // Pauses are up to 15 % longer by chance.
      expect(seconds).toBeGreaterThan(15);
      expect(seconds).toBeLessThanOrEqual(23);
    }
  });

  it('does not when it is held or finished', async () => {
    const amends = await runningServer();
    const held = await amends.post(`${at}?waitMs=60000`, later(`${await deadAddress()}/a`, { attemptsMax: 1 }));
    expect(held).toMatchObject({ body: { hold: { code: 'attempts-exhausted' } } });
    expect(held.headers.get('retry-after')).toBeNull();
    const done = await amends.post(`${at}?waitMs=60000`, { gid: 'done', mode: 'saga', steps: [step] });
    expect(done).toMatchObject({ body: { outcome: 'succeeded' } });
    expect(done.headers.get('retry-after')).toBeNull();
  });
});
