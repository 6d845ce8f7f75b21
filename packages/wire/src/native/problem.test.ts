import { AmendsError } from '@amends/core';
import { expect, test } from 'vitest';
import { problemBody } from './problem.ts';

test('a problem document shows the fields that are to blame, whatever its code', () => {
  const issues = [{ field: 'gid', message: '"g" is in use' }];
  expect(problemBody(new AmendsError('conflict', issues))).toEqual({
    type: 'urn:amends:error:conflict',
    title: 'The gid is in use for something else',
    status: 409,
    detail: 'gid: "g" is in use',
    code: 'conflict',
    issues,
    errors: issues,
  });
});

test('a problem document makes no field of a sentence that happens to have a colon', () => {
  const problem = problemBody(new AmendsError('invalid_request', 'path: this is a sentence'));
  expect(problem).not.toHaveProperty('issues');
  expect(problem).not.toHaveProperty('errors');
});
