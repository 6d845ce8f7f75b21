/** What a log can look like after a crash alone is never taken for damage; what no crash leaves behind always is. */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstChange, gidOf } from '@amends/store/contract';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSqliteStore } from '../open-sqlite-store.ts';
import { readLog } from './write-ahead-log.ts';

const pageBytes = 24 + 4_096;
let directory: string;
let log: Buffer;
/** Number of the last page of each transaction. */
let ends: readonly number[];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'amends-log-'));
  const path = join(directory, 'amends.db');
  const store = await openSqliteStore({ path });
  for (let n = 0; n < 12; n += 1)
    await store.commit(Array.from({ length: 1 + ((n * 5) % 9) }, (_, m) => firstChange(gidOf(`g-${n}-${m}`))));
  await copyFile(`${path}-wal`, join(directory, 'whole'));
  await store.close();
  log = await readFile(join(directory, 'whole'));
  ends = endsIn(log);
});
afterAll(() => rm(directory, { recursive: true }));

const pageAt = (number: number) => 32 + (number - 1) * pageBytes;

function endsIn(bytes: Buffer): readonly number[] {
  const { sound } = readLog(join(directory, 'whole'));
  return Array.from({ length: sound }, (_, n) => n + 1).filter((page) => bytes.readUInt32BE(pageAt(page) + 4) > 0);
}

async function readingOf(change: (bytes: Buffer) => Buffer | undefined): Promise<ReturnType<typeof readLog>> {
  const bytes = Buffer.from(log);
  const file = join(directory, 'changed');
  await writeFile(file, change(bytes) ?? bytes);
  return readLog(file);
}

test('a whole log ends where it ends', async () => {
  expect(ends.length).toBeGreaterThan(10);
  expect(await readingOf(() => undefined)).toEqual({
    sound: ends.at(-1),
    behind: { frames: 0, transactions: 0 },
    isDamaged: false,
  });
});

/** Parts of pages, in sectors of 512 bytes, that a power failure has kept from the disk. */
const lostSectors = fc.array(fc.nat(), { minLength: 1, maxLength: 12 });

test('of the last transaction any sectors may be lost, and the log may end within it: no damage', async () => {
  await fc.assert(
    fc.asyncProperty(lostSectors, fc.boolean(), fc.nat(), async (sectors, isCut, cut) => {
      const [from, to] = [pageAt(ends.at(-2)! + 1), pageAt(ends.at(-1)! + 1)];
      const { isDamaged, sound } = await readingOf((bytes) => {
        for (const sector of sectors) {
          const at = from + ((sector * 512) % (to - from));
          bytes.fill(0, at, Math.min(at + 512, to));
        }
        return bytes.subarray(0, isCut ? from + (cut % (to - from)) : to);
      });
      expect(isDamaged).toBe(false);
      expect(sound).toBeGreaterThanOrEqual(ends.at(-2)!);
    }),
    { numRuns: 200 },
  );
});

test('any byte of a page that differs before the last transaction but one is damage, and says how much is behind it', async () => {
  const bytesBefore = pageAt(ends.at(-3)! + 1) - 32;
  await fc.assert(
    fc.asyncProperty(fc.nat(bytesBefore - 1), fc.integer({ min: 1, max: 255 }), async (at, difference) => {
      const { isDamaged, sound, behind } = await readingOf((bytes) => {
        bytes[32 + at]! ^= difference;
        return bytes;
      });
      const page = Math.floor(at / pageBytes) + 1;
      expect(isDamaged).toBe(true);
      expect(sound).toBeLessThan(page);
      expect(behind.transactions).toBeGreaterThanOrEqual(2);
      expect(behind.frames).toBeGreaterThan(0);
    }),
    { numRuns: 200 },
  );
});

test('what a transaction left that was torn by an earlier crash, and written over since, is no damage', async () => {
  const path = join(directory, 'twice.db');
  const store = await openSqliteStore({ path });
  await store.commit([firstChange(gidOf('first'))]);
  const before = readLog(`${path}-wal`).sound;
  await store.commit(Array.from({ length: 60 }, (_, n) => firstChange(gidOf(`torn-${n}`))));
  await copyFile(path, join(directory, 'again.db'));
  const bytes = await readFile(`${path}-wal`);
  await store.close();
  bytes.fill(0, pageAt(before + 2), pageAt(before + 3));
  await writeFile(join(directory, 'again.db-wal'), bytes);
  const again = await openSqliteStore({ path: join(directory, 'again.db') });
  await again.commit([firstChange(gidOf('second'))]);
  await copyFile(join(directory, 'again.db'), join(directory, 'third.db'));
  await copyFile(join(directory, 'again.db-wal'), join(directory, 'third.db-wal'));
  await copyFile(join(directory, 'again.db-witness'), join(directory, 'third.db-witness'));
  await again.close();
  expect(readLog(join(directory, 'third.db-wal')).behind).toMatchObject({ frames: expect.any(Number), transactions: 1 });
  const third = await openSqliteStore({ path: join(directory, 'third.db') });
  const loaded = await third.load(['first', 'second', 'torn-0'].map(gidOf));
  expect(loaded.map((one) => one?.row.gid)).toEqual(['first', 'second', undefined]);
  await third.close();
});
