/** `npm start` tells its stories, says what is in its way, and leaves nothing behind however it ends. */
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { AmendsClient } from '@amends/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fulfil } from '../../examples/order-fulfilment/fulfil.ts';
import { emptyPlace, type Place, run, type Starter } from './starter.ts';

const codes = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;
const firstStory = /Ann sends Bob 30\.00/;
const staysUp = /Everything stays up until Ctrl-C/;
const soon = { timeout: 15_000, interval: 100 };

let place: Place;
beforeEach(async () => {
  place = await emptyPlace();
});
afterEach(() => place.clear());

describe('npm start -- --once', () => {
  it('tells the stories of an example with a timeline each, and ends with 0', async () => {
    const start = place.start('--once', '--story', 'bank-transfer');
    expect(await start.ended, start.output()).toBe(codes.ok);
    const told = start.output();
    expect(told).toMatch(/credit +bank-b +refused +\d+ ms +carl has no account here/);
    expect(told).toMatch(/credit +bank-b +no answer/);
    expect(told).toMatch(/all done after \d+ ms/);
    expect(told).toContain('3 stories, each ended as told.');
    expect(place.processes()).toEqual([]);
  });

  it('tells the stories of a transfer in two phases', async () => {
    const start = place.start('--once', '--story', 'tcc-transfer');
    expect(await start.ended, start.output()).toBe(codes.ok);
    const told = start.output();
    expect(told).toMatch(/withdraw\/cancel +bank-a +done/);
    expect(told).toMatch(/deposit\/confirm +bank-b +no answer/);
    expect(told).toContain('4 stories, each ended as told.');
    expect(place.processes()).toEqual([]);
  });

  it('tells all of them, also where an earlier run has left its data', async () => {
    const first = place.start('--once');
    expect(await first.ended, first.output()).toBe(codes.ok);
    const again = place.start('--once');
    expect(await again.ended, again.output()).toBe(codes.ok);
    const howMany = /\d+ stories, each ended as told\./;
    expect(howMany.exec(again.output())?.[0]).toBe(howMany.exec(first.output())?.[0] ?? 'a number of stories');
  }, 180_000);
});

describe('what is in the way is named, and nothing is left running', () => {
  it.each([
    ['the coordinator', 0],
    ["the coordinator's gRPC", 1],
  ])('the port of %s is taken', async (name, offset) => {
    const port = place.port + offset;
    const holder = createServer().listen(port, '127.0.0.1');
    await once(holder, 'listening');
    const start = place.start('--once', '--story', 'bank-transfer');
    const code = await start.ended;
    await once(holder.close(), 'close');
    expect(code).toBe(codes.failed);
    expect(start.output()).toContain(`port ${port}, for ${name}: is taken by another program`);
    expect(place.processes()).toEqual([]);
  });

  it('the data folder cannot be made', async () => {
    const file = join(place.folder, 'a-file');
    writeFileSync(file, '');
    const start = place.start('--once', '--data', join(file, 'data'));
    expect(await start.ended).toBe(codes.failed);
    expect(start.output()).toContain(`cannot write to ${join(file, 'data')}`);
    expect(start.output()).toContain('--data FOLDER');
  });

  it('the data folder is in use by a run that stays up', async () => {
    const first = place.start('--story', 'bank-transfer');
    await first.until(staysUp);
    const other = await emptyPlace();
    const second = other.start('--once', '--data', place.folder);
    expect(await second.ended).toBe(codes.failed);
    expect(second.output()).toContain(`${join(place.folder, 'amends.db')} cannot be opened: it is in use`);
    expect(second.output()).not.toContain('reserved');
    await other.clear();
    await interrupt(first, codes.ok);
  });
});

describe('the command line', () => {
  it.each([
    [['--nonsense'], "Unknown option '--nonsense'"],
    [['--story', 'cooking'], '--story cooking: there is no such example; there are bank-transfer'],
    [['--port', '80000'], '--port 80000: must be a whole number'],
    [['--data', ''], '--data: must name a folder'],
  ])('%j is refused with 2', async (options, message) => {
    const start = run(options);
    expect(await start.ended).toBe(codes.usage);
    expect(start.output()).toContain(message);
  });

  it('--help names every option', async () => {
    const start = run(['--help']);
    expect(await start.ended).toBe(codes.ok);
    for (const option of ['--once', '--story', '--port', '--data', '--help']) expect(start.output()).toContain(option);
  });
});

