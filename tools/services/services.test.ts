import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { describeWith, service } from './service.ts';

await describeWith('postgres', 'Postgres', (url) => {
  it('takes prepared transactions', async () => {
    const client = new pg.Client(url);
    await client.connect();
    const { rows } = await client.query<{ max_prepared_transactions: string }>('SHOW max_prepared_transactions');
    expect(Number(rows[0]!.max_prepared_transactions)).toBeGreaterThan(0);
    await client.end();
  });

  it('is the same for everybody who asks in a run', async () => {
    expect(await service('postgres')).toBe(url);
  });
});

await describeWith('mariadb', 'MariaDB', (url) => {
  it('may be used to make databases', async () => {
    const connection = await createConnection(url);
    await connection.query('CREATE DATABASE services_test');
    await connection.query('DROP DATABASE services_test');
    await connection.end();
  });
});

await describeWith('redis', 'Redis', (url) => {
  it('stores', async () => {
    const redis = new Redis(url);
    expect(await redis.set('services-test', '1', 'EX', 60)).toBe('OK');
    await redis.quit();
  });
});

await describeWith('redis', 'what was started', () => {
  it('is stopped when the process that wanted it is gone, whatever signals came before', async () => {
    const keeper = fork(join(import.meta.dirname, 'main.ts'), { stdio: 'ignore', execArgv: [] });
    const url = await urlFrom(keeper);
    expect(await isListening(url)).toBe(true);
    keeper.kill('SIGINT');
    expect(await isListening(url)).toBe(true);
    keeper.disconnect();
    await once(keeper, 'exit');
    expect(await isListening(url)).toBe(false);
  });
});

async function urlFrom(keeper: ChildProcess): Promise<string> {
  keeper.send('redis');
  const [{ answer }] = (await once(keeper, 'message')) as [{ readonly answer: { readonly url: string } }];
  return answer.url;
}

async function isListening(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy()) as Promise<boolean>;
}

describe('MongoDB', () => {
  it('is not started: a server is named by its address', async ({ skip }) => {
    if (process.env['AMENDS_TEST_MONGODB_URL']) skip('a server is named in AMENDS_TEST_MONGODB_URL');
    await expect(service('mongodb')).rejects.toThrow('AMENDS_TEST_MONGODB_URL');
  });
});
