import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { isFast } from '../testing/is-fast.ts';
import { watchCaller } from './caller.ts';

it('a caller has a hidden class, so that nothing of its call outlives the reply', () => {
  expect(isFast(watchCaller(Object.assign(new EventEmitter(), { cancelled: false })))).toBe(true);
});
