import { epochMs } from '@amends/core';
import { expect, test } from 'vitest';
import { AddressBook } from './address/address-book.ts';
import { refuseForbidden } from './address/network-address.ts';
import { type Place, Places, type Waiter } from './places.ts';

/** Places under a clock that the test moves, and waiters that note what they are offered. */
function stage(bounds: { perHostMax?: number; waitingMax?: number } = {}) {
  let now = 0;
  const places = new Places(
    { perHostMax: 1, waitingMax: 100, ...bounds },
    { now: () => epochMs(now) },
    new AddressBook(refuseForbidden),
  );
  const served: string[] = [];
  const offers: Place[] = [];
  const waiter = (name: string): Waiter => ({
    offered(place) {
      served.push(name);
      offers.push(place);
    },
  });
  return { places, served, offers, waiter, pass: (ms: number) => (now += ms) };
}

test('whoever finds no place free gets one when one is given back, in order', () => {
  const { places, served, offers, waiter } = stage();
  const first = places.take('a')!;
  expect(places.take('a')).toBeNull();
  for (const name of ['ann', 'bob', 'cem']) places.wait('a', waiter(name));
  expect(served).toEqual([]);
  first.release();
  expect(served).toEqual(['ann']);
  offers[0]!.release();
  offers[1]!.release();
  expect(served).toEqual(['ann', 'bob', 'cem']);
  expect(places.waiting).toBe(0);
});

test('a place goes on to the next one although whoever gave it back throws', () => {
  const { places, served, waiter } = stage();
  const first = places.take('a')!;
  places.wait('a', waiter('ann'));
  const fail = () => {
    throw new Error('a bug');
  };
  expect(() => first.release(fail)).toThrow('a bug');
  expect(served).toEqual(['ann']);
});

test('nobody overtakes those who wait, even where a place is free for a moment', () => {
  const { places, served, waiter } = stage();
  const first = places.take('a')!;
  places.wait('a', waiter('ann'));
  places.wait('a', waiter('bob'));
  first.release();
  expect(places.take('a')).toBeNull();
  expect(served).toEqual(['ann']);
});

test('a waiter that wants more than one place comes to the end of the queue for each', () => {
  const { places, served, offers, waiter } = stage();
  const greedy: Waiter = {
    offered(place) {
      served.push('greedy');
      offers.push(place);
      places.wait('a', greedy);
    },
  };
  const first = places.take('a')!;
  places.wait('a', greedy);
  places.wait('a', greedy);
  places.wait('a', waiter('ann'));
  first.release();
  offers[0]!.release();
  offers[1]!.release();
  expect(served).toEqual(['greedy', 'ann', 'greedy']);
});

test('a place is given back once, however often that is said', () => {
  const { places } = stage();
  const first = places.take('a')!;
  first.release();
  first.release();
  expect(places.take('a')).not.toBeNull();
  expect(places.take('a')).toBeNull();
});

test('a place that nobody in a long queue wants any more ends with the first who does', () => {
  const { places, served, waiter } = stage({ waitingMax: 100_000 });
  const first = places.take('a')!;
  for (let i = 0; i < 50_000; i++) places.wait('a', { offered: (place) => place.release() });
  places.wait('a', waiter('ann'));
  first.release();
  expect(served).toEqual(['ann']);
});

test('a host that hangs does not hold up another', () => {
  const { places, waiter } = stage();
  places.take('dead');
  for (let i = 0; i < 200; i++) places.wait('dead', waiter(`${i}`));
  expect(places.take('alive')).not.toBeNull();
});

test('who waits although a place is free is offered it', () => {
  const { places, served, waiter } = stage();
  places.wait('a', waiter('ann'));
  expect(served).toEqual(['ann']);
});

test('who leaves is offered nothing', () => {
  const { places, served, waiter } = stage();
  const first = places.take('a')!;
  const ann = waiter('ann');
  places.wait('a', ann);
  places.leave('a', ann);
  first.release();
  expect(served).toEqual([]);
  expect(places.waiting).toBe(0);
});

test('a queue has an end; who stands in it keeps its turn', () => {
  const { places, waiter } = stage({ waitingMax: 1 });
  places.take('a');
  const ann = waiter('ann');
  expect(places.hasRoom('a', ann)).toBe(true);
  places.wait('a', ann);
  expect(places.hasRoom('a', ann)).toBe(true);
  expect(places.hasRoom('a', waiter('bob'))).toBe(false);
});

test('who has to stay away comes back within half the time that those in the queue will need', () => {
  const { places, waiter, pass } = stage();
  const first = places.take('a')!;
  expect(places.pauseMs('a')).toBe(1_000);
  places.wait('a', waiter('ann'));
  pass(30_000);
  expect(places.pauseMs('a')).toBe(15_000);
  first.release();
  expect(places.pauseMs('a')).toBe(15_000);
});

test('after the end nobody gets a place', () => {
  const { places, served, waiter } = stage();
  const first = places.take('a')!;
  places.wait('a', waiter('ann'));
  places.close();
  first.release();
  expect(served).toEqual([]);
  expect(places.take('b')).toBeNull();
});
