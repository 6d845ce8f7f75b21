/** Problem details (RFC 9457): how the native API says that something went wrong. */
import { type AmendsError, type ErrorCode, errorKinds } from '@amends/core';
import { z } from 'zod';
import { nameSchema } from './registry.ts';

/** Media type of problem details. */
export const problemContentType = 'application/problem+json';

const issueSchema = z.object({ field: z.string(), message: z.string() });

export const problemSchema = nameSchema(
  'Problem',
  z.object({
    type: z.string().describe('urn:amends:error: and the code'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What is wrong this time, naming the field and the remedy'),
    code: z.enum(Object.keys(errorKinds) as [ErrorCode, ...ErrorCode[]]),
    issues: z.array(issueSchema).optional().describe('The fields that are to blame, each with what is wrong; left out: none is'),
    errors: z.array(issueSchema).optional().describe('The same as `issues`, under its first name'),
  }),
);

/** A problem document. */
export type ProblemBody = z.infer<typeof problemSchema>;

/** The problem document of an operating error. */
export function problemBody(error: AmendsError): ProblemBody {
  const { httpStatus, title } = errorKinds[error.code];
  const issues = [...error.issues];
  return {
    type: `urn:amends:error:${error.code}`,
    title,
    status: httpStatus,
    detail: error.message,
    code: error.code,
    ...(issues.length > 0 ? { issues, errors: issues } : {}),
  };
}
