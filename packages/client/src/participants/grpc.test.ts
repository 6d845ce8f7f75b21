/** Participants over gRPC, called by a coordinator and by a workflow. */
import { Client, credentials, Metadata, Server, ServerCredentials, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { freshGid } from '../../tests/databases.ts';
import { openStage, type Stage } from '../../tests/stage.ts';
import type { BranchRef } from './call.ts';
import { metadataOf, participant, verdictIn } from './grpc.ts';
import { BusinessFailure, NeedsAttention, Ongoing } from './verdict.ts';

const bytes = (message: Buffer) => message;
const method = (path: string) => ({
  path,
  requestStream: false,
  responseStream: false,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
});

let stage: Stage;
let bank: Server;
let client: Client;
let address: string;
let gid: string;
let log: string[];
let verdict: () => void;
let wanted: boolean | undefined;
beforeAll(async () => {
  stage = await openStage({ routes: (amends) => ({ '/resume': amends.resumeWorkflows() }) });
  bank = new Server();
  const handle = participant<Buffer, Buffer>(
    ({ op, branchId, body, attempt, answerWanted }) => {
      wanted = answerWanted;
      log.push(`${op} ${branchId} ${body}${attempt === undefined ? '' : ` #${attempt}`}`);
      verdict();
      return Buffer.from('done');
    },
    { onError: () => {} },
  );
  bank.addService({ Debit: method('/bank.Bank/Debit'), Undo: method('/bank.Bank/Undo') }, { Debit: handle, Undo: handle });
  const port = await new Promise<number>((resolve, reject) =>
    bank.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  address = `127.0.0.1:${port}`;
  client = new Client(address, credentials.createInsecure());
});
afterAll(async () => {
  client.close();
  bank.forceShutdown();
  await stage.close();
});
beforeEach(() => {
  gid = freshGid();
  log = [];
  verdict = () => {};
});

/** One call as a coordinator, or an application, makes it. */
function debit(branch: Partial<BranchRef>): Promise<Buffer> {
  const metadata = new Metadata();
  const entries = metadataOf({ gid, transType: 'saga', branchId: '01', op: 'action', ...branch });
  for (const [name, value] of Object.entries(entries)) if (value !== '') metadata.set(name, value);
  return new Promise((resolve, reject) =>
    client.makeUnaryRequest('/bank.Bank/Debit', bytes, bytes, Buffer.from('30'), metadata, (error: ServiceError | null, reply) =>
      error ? reject(verdictIn(error)) : resolve(reply!),
    ),
  );
}

const fail = (error: Error) => () => {
  throw error;
};

it('gives what the handler returns, and its verdicts as statuses', async () => {
  expect(String(await debit({}))).toBe('done');
  verdict = fail(new BusinessFailure('no money'));
  await expect(debit({})).rejects.toMatchObject({ name: 'BusinessFailure', message: 'no money' });
  verdict = fail(new BusinessFailure('不够'.repeat(5_000)));
  await expect(debit({})).rejects.toMatchObject({ name: 'BusinessFailure', message: `${'不够'.repeat(227)}…` });
  verdict = fail(new Ongoing('later'));
  await expect(debit({})).rejects.toMatchObject({ name: 'Ongoing' });
  verdict = fail(new Error('no database'));
  await expect(debit({})).rejects.toMatchObject({ code: 2, details: 'no database' });
  verdict = fail(new NeedsAttention('left in the middle'));
  await expect(debit({})).rejects.toThrow(new NeedsAttention('left in the middle'));
});

it('holds a saga where a human has to look', async () => {
  const steps = [{ action: `${address}/bank.Bank/Debit`, compensate: `${address}/bank.Bank/Undo` }];
  const body = { gid, trans_type: 'saga', protocol: 'grpc', retry_limit: 1, steps, payloads: ['30'] };
  verdict = fail(new NeedsAttention('left in the middle'));
  const headers = { 'content-type': 'application/json' };
  await fetch(`${stage.server.url}/api/dtmsvr/submit`, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(await stage.client.wait(gid, { waitMs: 5_000 })).toMatchObject({ hold: { code: 'participant-stuck', branchId: '01' } });
  await stage.client.terminate(gid, { reason: 'the test is over' });
  expect(log).toEqual(['action 01 30 #1']);
});

it('hears whether its answer is wanted', async () => {
  await debit({ answerWanted: true });
  expect(wanted).toBe(true);
});

it('refuses a call that does not say to which branch it belongs', async () => {
  await expect(debit({ branchId: '' })).rejects.toMatchObject({ code: 3, details: expect.stringContaining('dtm-branch_id') });
  expect(log).toEqual([]);
});

it('takes part in a saga over gRPC', async () => {
  const steps = [{ action: `${address}/bank.Bank/Debit`, compensate: `${address}/bank.Bank/Undo` }];
  const body = { gid, trans_type: 'saga', protocol: 'grpc', steps, payloads: ['30'] };
  const headers = { 'content-type': 'application/json' };
  verdict = fail(new BusinessFailure('no money'));
  await fetch(`${stage.server.url}/api/dtmsvr/submit`, { method: 'POST', headers, body: JSON.stringify(body) });
  verdict = () => {
    if (log.length === 1) throw new BusinessFailure('no money');
  };
  expect(await stage.client.wait(gid, { waitMs: 5_000 })).toMatchObject({ outcome: 'failed' });
  expect(log).toEqual(['action 01 30 #1', 'compensate 01 30 #1']);
});

it('is called by a step of a workflow, and undone by it', async () => {
  const order = stage.client.workflow(
    'grpc',
    async (w) => {
      await w.do('debit', (call) => debit(call).then(() => 'debited'), { onRollback: debit });
      throw new BusinessFailure('changed my mind');
    },
    { resume: `${stage.app}/resume` },
  );
  await expect(order.run(null, { gid })).rejects.toThrow('changed my mind');
  expect(log).toEqual(['action 01 30', 'rollback 01 30']);
});
