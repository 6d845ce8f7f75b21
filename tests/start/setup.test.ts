/** The set-up of a fresh clone, where it cannot succeed: it ends by itself and says why. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

describe('a fresh clone', () => {
  let clone: string;
  beforeAll(() => {
    clone = mkdtempSync(join(tmpdir(), 'amends-clone-'));
    for (const file of [
      'package-lock.json',
      ...globSync(['tools/*.mjs', '{.,packages/*,examples/*}/package.json'], { cwd: root }),
    ])
      cpSync(join(root, file), join(clone, file));
  });
  afterAll(() => rmSync(clone, { recursive: true, force: true }));

  it('without the registry: says so in seconds, and ends with 1', async () => {
    const registry = { npm_config_registry: 'http://127.0.0.1:9', npm_config_cache: join(clone, 'npm-cache') };
    const start = spawn(process.execPath, [join(clone, 'tools', 'start.mjs')], { env: { ...process.env, ...registry } });
    const [said, [code]] = await Promise.all([text(start.stderr), once(start, 'exit'), text(start.stdout)]);
    expect(code).toBe(1);
    expect(said).toContain('ECONNREFUSED');
    expect(said).toContain('npm ci failed');
    expect(said).toContain('check the connection or the proxy');
  });
});
