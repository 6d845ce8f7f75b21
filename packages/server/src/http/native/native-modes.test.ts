import { describe, expect, it } from 'vitest';
import { participant } from '../../testing/participant.ts';
import { type RunningServer, runningServer } from '../../testing/running-server.ts';
import { scratchFolder } from '../../testing/scratch.ts';

const at = '/api/v1/transactions';

const stores = [
  ['memory', () => 'memory:'],
  ['SQLite', () => `sqlite:${scratchFolder()}/amends.db`],
] as const;

const act = (amends: RunningServer) => ({
  create: (body: object, query = '') => amends.post(`${at}${query}`, body),
  submit: (gid: string, query = '?waitMs=10000') => amends.ask('POST', `${at}/${gid}/submit${query}`),
  abort: (gid: string, body: object = {}) => amends.post(`${at}/${gid}/abort?waitMs=10000`, body),
  register: (gid: string, body: object) => amends.post(`${at}/${gid}/branches`, body),
  conclude: (gid: string, body: object) => amends.post(`${at}/${gid}/conclude`, body),
});

const problem = (status: number, code: string, detail: RegExp) => ({
  status,
  body: { code, detail: expect.stringMatching(detail) },
});

describe('a tcc, natively', () => {
  it.each(stores)('is prepared, joined and submitted, each of it as often as one likes: %s', async (_name, store) => {
    const heard: string[] = [];
    const bank = await participant({}, (body) => heard.push(body));
    const { create, register, submit } = act(await runningServer({ store: store() }));
    expect(await create({ gid: 'g1', mode: 'tcc' })).toMatchObject({
      status: 201,
      body: { mode: 'tcc', status: 'prepared', branches: [] },
    });
    expect(await create({ gid: 'g1', mode: 'tcc' })).toMatchObject({ status: 200 });
    expect(await create({ gid: 'g1', mode: 'tcc', timeoutMs: 7 })).toMatchObject(problem(409, 'conflict', /other content/));
    const branch = (id: string) => ({
      mode: 'tcc',
      branchId: id,
      confirm: `${bank.url}/confirm${id}`,
      cancel: `${bank.url}/cancel${id}`,
      payload: { id },
    });
    expect((await register('g1', branch('01'))).status).toBe(201);
    expect((await register('g1', branch('01'))).status).toBe(200);
    expect(await register('g1', { ...branch('01'), payload: 7 })).toMatchObject(
      problem(409, 'conflict', /^branchId: "01" is there/),
    );
    expect((await register('g1', branch('02'))).body.branches).toMatchObject([
      { branchId: '01' },
      { branchId: '02', calls: [{ op: 'confirm' }, { op: 'cancel' }] },
    ]);
    expect(await submit('g1')).toMatchObject({ status: 200, body: { status: 'succeed' } });
    expect(await submit('g1')).toMatchObject({ status: 200, body: { status: 'succeed' } });
    expect(await create({ gid: 'g1', mode: 'tcc' })).toMatchObject({ status: 200, body: { status: 'succeed' } });
    expect(await register('g1', branch('03'))).toMatchObject(problem(409, 'wrong_status', /only while it is prepared/));
    expect(await act(await runningServer()).abort('g1')).toMatchObject({ status: 404 });
    expect(bank.calls).toEqual(['confirm /confirm02', 'confirm /confirm01']);
    expect(heard).toEqual(['{"id":"02"}', '{"id":"01"}']);
  });

  it('takes no more payload bytes than a transaction may have', async () => {
    const { create, register } = act(await runningServer());
    await create({ gid: 'g1', mode: 'tcc' });
    const large = (branchId: string) => ({ mode: 'tcc', branchId, confirm: '', cancel: '', payload: 'x'.repeat(600_000) });
    expect((await register('g1', large('01'))).status).toBe(201);
    expect(await register('g1', large('02'))).toMatchObject({ status: 400, body: { errors: [{ field: 'branchId' }] } });
  });

  it('is aborted, with its reason, and cannot be submitted any more', async () => {
    const bank = await participant();
    const { create, register, submit, abort } = act(await runningServer());
    await create({ gid: 'g1', mode: 'tcc' });
    await register('g1', { mode: 'tcc', branchId: '01', confirm: '', cancel: `${bank.url}/cancel` });
    for (const _ of [1, 2])
      expect(await abort('g1', { reason: 'no seat' })).toMatchObject({
        status: 200,
        body: { status: 'failed', reason: 'no seat' },
      });
    expect(await submit('g1')).toMatchObject(problem(409, 'wrong_status', /^g1 is failed, so it cannot be submitted/));
    expect(bank.calls).toEqual(['cancel /cancel']);
  });

  it('is rolled back when nobody says more within its time', async () => {
    const amends = await runningServer();
    await act(amends).create({ gid: 'g1', mode: 'tcc', timeoutMs: 1 });
    expect(await amends.end('g1')).toMatchObject({ status: 'failed', reason: 'neither submitted nor aborted within 1 ms' });
  });
});

