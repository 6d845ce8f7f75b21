/** Bad requests on both faces: each is refused with a 4xx that names what is wrong, and nothing is stored. */
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { participant } from '../testing/participant.ts';
import { type Answer, type RunningServer, runningServer } from '../testing/running-server.ts';

const step = { action: 'http://127.0.0.1:9/a', compensate: 'http://127.0.0.1:9/una' };
const native = (change: object = {}) => ({ mode: 'saga', steps: [step], ...change });
const dtm = (change: object = {}) => ({ gid: 'g1', trans_type: 'saga', steps: [step], payloads: ['{}'], ...change });
const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

interface FaceCases {
  readonly path: string;
  /** What an answer complains about: fields when the face knows them, else its words. */
  complaint(answer: Answer): string;
  readonly cases: readonly (readonly [what: string, body: unknown, status: number, complaint: RegExp])[];
}

/** What is no request whatever the face. */
const nonsense: FaceCases['cases'] = [
  ['nothing', '', 400, /body: is empty/],
  ['text that is not JSON', 'nonsense', 400, /body: is not JSON: expected a value at position 0/],
  ['JSON that ends too early', '{"gid":', 400, /body: is not JSON: expected a value at position 7/],
  ['a number', '7', 400, /^body: /],
  ['a huge number', '9'.repeat(30), 400, /^(body|steps|gid|mode): /],
  ['a list', '[]', 400, /^body: /],
  ['null', 'null', 400, /^body: /],
  ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400, /body: is not valid UTF-8/],
  ['2 MiB', `{"gid":"${'x'.repeat(2 * 1_048_576)}"}`, 413, /body: has 2097162 bytes, at most 1048576 are taken/],
  ['10 MiB', `{"gid":"${'x'.repeat(10 * 1_048_576)}"}`, 413, /body: has 10485770 bytes, at most 1048576 are taken/],
  [
    'a key twice',
    '{"gid":"g","gid":"h"}',
    400,
    /body: has the key "gid" twice in one object with different values, again at position 11/,
  ],
  ['a key twice, deep inside', '{"steps":[{"payload":{"a":1,"a":2}}]}', 400, /body: has the key "a" twice/],
  ['deep nesting', `{"gid":${deep(100)}}`, 400, /body: is nested deeper than 64 levels/],
  ['very deep nesting', `{"gid":${deep(200_000)}}`, 400, /body: is nested deeper than 64 levels/],
  ['the key __proto__', '{"__proto__":{"gid":"g"}}', 400, /body: has the key __proto__/],
  ['the key __proto__ in escapes', '{"\\u005f\\u005fproto__":{"gid":"g"}}', 400, /body: has the key __proto__/],
  ['the key constructor inside', '{"steps":[{"constructor":{"prototype":{}}}]}', 400, /body: has the key constructor/],
  ['20,000 keys', `{${Array.from({ length: 20_000 }, (_, i) => `"k${i}":1`).join()}}`, 400, /body: has more than 10000 keys/],
];

