/** A real application that is killed in the middle of a workflow. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshGid } from '../../../tests/databases.ts';
import { listen } from '../../../tests/listen.ts';
import { openStage, type Stage } from '../../../tests/stage.ts';

let stage: Stage;
const folder = mkdtempSync(join(tmpdir(), 'amends-client-'));
beforeAll(async () => {
  stage = await openStage();
});
afterAll(async () => {
  await stage.close();
  rmSync(folder, { recursive: true });
});

it('goes on in the next process with the answer of a step that was committed and not recorded, and does nothing twice', async () => {
  const gid = freshGid();
  const free = await listen(() => {});
  await free.close();
  const file = join(folder, 'bookings.db');
  const program = join(import.meta.dirname, '..', '..', '..', 'tests', 'dying-workflow.ts');
  const start = (...more: string[]) =>
    spawn(process.execPath, [program, stage.server.url, new URL(free.url).port, file, ...more], { stdio: 'inherit' });

  const [, signal] = (await once(start(gid), 'exit')) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
  expect(await stage.client.get(gid)).toMatchObject({ outcome: 'running', progress: [{ branchId: '01', status: 'succeed' }] });

  const next = start();
  const { outcome, result } = await stage.client.wait(gid, { waitMs: 30_000 });
  expect(outcome).toBe('succeeded');
  next.kill();
  await once(next, 'exit');
  const db = new Database(file);
  expect(db.prepare('SELECT what FROM booking').pluck().all()).toEqual(['flight of ann', 'hotel of ann']);
  const kept = db.prepare<[string], string>('SELECT result FROM dtm_barrier_result WHERE branch_id = ?').pluck().get('02');
  expect(JSON.parse(result!.text)).toEqual(JSON.parse(kept!));
  expect(JSON.parse(kept!)).toEqual({ row: 1, key: expect.any(Number) });
  db.close();
});
