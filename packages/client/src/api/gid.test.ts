import { epochMs, makeGid as makeGidOfCore } from '@amends/core';
import { expect, it } from 'vitest';
import { makeGid } from './gid.ts';

it('makes gids as the server does: 22 characters, the first five from the time', () => {
  const before = makeGidOfCore(epochMs(Date.now()), () => new Uint8Array(32));
  const gid = makeGid();
  const after = makeGidOfCore(epochMs(Date.now()), () => new Uint8Array(32));
  expect(gid).toMatch(/^[0-9A-Za-z]{22}$/);
  expect([before.slice(0, 5), after.slice(0, 5)]).toContain(gid.slice(0, 5));
});

it('never makes one twice', () => {
  expect(new Set(Array.from({ length: 1_000 }, makeGid)).size).toBe(1_000);
});
