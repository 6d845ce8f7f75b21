/** Where the answers to DTM's clients differ from DTM's on purpose, as `docs/migrating-from-dtm.md` lists it. */
import type { Gid } from '@amends/core';
import { openMemoryStore } from '@amends/store';
import { describe, expect, it } from 'vitest';
import { grpcClient } from '../testing/grpc-peer.ts';
import { type Answer, type RunningServer, runningServer } from '../testing/running-server.ts';

type Asked = (amends: RunningServer) => Promise<Answer>;

const base = '/api/dtmsvr';
const post =
  (verb: string, body: object): Asked =>
  (amends) =>
    amends.post(`${base}/${verb}`, body);
const get =
  (path: string): Asked =>
  (amends) =>
    amends.get(path);
const once =
  (first: Asked, then: Asked): Asked =>
  async (amends) => {
    await first(amends);
    return then(amends);
  };

const saga = { gid: 's', trans_type: 'saga', steps: [{ action: '', compensate: '' }], payloads: [''] };
const toNobody = { gid: 'm', trans_type: 'msg', steps: [{ action: 'topic://none' }], payloads: ['{}'] };
const tcc = post('prepare', { gid: 't', trans_type: 'tcc' });
const branch = { gid: 't', trans_type: 'tcc', branch_id: '01', confirm: '', cancel: '', data: '{}' };
const register = (change: object) => once(tcc, post('registerBranch', { ...branch, ...change }));
const calling = (action: string) => post('submit', { ...saga, steps: [{ action, compensate: '' }] });
const workflow = post('prepareWorkflow', { gid: 'w', trans_type: 'workflow', custom_data: '{"name":"order"}' });
const failure = (text: RegExp) => ({ dtm_result: 'FAILURE', message: expect.stringMatching(text) });
const message = (text: RegExp) => ({ message: expect.stringMatching(text) });

describe('over HTTP', () => {
  it.each<[string, Asked, number, unknown]>([
    ['prepare of a saga', post('prepare', saga), 400, message(/^mode: a saga is submitted, not prepared/)],
    [
      'submit of a tcc that was not prepared',
      post('submit', { gid: 't', trans_type: 'tcc' }),
      409,
      failure(/^no trans with gid: t /),
    ],
    [
      'submit of an xa that was not prepared',
      post('submit', { gid: 't', trans_type: 'xa' }),
      409,
      failure(/^no trans with gid: t /),
    ],
    [
      'prepare again with other content',
      once(tcc, post('prepare', { gid: 't', trans_type: 'xa' })),
      409,
      failure(/other content/),
    ],
    [
      'a saga without steps',
      post('submit', { ...saga, steps: [], payloads: [] }),
      400,
      message(/^steps: must have at least one/),
    ],
    ['a message without steps', post('submit', { ...toNobody, steps: [] }), 400, message(/^steps: must have at least one/)],
    ['a branch id with other characters', register({ branch_id: 'a/b' }), 400, message(/^branch_id: is "a\/b"/)],
    ['a branch id that is too long', register({ branch_id: '0'.repeat(129) }), 400, message(/^branch_id: /)],
    ['a branch id that is no text', register({ branch_id: 1 }), 400, message(/^body\.branch_id: is 1, must be a text/)],
    ['a branch of another type', register({ trans_type: 'xa', url: '' }), 400, message(/^trans_type: is xa, but t is a tcc/)],
    ['a branch that is registered twice', once(register({}), post('registerBranch', branch)), 200, { dtm_result: 'SUCCESS' }],
    [
      'a branch with other content',
      once(register({}), post('registerBranch', { ...branch, data: '7' })),
      409,
      failure(/with other content/),
    ],
    ['an address without a scheme', calling('bank/out'), 400, message(/^steps\[0\]\.action: is "bank\/out"/)],
    [
      'an address with a password',
      calling('http://me:pw@bank/'),
      400,
      message(/^steps\[0\]\.action: must not carry a user name/),
    ],
    ['an address with a fragment', calling('http://bank/#a'), 400, message(/^steps\[0\]\.action: must not have a fragment/)],
    [
      'an address with white space',
      calling('http://bank/a b'),
      400,
      message(/^steps\[0\]\.action: must not contain white space/),
    ],
    ['an address that is never called', calling('http://169.254.169.254/'), 400, message(/^steps\[0\]\.action: .* never called/)],
    ['a negative option', post('submit', { ...saga, timeout_to_fail: -1 }), 400, message(/^timeout_to_fail: is -1/)],
    [
      'a workflow that ends otherwise',
      once(workflow, post('submit', { gid: 'w', trans_type: 'workflow', req_extra: { status: 'hacked' } })),
      400,
      message(/^req_extra\.status: is "hacked"/),
    ],
    ['a topic that nobody knows', post('submit', toNobody), 404, { message: 'topic not found' }],
    ['a list by an unknown status', get(`${base}/all?status=magic`), 400, message(/^status: is "magic", must be one of/)],
    ['a list by a limit of 0', get(`${base}/all?limit=0`), 400, message(/^limit: must be at least 1|^limit: is 0/)],
    ['a list from a position that was not given', get(`${base}/all?position=abc`), 400, message(/^position: /)],
    ['a list by an unknown type, as with DTM', get(`${base}/all?transType=magic`), 200, { transactions: [], next_position: '' }],
    ['an act without a gid', post('forceStop', {}), 400, message(/^gid: is missing/)],
    ['what lies outside of the prefix', get('/admin/'), 404, { code: 'not_found', status: 404 }],
  ])('%s', async (_what, asked, status, body) => {
    expect(await asked(await runningServer())).toMatchObject({ status, body });
  });
});

