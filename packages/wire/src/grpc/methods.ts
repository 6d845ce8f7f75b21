/** The rpcs as one table: names, messages, permissions. The server mounts it. */
import type { Permission } from '../faces/permission.ts';
import { type Codec, grpcMessages } from './messages.ts';

/** One rpc. */
export interface GrpcMethod {
  // biome-ignore lint/suspicious/noExplicitAny: each rpc has messages of its own
  readonly request: Codec<any>;
  // biome-ignore lint/suspicious/noExplicitAny: each rpc has messages of its own
  readonly reply: Codec<any>;
  readonly permission: Permission;
  /** Whether it has any number of replies. Default: one. */
  readonly streams?: true;
}

const { nothing, transaction, gid, branch, progresses, topic, healthRequest, health } = grpcMessages;

/** Everything of `dtmgimp.Dtm`. */
export const dtmMethods = {
  NewGid: { request: nothing, reply: gid, permission: 'transactions:create' },
  Submit: { request: transaction, reply: nothing, permission: 'transactions:create' },
  Prepare: { request: transaction, reply: nothing, permission: 'transactions:create' },
  Abort: { request: transaction, reply: nothing, permission: 'transactions:create' },
  RegisterBranch: { request: branch, reply: nothing, permission: 'transactions:create' },
  PrepareWorkflow: { request: transaction, reply: progresses, permission: 'transactions:create' },
  Subscribe: { request: topic, reply: nothing, permission: 'topics:write' },
  Unsubscribe: { request: topic, reply: nothing, permission: 'topics:write' },
  DeleteTopic: { request: topic, reply: nothing, permission: 'topics:write' },
} as const satisfies Record<string, GrpcMethod>;

/** Full name of DTM's service. */
export const dtmServiceName = 'dtmgimp.Dtm';

/** The standard health check (https://grpc.io/docs/guides/health-checking). */
export const healthMethods = {
  Check: { request: healthRequest, reply: health, permission: 'public' },
  Watch: { request: healthRequest, reply: health, permission: 'public', streams: true },
} as const;

/** Full name of the health service. */
export const healthServiceName = 'grpc.health.v1.Health';

/** `SERVING`, `NOT_SERVING` and, when watched, `SERVICE_UNKNOWN` of the health check. */
export const servingStatus = { serving: 1, notServing: 2, serviceUnknown: 3 } as const;