const nativeFace: FaceCases = {
  path: '/api/v1/transactions',
  complaint: ({ body }) => body.detail,
  cases: [
    ...nonsense,
    ['no mode', native({ mode: undefined }), 400, /^mode: must be "saga", .* is missing/],
    ['an unknown mode', native({ mode: 'magic' }), 400, /^mode: must be "saga", .* is "magic"/],
    ['a field that is misspelt', native({ stpes: [] }), 400, /^stpes: is not known here/],
    ['no steps', native({ steps: undefined }), 400, /^steps: must be an array, is missing/],
    ['an empty list of steps', native({ steps: [] }), 400, /^steps: must have at least 1/],
    ['5,000 steps', native({ steps: new Array(5_000).fill({ action: '' }) }), 400, /^steps: must have at most 1000/],
    ['steps that are a text', native({ steps: 'all' }), 400, /^steps: must be an array, is "all"/],
    ['a step that is null', native({ steps: [null] }), 400, /^steps\[0\]: must be an object, is null/],
    ['a URL that is a number', native({ steps: [{ action: 5 }] }), 400, /^steps\[0\]\.action: must be a text, is 5/],
    ['a URL of another scheme', native({ steps: [{ action: 'file:///etc/passwd' }] }), 400, /^steps\[0\]\.action: is "file:/],
    ['a URL without a host', native({ steps: [step, { action: 'http:///x' }] }), 400, /^steps\[1\]\.action: is "http:\/\/\/x"/],
    ['a URL with a line break', native({ steps: [{ action: 'http://a/\r\nx' }] }), 400, /^steps\[0\]\.action: must not contain/],
    [
      'a URL with a password',
      native({ steps: [{ ...step, compensate: 'http://u:p@a/' }] }),
      400,
      /^steps\[0\]\.compensate: must not/,
    ],
    ['a gid with a line break', native({ gid: 'a\nb' }), 400, /^gid: must not contain control characters/],
    ['a gid of 200 characters', native({ gid: 'g'.repeat(200) }), 400, /^gid: must have at most 128/],
    ['a gid with a space at its start', native({ gid: ' order-7' }), 400, /^gid: must not .* white space/],
    ['an empty gid', native({ gid: '' }), 400, /^gid: must have at least 1/],
    ['a gid that is half a character', '{"gid":"\\ud800","mode":"saga","steps":[{"action":""}]}', 400, /^gid: must not contain/],
    [
      'a huge number',
      '{"timeoutMs":123456789012345678901234567890,"mode":"saga","steps":[]}',
      400,
      /timeoutMs: must be a number, is 123456789012345678901234567890/,
    ],
    [
      'an endless number',
      '{"timeoutMs":1e999,"mode":"saga","steps":[{"action":""}]}',
      400,
      /^timeoutMs: must be a number, is 1e999/,
    ],
    ['a fraction', native({ timeoutMs: 1.5 }), 400, /^timeoutMs: must be a whole number, is 1.5/],
    ['a number below all', native({ steps: [{ ...step, timeoutMs: 0 }] }), 400, /^steps\[0\]\.timeoutMs: must be at least 1/],
    [
      'a cycle',
      native({
        steps: [
          { ...step, after: [1] },
          { ...step, after: [0] },
        ],
      }),
      400,
      /^steps\[\d\]\.after: is part of a cycle/,
    ],
    ['a step after itself', native({ steps: [{ ...step, after: [0] }] }), 400, /^steps\[0\]\.after: names the step itself/],
    ['a step after one that is not there', native({ steps: [{ ...step, after: [7] }] }), 400, /^steps\[0\]\.after: names step 7/],
    [
      'a header with a line break',
      native({ headers: { 'x-a': 'b\r\nx-evil: 1' } }),
      400,
      /^headers\.x-a: must not contain line breaks/,
    ],
    ['a header of the connection', native({ headers: { Host: 'evil' } }), 400, /^headers\.Host: is set by Amends itself/],
    [
      'a header that forges the fencing token',
      native({ headers: { 'Amends-Epoch': '9' } }),
      400,
      /^headers\.Amends-Epoch: is set by Amends/,
    ],
    ['a header that is a number', native({ headers: { a: 1 } }), 400, /^headers\.a: must be a text, is 1/],
    [
      'two pivots',
      native({
        steps: [
          { action: '', kind: 'pivot' },
          { action: '', kind: 'pivot' },
        ],
      }),
      400,
      /^steps\[1\]\.kind: is a second pivot/,
    ],
  ],
};

const dtmFace: FaceCases = {
  path: '/api/dtmsvr/submit',
  complaint: ({ body }) => body.message,
  cases: [
    ...nonsense,
    ['no gid', dtm({ gid: null }), 400, /^gid: is missing/],
    ['a gid of line breaks', dtm({ gid: '\r\n;' }), 400, /^gid: is missing/],
    [
      'a gid with a space at its end',
      dtm({ gid: 'order-7 ' }),
      400,
      /^gid: is "order-7 ", must not begin or end with white space/,
    ],
    ['a gid with a space before a line break', dtm({ gid: 'order-7 \n' }), 400, /^gid: is "order-7 "/],
    ['a gid of 200 characters', dtm({ gid: 'g'.repeat(200) }), 400, /^gid: has 200 characters/],
    ['a gid that is a number', dtm({ gid: 7 }), 400, /^gid: is 7, must be a text/],
    ['no type', dtm({ trans_type: '' }), 400, /^trans_type: is "", must be "saga"/],
    ['an unknown type', dtm({ trans_type: 'magic' }), 400, /^trans_type: is "magic"/],
    ['no steps', dtm({ steps: null, payloads: null }), 400, /^steps: must have at least one step/],
    ['fewer payloads than steps', dtm({ steps: [step, step] }), 400, /^payloads: has 1 entries for 2 steps/],
    ['5,000 steps', dtm({ steps: new Array(5_000).fill({}), payloads: [] }), 400, /^steps: has 5000 entries/],
    ['steps that are a text', dtm({ steps: 'x' }), 400, /^steps: is "x", must be an array/],
    ['a broken URL', dtm({ steps: [{ action: 'bank:8080/out' }] }), 400, /^steps\[0\]\.action: is "bank:8080\/out"/],
    ['a payload that is an object', dtm({ payloads: [{}] }), 400, /^payloads\[0\]: is \{\}, must be a text/],
    ['a truth that is a text', dtm({ wait_result: 'true' }), 400, /^wait_result: is "true"/],
    [
      'a huge number',
      '{"gid":"g","retry_limit":123456789012345678901234567890}',
      400,
      /^retry_limit: is 123456789012345678901234567890/,
    ],
    ['a time beyond all', dtm({ timeout_to_fail: 1e12 }), 400, /^timeout_to_fail: is 1000000000000/],
    ['a negative number', dtm({ retry_interval: -1 }), 400, /^retry_interval: is -1/],
    [
      'a cycle',
      dtm({ steps: [step, step], payloads: ['', ''], custom_data: '{"concurrent":true,"orders":{"0":[1],"1":[0]}}' }),
      400,
      /^custom_data\.orders\.\d: is part of a cycle/,
    ],
    [
      'orders of a step that is not there',
      dtm({ custom_data: '{"concurrent":true,"orders":{"9":[0]}}' }),
      400,
      /^custom_data\.orders: names step "9"/,
    ],
    ['custom data that is not JSON', dtm({ custom_data: '{' }), 400, /^custom_data: /],
    [
      'a key twice in custom data',
      dtm({ custom_data: '{"concurrent":true,"concurrent":false}' }),
      400,
      /^custom_data: has the key/,
    ],
    ['custom data nested deeply', dtm({ custom_data: deep(200_000) }), 400, /^custom_data: is nested deeper than 64 levels/],
    [
      'orders nested deeply',
      dtm({ custom_data: `{"concurrent":true,"orders":{"0":${deep(200_000)}}}` }),
      400,
      /^custom_data: is nested deeper/,
    ],
    [
      'the key __proto__ in custom data',
      dtm({ custom_data: '{"concurrent":true,"orders":{"__proto__":[0]}}' }),
      400,
      /^custom_data: has the key __proto__/,
    ],
    [
      'a header with a line break',
      dtm({ branch_headers: { 'x-a': 'b\r\nx-evil: 1' } }),
      400,
      /^branch_headers\.x-a: must not contain/,
    ],
  ],
};

async function expectNothingStored(amends: RunningServer): Promise<void> {
  expect(await amends.gids()).toEqual([]);
  expect((await amends.get('/api/dtmsvr/all')).body).toEqual({ transactions: [], next_position: '' });
  expect((await amends.get('/api/v1/health')).body).toMatchObject({ state: 'running', live: 0, uncommitted: 0 });
}

/** Sends a body without an end until the answer comes. */
function statusOfEndlessBody(url: string): Promise<number> {
  return new Promise((resolve) => {
    // A connection that is closed while one still sends may take the answer with it (RFC 9112, 9.6): who got none asks again.
    let isAnswered = false;
    const askAgain = () => isAnswered || resolve(statusOfEndlessBody(url));
    const piece = Buffer.alloc(65_536, ' ');
    const sending = request(url, { method: 'POST', headers: { 'content-type': 'application/json' } });
    const more = () => {
      while (!sending.destroyed && sending.write(piece));
    };
    sending.on('drain', more).on('error', askAgain);
    sending.on('response', (response) => {
      isAnswered = true;
      resolve(response.statusCode!);
      sending.destroy();
    });
    more();
  });
}

describe.each([
  ['native', nativeFace],
  ['DTM', dtmFace],
] as const)('the %s face', (_name, { path, cases, complaint }) => {
  it.each(cases)('refuses %s and stores nothing', async (_what, body, status, words) => {
    const amends = await runningServer();
    const answer = await amends.post(path, body);
    expect([answer.status, complaint(answer)]).toEqual([status, expect.stringMatching(words)]);
    await expectNothingStored(amends);
  });

  it('refuses what says to be something else than JSON', async () => {
    const amends = await runningServer();
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/jsonp']) {
      const answer = await amends.ask('POST', path, '{}', { 'content-type': type });
      expect([answer.status, complaint(answer)]).toEqual([415, expect.stringContaining('send application/json')]);
    }
    await expectNothingStored(amends);
  });

  it('refuses a body that is encoded', async () => {
    const amends = await runningServer();
    for (const coding of ['gzip', 'br', 'identity, gzip']) {
      const answer = await amends.ask('POST', path, '{}', { 'content-encoding': coding });
      expect([answer.status, complaint(answer)]).toEqual([415, expect.stringContaining('send the body as it is')]);
    }
    expect((await amends.ask('POST', path, '{}', { 'content-encoding': 'identity' })).status).toBe(400);
    await expectNothingStored(amends);
  });

  it('refuses a body that does not end', async () => {
    const amends = await runningServer();
    expect(await statusOfEndlessBody(amends.url + path)).toBe(413);
    await expectNothingStored(amends);
  });

  it('refuses bodies above the size of its configuration', async () => {
    const amends = await runningServer({ bodyBytesMax: '2048' });
    expect((await amends.post(path, `{"gid":"${'x'.repeat(2_048)}"}`)).status).toBe(413);
    await expectNothingStored(amends);
  });
});