describe('an xa, natively', () => {
  it('is committed in the order of registration', async () => {
    const bank = await participant();
    const { create, register, submit } = act(await runningServer());
    await create({ gid: 'g1', mode: 'xa', prepare: true });
    for (const branchId of ['01', '02']) await register('g1', { mode: 'xa', branchId, url: `${bank.url}/${branchId}` });
    expect(await submit('g1')).toMatchObject({ status: 200, body: { status: 'succeed' } });
    expect(bank.calls).toEqual(['commit /01', 'commit /02']);
  });
});

describe('a message, natively', () => {
  const message = (url: string, rest: object = {}) => ({
    gid: 'g1',
    mode: 'msg',
    steps: [{ action: `${url}/a`, payload: { n: 1 } }, { action: `${url}/b` }],
    ...rest,
  });

  it('is delivered at once when nobody prepares it', async () => {
    const bank = await participant();
    const { create } = act(await runningServer());
    expect(await create(message(bank.url), '?waitMs=10000')).toMatchObject({ status: 201, body: { status: 'succeed' } });
    expect(bank.calls).toEqual(['action /a', 'action /b']);
  });

  it.each(stores)('is prepared, and submitted by the same content or by its gid: %s', async (_name, store) => {
    const bank = await participant();
    const { create, submit } = act(await runningServer({ store: store() }));
    const queryUrl = `${bank.url}/query`;
    expect(await create(message(bank.url, { prepare: true, queryUrl }))).toMatchObject({
      status: 201,
      body: { status: 'prepared' },
    });
    expect(await create(message(bank.url, { queryUrl, concurrent: true }))).toMatchObject(
      problem(409, 'conflict', /other content/),
    );
    expect(bank.calls).toEqual([]);
    expect((await create(message(bank.url, { queryUrl }), '?waitMs=10000')).body.status).toBe('succeed');
    expect(await create(message(bank.url, { prepare: true, queryUrl }))).toMatchObject({
      status: 200,
      body: { status: 'succeed' },
    });
    await create(message(bank.url, { gid: 'g2', prepare: true, queryUrl }));
    expect(await submit('g2')).toMatchObject({ status: 200, body: { status: 'succeed' } });
    expect(bank.calls).toHaveLength(4);
  });

  it('asks whether it shall be delivered when nothing is heard any more', async () => {
    const bank = await participant({ '/no': 409 });
    const amends = await runningServer();
    const asking = (path: string) => ({ prepare: true, askAfterMs: 1, queryUrl: `${bank.url}/${path}` });
    await act(amends).create(message(bank.url, { gid: 'yes', ...asking('yes') }));
    await act(amends).create(message(bank.url, { gid: 'no', ...asking('no') }));
    expect([(await amends.end('yes')).status, (await amends.end('no')).status]).toEqual(['succeed', 'failed']);
    expect(bank.calls.filter((call) => call.startsWith('msg')).sort()).toEqual(['msg /no', 'msg /yes']);
  });

  it('waits for its delay and its moment', async () => {
    const bank = await participant();
    const amends = await runningServer();
    const notBefore = new Date(Date.now() + 3_600_000).toISOString();
    const waits = await act(amends).create(message(bank.url, { notBefore, delayMs: 5, alarmAfterMs: null }));
    expect(waits.body).toMatchObject({ status: 'submitted', wakeAt: notBefore });
    const delayed = await act(amends).create(message(bank.url, { gid: 'g2', delayMs: 200 }));
    expect(Date.parse(delayed.body.wakeAt) - Date.parse(delayed.body.createdAt)).toBe(200);
    expect((await amends.end('g2')).status).toBe('succeed');
  });

  it('to a topic goes to who subscribes when it begins, and stays the same when that changes', async () => {
    const bank = await participant();
    const amends = await runningServer();
    const { create } = act(amends);
    const put = (path: string, remark = '') =>
      amends.ask('PUT', '/api/v1/topics/t/subscriptions', { url: `${bank.url}/${path}`, remark });
    const toTopic = { gid: 'g1', mode: 'msg', steps: [{ action: 'topic://t', payload: 1 }] };
    expect(await create(toTopic)).toMatchObject({ status: 404, body: { code: 'topic_not_found' } });
    await put('a');
    await put('b', 'the second');
    expect((await create(toTopic, '?waitMs=10000')).body.branches.map(({ branchId }: { branchId: string }) => branchId)).toEqual([
      '00',
      '01-01',
      '01-02',
    ]);
    await put('c');
    expect(await create(toTopic)).toMatchObject({ status: 200, body: { status: 'succeed' } });
    expect(await create({ ...toTopic, delayMs: 1 })).toMatchObject({ status: 409 });
    expect(bank.calls).toEqual(['action /a', 'action /b']);
    const prepared = { ...toTopic, gid: 'g2', queryUrl: `${bank.url}/query` };
    await create({ ...prepared, prepare: true });
    await amends.ask('DELETE', '/api/v1/topics/t');
    expect((await create(prepared, '?waitMs=10000')).body.status).toBe('succeed');
    expect(bank.calls.slice(2)).toEqual(['action /a', 'action /b', 'action /c']);
  });
});

