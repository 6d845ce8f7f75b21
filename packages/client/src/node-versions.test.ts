/** The client on each Node version it supports; the older ones come from `tests/node-versions`. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Server } from '@amends/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startNativeServer } from '../tests/native-server.ts';

const folder = join(import.meta.dirname, '..', 'tests', 'node-versions');
const nodes = {
  22: join(folder, 'node_modules', 'node-22', 'bin', 'node'),
  24: join(folder, 'node_modules', 'node-24', 'bin', 'node'),
  26: process.execPath,
};
const run = promisify(execFile);
const remedy = 'npm ci --ignore-scripts --prefix packages/client/tests/node-versions (Linux on x64)';

let server: Server;
beforeAll(async () => {
  server = await startNativeServer();
});
afterAll(() => server.stop());

describe('the client', () => {
  for (const [version, node] of Object.entries(nodes)) {
    it(`works on Node ${version}`, async ({ skip }) => {
      const missing = !existsSync(node);
      if (missing && process.env.CI !== 'true') skip(`Node ${version} is not installed: ${remedy}`);
      expect(missing, `Node ${version} must be installed: ${remedy}`).toBe(false);
      const { stdout } = await run(node, [join(folder, 'transfer.mjs'), server.url]);
      expect(JSON.parse(stdout)).toEqual({ node: version, outcome: 'succeeded', entries: [-30] });
    });
  }
});
