import { expect, test } from 'vitest';
import { remembered } from './remembered.ts';

test('an answer is computed once, until so many keys are known that all are forgotten', () => {
  const asked: string[] = [];
  const twice = remembered((key: string) => asked.push(key) && key + key, 2);
  expect(['a', 'a', 'b', 'b'].map(twice)).toEqual(['aa', 'aa', 'bb', 'bb']);
  expect(asked).toEqual(['a', 'b']);
  expect(['c', 'a'].map(twice)).toEqual(['cc', 'aa']);
  expect(asked).toEqual(['a', 'b', 'c', 'a']);
});
