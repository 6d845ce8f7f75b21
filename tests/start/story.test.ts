/** An example's stories told beside a coordinator that runs, or does not. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { resolveConfig, startServer } from '@amends/server';
import { openMemoryStore } from '@amends/store';
import { expect, it, onTestFinished } from 'vitest';

const story = join(import.meta.dirname, '..', '..', 'examples', 'bank-transfer', 'story.ts');

function tell(server: string) {
  const child = spawn(process.execPath, [story, '--server', server], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]);
  const result = ended.then(([[code], stdout, stderr]) => ({ code: code as number | null, stdout, stderr }));
  return { child, result };
}

async function listening(server: Server): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('says within two seconds that there is no coordinator, and how to start one', async () => {
  const nobody = createTcpServer();
  const url = await listening(nobody);
  nobody.close();
  const { code, stdout, stderr } = await tell(url).result;
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(new RegExp(`^no coordinator answers at ${url} \\(.+\\): start one with \`npx amends serve\`, .*\n$`));
});

it.each([
  ['takes connections and says nothing', createTcpServer],
  ['is something else', () => createServer((_request, response) => response.end('hello'))],
])('does not wait for what %s', async (_what, make) => {
  const server = make() as Server;
  server.on('connection', (socket) => onTestFinished(() => void socket.destroy()));
  const url = await listening(server);
  const { code, stderr } = await tell(url).result;
  expect(code).toBe(1);
  expect(stderr).toContain('start one with `npx amends serve`');
});

it('Ctrl-C in a story ends it quietly: nothing has gone otherwise than told', async () => {
  const { config } = resolveConfig({ flags: { port: '0', grpcPort: '0', stopGraceMs: '0', logLevel: 'error' } });
  const server = await startServer(config, { store: openMemoryStore() });
  onTestFinished(() => server.stop());
  const { child, result } = tell(server.url);
  await new Promise<void>((resolve) => {
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk;
      if (said.includes('Ten transfers')) resolve();
    });
  });
  child.kill('SIGINT');
  const { code, stdout, stderr } = await result;
  expect({ code, stderr }).toEqual({ code: 130, stderr: '' });
  expect(stdout).not.toContain('did not end as told');
});
