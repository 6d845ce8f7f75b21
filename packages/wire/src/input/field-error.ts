/** Refusals of a request that name the field. The message begins with it, so that every face can show it as it likes. */
import { AmendsError } from '@amends/core';

/** One complaint about one field. */
export interface FieldIssue {
  /** Path in the request such as `steps[0].action`; `body`: the body as a whole. */
  readonly field: string;
  /** What is wrong and what would be right. */
  readonly message: string;
}

/** Refuses a request for one field. @throws AmendsError `invalid_request`, always */
export function refuse(field: string, complaint: string): never {
  refuseAll([{ field, message: complaint }]);
}

/** Refuses a request for several fields at once. @throws AmendsError `invalid_request`, always */
export function refuseAll(issues: readonly FieldIssue[]): never {
  const message = issues.map((issue) => `${issue.field}: ${issue.message}`).join('; ');
  throw new AmendsError('invalid_request', message, { cause: issues });
}

const leadingField = /^([\w$.-]+(?:\[\d+\]|\.[\w$-]+)*): (.*)$/s;

/** The complaints inside an `invalid_request`, whoever made it; empty when it names no field. */
export function fieldIssues(error: AmendsError): readonly FieldIssue[] {
  if (Array.isArray(error.cause)) return error.cause as FieldIssue[];
  const match = error.code === 'invalid_request' ? leadingField.exec(error.message) : null;
  return match === null ? [] : [{ field: match[1]!, message: match[2]! }];
}

/** A value for people, short enough for a message. */
export function shown(value: unknown): string {
  const text = value === undefined ? 'missing' : (JSON.stringify(value) ?? typeof value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
