/** The DTM face as one table: the server mounts it. */
import type { Permission } from '../faces/permission.ts';

/** Where DTM's API begins. */
export const dtmBase = '/api/dtmsvr';

export interface DtmRoute {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below `dtmBase`, or absolute when it begins with `/api/`. */
  readonly path: string;
  readonly operation: DtmOperation;
  readonly permission: Permission;
}

export type DtmOperation =
  | 'version'
  | 'newGid'
  | 'prepare'
  | 'submit'
  | 'abort'
  | 'registerBranch'
  | 'prepareWorkflow'
  | 'query'
  | 'all'
  | 'forceStop'
  | 'resetNextCronTime'
  | 'resetCronTime'
  | 'subscribe'
  | 'unsubscribe'
  | 'deleteTopic'
  | 'queryKV'
  | 'scanKV'
  | 'ping'
  | 'metrics';

/** Every route of DTM's HTTP API. */
export const dtmRoutes: readonly DtmRoute[] = [
  { method: 'GET', path: '/version', operation: 'version', permission: 'public' },
  { method: 'GET', path: '/newGid', operation: 'newGid', permission: 'transactions:create' },
  { method: 'POST', path: '/prepare', operation: 'prepare', permission: 'transactions:create' },
  { method: 'POST', path: '/submit', operation: 'submit', permission: 'transactions:create' },
  { method: 'POST', path: '/abort', operation: 'abort', permission: 'transactions:create' },
  { method: 'POST', path: '/registerBranch', operation: 'registerBranch', permission: 'transactions:create' },
  { method: 'POST', path: '/registerTccBranch', operation: 'registerBranch', permission: 'transactions:create' },
  { method: 'POST', path: '/registerXaBranch', operation: 'registerBranch', permission: 'transactions:create' },
  { method: 'POST', path: '/prepareWorkflow', operation: 'prepareWorkflow', permission: 'transactions:create' },
  { method: 'GET', path: '/query', operation: 'query', permission: 'transactions:read' },
  { method: 'GET', path: '/all', operation: 'all', permission: 'transactions:read' },
  { method: 'POST', path: '/forceStop', operation: 'forceStop', permission: 'transactions:terminate' },
  { method: 'POST', path: '/resetNextCronTime', operation: 'resetNextCronTime', permission: 'transactions:retry' },
  { method: 'GET', path: '/api/ping', operation: 'ping', permission: 'public' },
  { method: 'POST', path: '/api/ping', operation: 'ping', permission: 'public' },
  { method: 'GET', path: '/api/metrics', operation: 'metrics', permission: 'system:read' },
  { method: 'GET', path: '/resetCronTime', operation: 'resetCronTime', permission: 'transactions:retry' },
  { method: 'GET', path: '/subscribe', operation: 'subscribe', permission: 'topics:write' },
  { method: 'GET', path: '/unsubscribe', operation: 'unsubscribe', permission: 'topics:write' },
  { method: 'DELETE', path: '/topic/:topicName', operation: 'deleteTopic', permission: 'topics:write' },
  { method: 'GET', path: '/queryKV', operation: 'queryKV', permission: 'topics:read' },
  { method: 'GET', path: '/scanKV', operation: 'scanKV', permission: 'topics:read' },
];