describe('however it ends, nothing is left running', () => {
  it('Ctrl-C in the middle of a story', async () => {
    const start = place.start('--story', 'bank-transfer');
    await start.until(firstStory);
    await interrupt(start, codes.interrupted);
    expect(start.output()).not.toContain('did not end as told');
  });

  it('SIGTERM while it stays up', async () => {
    const start = place.start('--story', 'bank-transfer');
    await start.until(staysUp);
    start.child.kill('SIGTERM');
    expect(await start.ended).toBe(codes.ok);
    expect(place.processes()).toEqual([]);
  });

  it('SIGKILL of what was started', async () => {
    const start = place.start('--story', 'bank-transfer');
    await start.until(firstStory);
    start.child.kill('SIGKILL');
    await expect.poll(() => place.processes(), soon).toEqual([]);
  });

  it.runIf(process.platform === 'linux')('SIGKILL of npm, which stands behind a shell', async () => {
    const start = place.startByNpm('--story', 'bank-transfer');
    await start.until(firstStory);
    start.child.kill('SIGKILL');
    await expect.poll(() => place.processes(), soon).toEqual([]);
  });

  it('SIGKILL of the process that holds the services', async () => {
    const start = place.start('--story', 'bank-transfer');
    await start.until(firstStory);
    const main = place.processes().find(({ command }) => command.includes('main.ts'));
    process.kill(main!.pid, 'SIGKILL');
    expect(await start.ended).not.toBe(codes.ok);
    await expect.poll(() => place.processes(), soon).toEqual([]);
  });
});

describe('a second start', () => {
  it('makes the databases of the examples anew, and leaves everything else in the data folder alone', async () => {
    const theirs = join(place.folder, 'examples', 'bank-transfer', 'bank.ts');
    mkdirSync(dirname(theirs), { recursive: true });
    writeFileSync(theirs, 'of somebody else');
    for (const _ of ['first', 'second']) {
      const start = place.start('--once', '--story', 'bank-transfer');
      expect(await start.ended, start.output()).toBe(codes.ok);
    }
    expect(readFileSync(theirs, 'utf8')).toBe('of somebody else');
  });

  it('goes on with what the first left unfinished, on the databases of the first', async () => {
    const order = { id: 'unpaid', item: 'lamp', count: 1, cents: 2_990, address: '2 Harbour Street', payWithinMs: 60_000 };
    const amends = new AmendsClient({ server: `http://127.0.0.1:${place.port}` });
    const first = place.start('--story', 'order-fulfilment');
    await first.until(/Two lamps are ordered/);
    const { ORDERS, STOCK, PAYMENT, SHIPPING } = place.addresses('order-fulfilment');
    const shop = { orders: ORDERS!, stock: STOCK!, payment: PAYMENT!, shipping: SHIPPING! };
    const { gid } = await fulfil(amends, shop, order).submit();
    await expect.poll(() => billOf(shop.payment, order.id), soon).toBe('open');
    await interrupt(first, codes.interrupted);

    const second = place.start('--story', 'order-fulfilment', '--once');
    await second.until(/The last run left \d+ unfinished/);
    await expect.poll(() => pay(shop.payment, order.id), soon).toBe(200);
    await second.until(new RegExp(`${gid} succeeded`));
    await second.until(/Two lamps are ordered/);
    await interrupt(second, codes.interrupted);
    await amends.close();
  });

  it('finds the services where they were; one whose port is taken meanwhile listens elsewhere, and who took it is not ours', async () => {
    const first = place.start('--story', 'bank-transfer');
    await first.until(staysUp);
    const before = place.addresses('bank-transfer');
    const amends = new AmendsClient({ server: `http://127.0.0.1:${place.port}` });
    const { gid } = await amends
      .saga()
      .step({ kind: 'retriable', action: `${before['BANK_B']}/nothing-of-ours` })
      .submit();
    await interrupt(first, codes.ok);
    const taken = createServer().listen(Number(new URL(before['BANK_B']!).port), '127.0.0.1');
    await once(taken, 'listening');
    const second = place.start('--story', 'bank-transfer');
    await second.until(staysUp);
    expect((await amends.get(gid)).outcome).toBe('running');
    expect(second.output()).not.toContain('The last run left');
    await amends.close();
    taken.close();
    const { BANK_B, ...others } = place.addresses('bank-transfer');
    expect({ ...others, BANK_B: before['BANK_B'] }).toEqual(before);
    expect(BANK_B).not.toBe(before['BANK_B']);
    expect(second.output()).toContain(`bank-b ${BANK_B}`);
    await interrupt(second, codes.ok);
  });
});

async function interrupt(start: Starter, code: number): Promise<void> {
  start.interrupt();
  expect(await start.ended, start.output()).toBe(code);
  expect(place.processes()).toEqual([]);
}

async function billOf(payment: string, id: string): Promise<string | undefined> {
  const bills = (await (await fetch(`${payment}/bills`)).json()) as { id: string; state: string }[];
  return bills.find((bill) => bill.id === id)?.state;
}

async function pay(payment: string, id: string): Promise<number> {
  return (await fetch(`${payment}/bills/${id}/paid`, { method: 'POST' })).status;
}
