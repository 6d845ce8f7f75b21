export * from './cursor.ts';
export * from './dtm/index.ts';
export { parseJsonBody } from './json-text.ts';
export * from './native/index.ts';
export type * from './permission.ts';
export type * from './presented-transaction.ts';
export * from './retry-after.ts';
export * from './topic.ts';
export { parseBy, pathText } from './zod-issues.ts';