describe('what looks bad but is not', () => {
  it('is done: quotes in gids, and payloads of any JSON', async () => {
    const bodies: string[] = [];
    const bank = await participant({}, (body) => bodies.push(body));
    const amends = await runningServer();
    const payload = '{"id":12345678901234567890,"big":1e999,"text":"\\u0000</script>\\ud83d\\ude00"}';
    const gid = `a"b'c\\d`;
    const sent = `{"gid":${JSON.stringify(gid)},"mode":"saga","steps":[{"action":"${bank.url}/a","payload":${payload}}]}`;
    expect((await amends.post('/api/v1/transactions', sent)).status).toBe(201);
    expect(await amends.end(gid)).toMatchObject({ status: 'succeed' });
    expect(bodies).toEqual([payload.replace('\\ud83d\\ude00', '\u{1f600}')]);
  });

  it('is done: white space inside of gids', async () => {
    const amends = await runningServer();
    expect((await amends.post('/api/dtmsvr/submit', dtm({ gid: 'order 7\n', steps: [{}] }))).status).toBe(200);
    expect(await amends.gids()).toEqual(['order 7']);
    for (const path of ['/api/dtmsvr/query?gid=order%207%20', '/api/v1/transactions/order%207%20'])
      expect((await amends.get(path)).status).toBe(400);
  });

  it('is done as DTM does it: line breaks in gids are dropped', async () => {
    const amends = await runningServer();
    await amends.post('/api/dtmsvr/submit', {
      gid: 'a\n;"b"',
      trans_type: 'saga',
      steps: [{}],
      payloads: [''],
      wait_result: true,
    });
    expect(await amends.gids()).toEqual(['a"b"']);
  });

  it('leaves prototypes alone', async () => {
    const amends = await runningServer();
    await amends.post('/api/v1/transactions', '{"__proto__":{"polluted":1},"mode":"saga","steps":[{"action":""}]}');
    await amends.get('/api/v1/transactions?__proto__[polluted]=1&__proto__=1');
    await amends.get('/api/dtmsvr/all?__proto__=1');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});
