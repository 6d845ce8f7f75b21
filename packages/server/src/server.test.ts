import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { decorated, openMemoryStore } from '@amends/store';
import { describe, expect, it, onTestFinished } from 'vitest';
import { StartError } from './start-error.ts';
import { failingStore } from './testing/failing-store.ts';
import { deadAddress, participant } from './testing/participant.ts';
import { type RunningServer, runningServer, silentLog } from './testing/running-server.ts';
import { scratchFolder } from './testing/scratch.ts';

const at = '/api/v1/transactions';
const saga = (url: string, gid: string) => ({ gid, mode: 'saga', steps: [{ action: `${url}/a`, compensate: `${url}/una` }] });

/** A participant that answers when it is told to. */
async function patientParticipant() {
  const open: ServerResponse[] = [];
  const hold = (response: ServerResponse) => void open.push(response);
  const bank = await participant({ '/a': hold });
  return { ...bank, answer: () => open.splice(0).forEach((response) => void response.end()) };
}

/** A raw connection to a server, and whether it has been closed. */
async function connection(
  amends: RunningServer,
  text: string,
): Promise<{ readonly socket: Socket; readonly closed: Promise<void> }> {
  const { hostname, port } = new URL(amends.url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()).on('error', () => {}));
  await new Promise<void>((resolve) => socket.on('connect', () => socket.write(text, () => resolve())));
  return { socket, closed };
}

describe('a server that is told to stop', () => {
  it('lets a call in flight end and its caller know, and refuses new work meanwhile', async () => {
    const bank = await patientParticipant();
    const amends = await runningServer({ stopGraceMs: '60000' });
    const waiting = amends.post(`${at}?waitMs=60000`, saga(bank.url, 'g1'));
    await bank.called('/a');
    const stopped = amends.stop();
    const refused = await amends.post(at, saga(bank.url, 'g2'));
    expect(refused).toMatchObject({ status: 503, body: { code: 'stopping' } });
    expect(refused.headers.get('retry-after')).toBe('1');
    const refusedByDtm = await amends.post('/api/dtmsvr/submit', { gid: 'g3', trans_type: 'saga', steps: [{}], payloads: [''] });
    expect(refusedByDtm).toMatchObject({ status: 503, body: { message: expect.stringMatching(/stopping/) } });
    expect(await amends.get('/readyz')).toMatchObject({ status: 503, body: { state: 'stopping' } });
    bank.answer();
    expect(await waiting).toMatchObject({ status: 201, body: { status: 'succeed' } });
    await stopped;
    expect(bank.calls).toEqual(['action /a']);
  });

  it('answers who waits when the grace is over, with the transaction as it is', async () => {
    const bank = await patientParticipant();
    const amends = await runningServer();
    const waiting = [
      amends.post(`${at}?waitMs=60000`, saga(bank.url, 'g1')),
      bank.called('/a').then(() => amends.get(`${at}/g1?waitMs=60000`)),
    ];
    await bank.called('/a');
    await expect
      .poll(async () => (await amends.get('/metrics')).body, { timeout: 10_000 })
      .toContain('amends_load{what="calling"} 1');
    await amends.stop();
    for (const answer of await Promise.all(waiting)) expect(answer.body).toMatchObject({ gid: 'g1', outcome: 'running' });
  });

  it('closes every connection, also those of clients that say no more', async () => {
    const amends = await runningServer();
    const idle = await connection(amends, '');
    const half = await connection(amends, `POST ${at} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{`);
    await amends.get('/healthz');
    await amends.stop();
    await Promise.all([idle.closed, half.closed]);
    await expect(amends.get('/healthz')).rejects.toThrow();
  });

  it('ends although its store cannot be written, and answers who waits', async () => {
    const bank = await patientParticipant();
    const { store, fail } = failingStore(openMemoryStore());
    const amends = await runningServer({ stopGraceMs: '60000' }, { store });
    const waiting = amends.post(`${at}?waitMs=60000`, saga(bank.url, 'g1'));
    await bank.called('/a');
    fail('writing');
    bank.answer();
    await expect.poll(async () => (await amends.get('/readyz')).body.state, { timeout: 10_000 }).toBe('paused');
    await amends.stop();
    expect((await waiting).body).toMatchObject({ gid: 'g1', outcome: 'running' });
  });

  it('ends although its store answers nothing any more', async () => {
    const real = openMemoryStore();
    let hangs = false;
    const orNever = <T>(act: () => Promise<T>): Promise<T> => (hangs ? new Promise(() => {}) : act());
    const store = decorated(real, {
      commit: (changes) => orNever(() => real.commit(changes)),
      claim: (request) => orNever(() => real.claim(request)),
      heartbeat: (beat) => orNever(() => real.heartbeat(beat)),
      close: () => orNever(() => real.close()),
    });
    const amends = await runningServer({ stopGraceMs: '200' }, { store });
    hangs = true;
    const submitted = amends.post(at, saga('http://127.0.0.1:9', 'g1'));
    await expect.poll(async () => (await amends.get('/metrics')).body).toContain('amends_load{what="uncommitted"} 1');
    await amends.stop();
    expect(await submitted).toMatchObject({ status: 503, body: { code: 'stopping' } });
  });

  it('may be told so again', async () => {
    const amends = await runningServer();
    await Promise.all([amends.stop(), amends.stop()]);
    await amends.stop();
  });
});