describe('a workflow, natively', () => {
  it.each(stores)('records its steps and its end, each once: %s', async (_name, store) => {
    const amends = await runningServer({ store: store() });
    const { create, register, conclude, submit, abort } = act(amends);
    const workflow = { gid: 'g1', mode: 'workflow', name: 'book', input: { seat: 7 } };
    expect((await create(workflow)).body).toMatchObject({ mode: 'workflow', status: 'prepared', progress: [], result: null });
    const step = { mode: 'workflow', branchId: '01', status: 'succeed', result: { id: 'r1' } };
    expect((await register('g1', step)).status).toBe(201);
    expect((await register('g1', step)).status).toBe(200);
    expect(await register('g1', { ...step, result: { id: 'r2' } })).toMatchObject({ status: 409, body: { code: 'conflict' } });
    const again = await create(workflow);
    expect(again).toMatchObject({
      status: 200,
      body: {
        progress: [{ branchId: '01', op: 'action', status: 'succeed', result: { encoding: 'utf8', text: '{"id":"r1"}' } }],
      },
    });
    expect(await submit('g1')).toMatchObject(problem(409, 'wrong_status', /a workflow cannot be submitted/));
    expect(await abort('g1')).toMatchObject(problem(409, 'wrong_status', /a workflow cannot be aborted/));
    const end = { status: 'succeed', result: [1, 2] };
    for (const _ of [1, 2])
      expect(await conclude('g1', end)).toMatchObject({ status: 200, body: { status: 'succeed', result: { text: '[1,2]' } } });
    expect(await conclude('g1', { ...end, result: [] })).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(await conclude('g1', { status: 'failed' })).toMatchObject({ status: 409, body: { code: 'wrong_status' } });
  });

  it('is run again when nothing is heard of it', async () => {
    const app = await participant();
    const amends = await runningServer();
    await act(amends).create({ gid: 'g1', mode: 'workflow', name: 'book', resumeUrl: `${app.url}/resume`, resumeAfterMs: 1 });
    await app.called(' /resume');
    await act(amends).conclude('g1', { status: 'failed', reason: 'no room' });
    expect(await amends.end('g1')).toMatchObject({ status: 'failed', reason: 'no room' });
  });
});

