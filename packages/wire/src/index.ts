/** What all faces share; each face has an entrance of its own: `/native`, `/dtm`, `/grpc`, `/json-rpc`. */
export * from './faces/actor.ts';
export * from './faces/cursor.ts';
export type { SubscribersOf } from './faces/msg-deliveries.ts';
export type * from './faces/permission.ts';
export type * from './faces/presented-transaction.ts';
export * from './faces/retry-after.ts';
export { parseJsonBody } from './input/json-text.ts';
export { parseBy, pathText } from './input/zod-issues.ts';
