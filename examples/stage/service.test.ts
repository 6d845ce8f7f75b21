/** A service that dies comes back at its address. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Service } from './service.ts';

const program = join(import.meta.dirname, '..', 'bank-transfer', 'letters.ts');

function letters(port?: number): Service {
  const folder = mkdtempSync(join(tmpdir(), 'amends-service-'));
  const files = { args: [program, '--db', join(folder, 'letters.db')], logFile: join(folder, 'letters.log') };
  const onCrash = (error: Error) => {
    throw error;
  };
  const service = new Service({ name: 'letters', ...files, ...(port === undefined ? {} : { port }), onCrash });
  onTestFinished(async () => {
    await service.stop();
    rmSync(folder, { recursive: true });
  });
  return service;
}

async function takePort(port: number) {
  const other = createServer().listen(port, '127.0.0.1');
  onTestFinished(() => void other.close());
  await once(other, 'listening');
  return other;
}

it('also where somebody else listens there meanwhile: it waits until they are gone', async () => {
  const service = letters();
  await service.start();
  const { url } = service;
  await service.kill();
  const other = await takePort(Number(new URL(url).port));
  const back = service.start();
  other.close();
  await back;
  expect(service.url).toBe(url);
  expect((await fetch(`${url}/letters`)).status).toBe(200);
});

it('listens where it is told at the first start, and where the kernel says when that is taken', async () => {
  const first = letters();
  await first.start();
  const port = Number(new URL(first.url).port);
  const second = letters(port);
  await second.start();
  expect(second.url).not.toBe(first.url);
  await first.stop();
  const third = letters(port);
  await third.start();
  expect(third.url).toBe(first.url);
});