describe('topics, natively', () => {
  it('are put, listed and deleted, each as often as one likes', async () => {
    const amends = await runningServer();
    const subscriptions = '/api/v1/topics/a%2Fb/subscriptions';
    const put = (remark: string) => amends.ask('PUT', subscriptions, { url: 'http://x/', remark });
    expect(await put('one')).toMatchObject({ status: 200, body: { topic: 'a/b', version: 1 } });
    expect((await put('one')).body.version).toBe(1);
    expect((await put('two')).body).toMatchObject({ version: 2, subscribers: [{ url: 'http://x/', remark: 'two' }] });
    expect((await amends.get('/api/v1/topics')).body).toMatchObject({ topics: [{ topic: 'a/b' }] });
    for (const _ of [1, 2])
      expect(await amends.ask('DELETE', `${subscriptions}?url=http%3A%2F%2Fx%2F`)).toMatchObject({
        status: 200,
        body: { version: 3, subscribers: [] },
      });
    expect((await amends.ask('DELETE', '/api/v1/topics/a%2Fb')).body).toEqual({ deleted: true });
    expect((await amends.ask('DELETE', '/api/v1/topics/a%2Fb')).body).toEqual({ deleted: false });
    expect((await amends.get('/api/v1/topics')).body).toEqual({ topics: [] });
    expect(await amends.ask('DELETE', `${subscriptions}?url=x`)).toMatchObject({
      status: 404,
      body: { code: 'topic_not_found' },
    });
    expect(await amends.ask('DELETE', subscriptions)).toMatchObject({ status: 400, body: { errors: [{ field: 'query.url' }] } });
  });
});

describe('a saga whose payloads refer to answers', () => {
  const answered = (text: string) => (response: { writeHead(status: number): { end(text: string): void } }) =>
    response.writeHead(200).end(text);

  it.each(stores)('is called with them, and undone with them: %s', async (_name, store) => {
    const heard: string[] = [];
    const bank = await participant({ '/reserve': answered('{"id":12345678901234567890}'), '/pay': 409 }, (body) =>
      heard.push(body),
    );
    const amends = await runningServer({ store: store() });
    const steps = [
      {
        name: 'reserve',
        keepAnswer: true,
        action: `${bank.url}/reserve`,
        payload: { seat: 7 },
        compensate: `${bank.url}/release`,
        compensatePayload: { release: { $from: 'reserve', path: '$.id' } },
      },
      { action: `${bank.url}/pay`, payload: { for: { $from: 'reserve', path: '$.id' } } },
    ];
    const undone = await act(amends).create({ gid: 'g1', mode: 'saga', steps }, '?waitMs=10000');
    expect(undone.body).toMatchObject({
      status: 'failed',
      branches: [
        { name: 'reserve', answer: { text: '{"id":12345678901234567890}' } },
        { name: null, answer: null },
      ],
    });
    expect(heard).toEqual(['{"seat":7}', '{"for":12345678901234567890}', '{"release":12345678901234567890}']);
    expect((await act(amends).create({ gid: 'g1', mode: 'saga', steps })).status).toBe(200);
  });

  it('is called with them after a restart too', async () => {
    const store = `sqlite:${scratchFolder()}/amends.db`;
    const heard: string[] = [];
    let isUp = false;
    const bank = await participant(
      {
        '/reserve': answered('{"id":"r1"}'),
        '/pay': (response) => response.writeHead(isUp ? 200 : 500).end(),
      },
      (body) => heard.push(body),
    );
    const steps = [
      { name: 'reserve', keepAnswer: true, action: `${bank.url}/reserve` },
      { action: `${bank.url}/pay`, payload: { for: { $from: 'reserve', path: '$.id' } }, retry: { delayMs: 1 } },
    ];
    const before = await runningServer({ store });
    await act(before).create({ gid: 'g1', mode: 'saga', steps });
    await bank.called('/pay');
    await before.stop();
    isUp = true;
    const after = await runningServer({ store });
    expect(await after.end('g1')).toMatchObject({ status: 'succeed', branches: [{ answer: { text: '{"id":"r1"}' } }, {}] });
    expect(new Set(heard)).toEqual(new Set(['', '{"for":"r1"}']));
  });

  it('is rolled back when an answer has not what a payload needs', async () => {
    const bank = await participant({ '/reserve': answered('done') });
    const amends = await runningServer();
    const steps = [
      { name: 'reserve', keepAnswer: true, action: `${bank.url}/reserve`, compensate: `${bank.url}/release` },
      { action: `${bank.url}/pay`, payload: { $from: 'reserve', path: '$.id' } },
    ];
    expect((await act(amends).create({ gid: 'g1', mode: 'saga', steps }, '?waitMs=10000')).body).toMatchObject({
      status: 'failed',
      reason: 'step 02: the payload refers to $.id of the answer of reserve, which is not there',
    });
    expect(bank.calls).toEqual(['action /reserve', 'compensate /release']);
  });
});

