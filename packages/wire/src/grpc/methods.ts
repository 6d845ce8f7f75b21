/** The rpcs as one table of names and messages. The server mounts it. */
import type { DtmBody } from '../dtm/body.ts';
import type { DtmOperation } from '../dtm/routes.ts';
import { type Codec, grpcMessages } from './messages.ts';
import { bodyOfBranch, bodyOfNothing, bodyOfTopic, bodyOfTransaction } from './request.ts';

/** How the messages of one rpc are written and read. */
export interface GrpcMethod {
  // biome-ignore lint/suspicious/noExplicitAny: each rpc has messages of its own
  readonly request: Codec<any>;
  // biome-ignore lint/suspicious/noExplicitAny: each rpc has messages of its own
  readonly reply: Codec<any>;
  /** Whether it has any number of replies. Default: one. */
  readonly streams?: true;
}

/** An rpc of DTM: what an operation asks of a caller, and does, the server's table of operations says. */
export interface DtmRpc extends GrpcMethod {
  readonly operation: DtmOperation;
  // biome-ignore lint/suspicious/noExplicitAny: each rpc has messages of its own
  readonly bodyOf: (message: any) => DtmBody;
}

const { nothing, transaction, gid, branch, progresses, topic, healthRequest, health } = grpcMessages;
const aTransaction = { request: transaction, reply: nothing, bodyOf: bodyOfTransaction };
const aTopic = { request: topic, reply: nothing, bodyOf: bodyOfTopic };

/** Everything of `dtmgimp.Dtm`. */
export const dtmMethods = {
  NewGid: { operation: 'newGid', request: nothing, reply: gid, bodyOf: bodyOfNothing },
  Submit: { operation: 'submit', ...aTransaction },
  Prepare: { operation: 'prepare', ...aTransaction },
  Abort: { operation: 'abort', ...aTransaction },
  RegisterBranch: { operation: 'registerBranch', request: branch, reply: nothing, bodyOf: bodyOfBranch },
  PrepareWorkflow: { operation: 'prepareWorkflow', ...aTransaction, reply: progresses },
  Subscribe: { operation: 'subscribe', ...aTopic },
  Unsubscribe: { operation: 'unsubscribe', ...aTopic },
  DeleteTopic: { operation: 'deleteTopic', ...aTopic },
} as const satisfies Record<string, DtmRpc>;

/** Full name of DTM's service. */
export const dtmServiceName = 'dtmgimp.Dtm';

/** The standard health check (https://grpc.io/docs/guides/health-checking). */
export const healthMethods = {
  Check: { request: healthRequest, reply: health },
  Watch: { request: healthRequest, reply: health, streams: true },
} as const;

/** Full name of the health service. */
export const healthServiceName = 'grpc.health.v1.Health';

/** `SERVING`, `NOT_SERVING` and, when watched, `SERVICE_UNKNOWN` of the health check. */
export const servingStatus = { serving: 1, notServing: 2, serviceUnknown: 3 } as const;
