/**
 * The set-up of a fresh clone, where it cannot succeed: it ends by itself and says why, or is ended, and leaves nothing behind.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
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

  it('Ctrl-C while it installs: npm is gone too, at once', async () => {
    const registry = createServer(() => {}).listen(0, '127.0.0.1');
    await once(registry, 'listening');
    const place = {
      npm_config_registry: `http://127.0.0.1:${(registry.address() as AddressInfo).port}`,
      npm_config_cache: join(clone, 'npm-cache-of-ctrl-c'),
    };
    const start = spawn(process.execPath, [join(clone, 'tools', 'start.mjs')], {
      env: { ...process.env, ...place },
      stdio: 'ignore',
      detached: true,
    });
    const [asked] = await once(registry, 'connection');
    const npm = childrenOf(start.pid!);
    expect(npm).not.toEqual([]);
    process.kill(-start.pid!, 'SIGINT');
    expect(await once(start, 'exit')).toEqual([130, null]);
    await expect.poll(() => npm.filter(runs), { timeout: 1_000, interval: 20 }).toEqual([]);
    asked.destroy();
    registry.close();
  });
});

function childrenOf(parent: number): number[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const rows = stdout
    .trim()
    .split('\n')
    .map((row) => row.trim().split(/ +/).map(Number));
  return rows.filter(([, of]) => of === parent).map(([pid]) => pid!);
}

/** Whether a process is there, and not only its entry. */
function runs(pid: number): boolean {
  return /^[^Z]/.test(spawnSync('ps', ['-o', 'stat=', '-p', `${pid}`], { encoding: 'utf8' }).stdout.trim());
}