describe('bodies of all modes', () => {
  it.each([
    ['no mode', {}, 'mode'],
    ['an unknown mode', { mode: 'magic' }, 'mode'],
    ['a saga that is prepared', { mode: 'saga', prepare: true, steps: [{ action: '' }] }, 'prepare'],
    ['a tcc that is not prepared', { mode: 'tcc', prepare: false }, 'prepare'],
    ['a tcc with steps', { mode: 'tcc', steps: [] }, 'steps'],
    ['a message without steps', { mode: 'msg' }, 'steps'],
    ['a prepared message that nobody can be asked about', { mode: 'msg', prepare: true, steps: [{ action: '' }] }, 'queryUrl'],
    ['a message to a broken address', { mode: 'msg', steps: [{ action: 'x' }] }, 'steps[0].action'],
    ['a moment without a time zone', { mode: 'msg', steps: [{ action: '' }], notBefore: '2030-01-01T00:00:00' }, 'notBefore'],
    [
      'a delivery that is rolled back',
      { mode: 'msg', steps: [{ action: '' }], retry: { attemptsMax: 1, atEnd: 'roll-back' } },
      'retry.atEnd',
    ],
    ['a workflow without a name', { mode: 'workflow' }, 'name'],
    ['a workflow resumed nowhere', { mode: 'workflow', name: 'x', resumeUrl: 'x' }, 'resumeUrl'],
    ['a bad path', { mode: 'saga', steps: [{ action: '', payload: { a: [{ $from: 'x', path: 'y' }] } }] }, 'steps[0].payload'],
    ['an unknown step', { mode: 'saga', steps: [{ action: '', payload: { $from: 'x' } }] }, 'steps[0].payload'],
    [
      'a payload of no compensation',
      { mode: 'saga', steps: [{ action: '', compensatePayload: 1 }] },
      'steps[0].compensatePayload',
    ],
  ])('are refused for %s, naming the field', async (_what, body, field) => {
    const amends = await runningServer();
    expect(await amends.post(at, body)).toMatchObject({ status: 400, body: { errors: [{ field }] } });
    expect(await amends.gids()).toEqual([]);
  });

  it.each([
    ['no mode', {}, 'mode'],
    ['another mode than that of the transaction', { mode: 'xa', branchId: '01', url: '' }, 'mode'],
    ['no branch id', { mode: 'tcc', confirm: '', cancel: '' }, 'branchId'],
    ['a strange branch id', { mode: 'tcc', branchId: 'a b', confirm: '', cancel: '' }, 'branchId'],
    ['no address to cancel', { mode: 'tcc', branchId: '01', confirm: '' }, 'cancel'],
    ['a broken address', { mode: 'tcc', branchId: '01', confirm: 'x', cancel: '' }, 'confirm'],
  ])('that register a branch are refused for %s', async (_what, body, field) => {
    const { create, register } = act(await runningServer());
    await create({ gid: 'g1', mode: 'tcc' });
    expect(await register('g1', body)).toMatchObject({ status: 400, body: { errors: [{ field }] } });
  });
});