/** A port that was free a moment ago. */
async function freePort(): Promise<string> {
  return new URL(await deadAddress()).port;
}

describe('a server that starts', () => {
  it('goes on with what the one before has left in the file', async () => {
    const store = `sqlite:${scratchFolder()}/amends.db`;
    const bank = await patientParticipant();
    const first = await runningServer({ store });
    await first.post(at, saga(bank.url, 'g1'));
    await bank.called('/a');
    await first.stop();
    const second = await runningServer({ store });
    await expect.poll(() => bank.calls.length).toBe(2);
    bank.answer();
    expect(await second.end('g1')).toMatchObject({ status: 'succeed' });
    expect((await second.history('g1')).map(({ kind }) => kind)).toEqual(['submitted', 'interrupted', 'answered']);
    const repeated = await second.post(at, saga(bank.url, 'g1'));
    expect(repeated).toMatchObject({ status: 200, body: { status: 'succeed' } });
  });

  it('passes on the trace of a request to the one before, and raises no alarm that was raised already', async () => {
    const store = `sqlite:${scratchFolder()}/amends.db`;
    const traces: unknown[] = [];
    const bank = await participant({ '/a': (response) => traces.length > 1 && response.end() }, (_, { traceparent }) => {
      traces.push(traceparent);
    });
    const { promise: warned, resolve } = Promise.withResolvers<unknown>();
    const before = await runningServer({ store }, { log: { ...silentLog, warn: resolve } });
    const traceparent = `00-${'a'.repeat(32)}-00f067aa0ba902b7-01`;
    await before.ask('POST', at, { ...saga(bank.url, 'late'), alarmAfterMs: 30 }, { traceparent });
    await Promise.all([warned, bank.called('/a')]);
    await before.stop();
    const warnings: unknown[] = [];
    const after = await runningServer({ store }, { log: { ...silentLog, warn: (fields) => warnings.push(fields) } });
    expect(await after.end('late')).toMatchObject({ status: 'succeed', overdueSince: expect.any(String) });
    const kinds = (await after.history('late')).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'overdue')).toHaveLength(1);
    expect(warnings).toEqual([]);
    expect(traces).toHaveLength(2);
    for (const trace of traces) expect(trace).toMatch(/^00-a{32}-[0-9a-f]{16}-01$/);
    expect(traces[0]).not.toBe(traces[1]);
  });

  it('makes the folder of its file', async () => {
    const amends = await runningServer({ store: `sqlite:${scratchFolder()}/new/folder/amends.db` });
    expect((await amends.get('/readyz')).status).toBe(200);
  });

  it('says how to choose another port for gRPC when that is in use', async () => {
    const { grpcAddress } = await runningServer();
    const port = grpcAddress.split(':')[1]!;
    await expect(runningServer({ grpcPort: port })).rejects.toThrow(
      new RegExp(`^port ${port} on 127\\.0\\.0\\.1 is in use, .* --grpc-port$`),
    );
  });

  it('says how to choose another port when its port is in use, and leaves the store to others', async () => {
    const { port } = new URL((await participant()).url);
    const store = `sqlite:${scratchFolder()}/amends.db`;
    const start = runningServer({ store, port });
    await expect(start).rejects.toThrow(StartError);
    await expect(start).rejects.toThrow(new RegExp(`^port ${port} on 127\\.0\\.0\\.1 is in use, .* --port$`));
    expect((await (await runningServer({ store })).get('/readyz')).status).toBe(200);
  });

  it('says how to choose another host when it has no such address', async () => {
    const start = runningServer({ host: '203.0.113.1', insecure: 'true' });
    await expect(start).rejects.toThrow(/^203\.0\.113\.1 is not an address of this machine; .* --host$/);
  });

  it('says what is wrong with a store that cannot be written, and lets go of its port', async () => {
    const { store, fail } = failingStore(openMemoryStore());
    fail('writing');
    const port = await freePort();
    const start = runningServer({ port }, { store });
    await expect(start).rejects.toThrow(StartError);
    await expect(start).rejects.toThrow('the disk is full');
    expect((await runningServer({ port })).url).toMatch(new RegExp(`:${port}$`));
  });

  it('refuses a file that another server is using', async () => {
    const store = `sqlite:${scratchFolder()}/amends.db`;
    await runningServer({ store });
    const second = runningServer({ store });
    await expect(second).rejects.toThrow(StartError);
    await expect(second).rejects.toThrow(/amends\.db/);
  });
});
