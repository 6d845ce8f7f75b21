/**
 * DTM's HTTP API as one table of addresses. What an operation asks of a caller, and does, the server's table of operations says.
 */

/** Where DTM's API begins. */
export const dtmBase = '/api/dtmsvr';

export interface DtmRoute {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below `dtmBase`, or absolute when it begins with `/api/`. */
  readonly path: string;
  readonly operation: DtmOperation;
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
  | 'ping';

/** Every route of DTM's HTTP API. */
export const dtmRoutes: readonly DtmRoute[] = [
  { method: 'GET', path: '/version', operation: 'version' },
  { method: 'GET', path: '/newGid', operation: 'newGid' },
  { method: 'POST', path: '/prepare', operation: 'prepare' },
  { method: 'POST', path: '/submit', operation: 'submit' },
  { method: 'POST', path: '/abort', operation: 'abort' },
  { method: 'POST', path: '/registerBranch', operation: 'registerBranch' },
  { method: 'POST', path: '/registerTccBranch', operation: 'registerBranch' },
  { method: 'POST', path: '/registerXaBranch', operation: 'registerBranch' },
  { method: 'POST', path: '/prepareWorkflow', operation: 'prepareWorkflow' },
  { method: 'GET', path: '/query', operation: 'query' },
  { method: 'GET', path: '/all', operation: 'all' },
  { method: 'POST', path: '/forceStop', operation: 'forceStop' },
  { method: 'POST', path: '/resetNextCronTime', operation: 'resetNextCronTime' },
  { method: 'GET', path: '/api/ping', operation: 'ping' },
  { method: 'POST', path: '/api/ping', operation: 'ping' },
  { method: 'GET', path: '/resetCronTime', operation: 'resetCronTime' },
  { method: 'GET', path: '/subscribe', operation: 'subscribe' },
  { method: 'GET', path: '/unsubscribe', operation: 'unsubscribe' },
  { method: 'DELETE', path: '/topic/:topic', operation: 'deleteTopic' },
  { method: 'GET', path: '/queryKV', operation: 'queryKV' },
  { method: 'GET', path: '/scanKV', operation: 'scanKV' },
];
