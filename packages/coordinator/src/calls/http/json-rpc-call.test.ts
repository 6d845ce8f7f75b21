import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Outcome } from '@amends/core';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { BranchCall } from '../../ports/ports.ts';
import { branchCall } from '../../testing/branch-call.ts';
import { httpTransport } from './http-transport.ts';

interface Exchange {
  readonly outcome: Outcome;
  readonly sent: { readonly method: string; readonly path: string; readonly type: string; readonly body: string } | null;
}

/** Calls a participant that answers so, by JSON-RPC. */
async function called(
  rest: Partial<BranchCall>,
  answer = '{"jsonrpc":"2.0","id":"1","result":{}}',
  path = '/rpc?method=TransIn',
) {
  let sent: Exchange['sent'] = null;
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    sent = { method, path: url, type: headers['content-type'] ?? '', body: await text(request) };
    response.end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const transport = httpTransport();
  onTestFinished(async () => {
    await transport.close();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  const call = branchCall(url, { payload: Buffer.from('{}'), face: 'dtm', protocol: 'json-rpc', ...rest });
  const outcome = await transport.call(call);
  return { outcome, sent } as Exchange;
}

const own = '"gid":"g1","trans_type":"saga","branch_id":"01","op":"action"';

describe('a call by JSON-RPC', () => {
  test('is a POST to the URL as it is, with the payload and who calls as params, numbers digit for digit', async () => {
    const payload = Buffer.from('{"amount":12345678901234567890.10,"gid":"other"}');
    const { outcome, sent } = await called({ payload });
    expect(outcome).toMatchObject({ class: 'success', code: 'http_200' });
    expect(sent).toMatchObject({ method: 'POST', path: '/rpc?method=TransIn', type: 'application/json' });
    expect(sent!.body).toMatch(/^\{"jsonrpc":"2.0","id":"[\w-]{36}","method":"TransIn","params":\{/);
    expect(sent!.body).toContain('"params":{"amount":12345678901234567890.10,"gid":"g1","trans_type":"saga"');
  });

  test.each(['', 'null'])('with the payload %j has no params but its own', async (payload) => {
    const { sent } = await called({ payload: Buffer.from(payload) });
    expect(sent!.body).toContain(`"params":{${own}}`);
  });

  test.each(['[1]', '7', '"x"', '{'])('with the payload %j, which is no object, is not made', async (payload) => {
    const { outcome, sent } = await called({ payload: Buffer.from(payload) });
    expect(outcome).toMatchObject({ class: 'unknown', code: 'invalid_request', exchange: 'refused' });
    expect(sent).toBeNull();
  });

  test('is one of HTTP where the URL names no method', async () => {
    const { sent } = await called({ payload: Buffer.from('[1]') }, 'ok', '/plain');
    expect(sent).toMatchObject({ path: '/plain?branch_id=01&gid=g1&op=action&trans_type=saga', body: '[1]' });
  });

  test('keeps the whole answer where it is to be kept', async () => {
    const { outcome } = await called({ keepsAnswer: true }, '{"result":{"seat":7}}');
    expect(Buffer.from(outcome.kept!).toString()).toBe('{"result":{"seat":7}}');
  });
});

describe('an answer by JSON-RPC', () => {
  test.each([
    ['{"error":{"code":-32901,"message":"no"}}', 'failure'],
    ['{"error":{"code":409,"message":"no"}}', 'failure'],
    ['{"error":{"code":-32902,"message":"later"}}', 'ongoing'],
    ['{"error":{"code":425,"message":"later"}}', 'ongoing'],
    ['{"error":{"code":-32603,"message":"bug"}}', 'unknown'],
    ['{"error":{"code":"-32901"}}', 'unknown'],
    ['{"error":"no"}', 'unknown'],
    ['{"error":{"code":1,"message":"FAILURE"}}', 'failure'],
    ['{"error":null,"result":null}', 'success'],
    ['{"result":{"error":{"code":-32901}}}', 'success'],
    ['null', 'success'],
    ['no JSON', 'success'],
  ])('%s is %s', async (answer, verdict) => {
    const { outcome } = await called({}, answer);
    expect(outcome).toMatchObject({ class: verdict, exchange: 'answered', detail: verdict === 'success' ? '' : answer });
  });
});