describe('over gRPC', () => {
  it.each([
    [
      'Abort of an unknown gid',
      'Abort',
      { Gid: 'none', TransType: 'tcc' },
      { code: 2, message: 'no TransGlobal with gid: none found' },
    ],
    ['Abort of no type', 'Abort', { Gid: 'none' }, { code: 3, message: expect.stringMatching(/^trans_type: /) }],
    [
      'a topic that nobody knows',
      'Submit',
      { Gid: 'm', TransType: 'msg', Steps: JSON.stringify(toNobody.steps), BinPayloads: [Buffer.from('x')] },
      { code: 2, message: 'topic not found' },
    ],
    ['a topic that is not there to be deleted', 'DeleteTopic', { Topic: 'none' }, { code: 2, message: 'storage: NotFound' }],
  ] as const)('%s', async (_what, rpc, request, answer) => {
    const { grpcAddress } = await runningServer();
    expect(await grpcClient(grpcAddress).dtm(rpc, request)).toEqual(answer);
  });
});

describe('over JSON-RPC', () => {
  const rpc =
    (method: string, params: object): Asked =>
    (amends) =>
      amends.post('/api/json-rpc', { jsonrpc: '2.0', id: 'x', method, params });

  it('results are those of HTTP', async () => {
    const amends = await runningServer();
    for (const verb of ['prepare', 'submit'])
      expect((await rpc(verb, { gid: 't', trans_type: 'tcc' })(amends)).body).toEqual({
        jsonrpc: '2.0',
        id: 'x',
        error: null,
        result: { dtm_result: 'SUCCESS' },
      });
  });

  it('what is no JSON by its content type is a parse error, with the status that says so', async () => {
    const amends = await runningServer();
    for (const body of ['hello', '{"jsonrpc":"2.0","id":"x","method":"newGid"}'])
      expect(await amends.ask('POST', '/api/json-rpc', body, { 'content-type': 'text/plain' })).toMatchObject({
        status: 415,
        body: { error: { code: -32700, message: expect.stringMatching(/text\/plain/) }, result: null },
      });
  });
});

it.each([
  ['true', undefined],
  ['false', false],
])('with the option dtm.runAhead %s a transaction is stored as it says', async (option, stored) => {
  const store = openMemoryStore();
  const amends = await runningServer({ 'dtm.runAhead': option }, { store });
  expect((await amends.post(`${base}/submit`, saga)).status).toBe(200);
  const [found] = await store.load(['s' as Gid]);
  expect(JSON.parse(found!.spec.plan).runAhead).toBe(stored);
});
