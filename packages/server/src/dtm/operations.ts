/** All that DTM's API does, as one table. HTTP, JSON-RPC and gRPC mount it, and only render what comes of it. */
import {
  type DtmOperation,
  found,
  parseAll,
  parseDtmTransaction,
  parseGidBody,
  parseGidQuery,
  parseQueryKv,
  parseRegistration,
  parseResetCronTime,
  parseScanKv,
  parseSubscription,
  parseTopic,
  parseUnsubscription,
  queryIn,
} from '@amends/wire/dtm';
import { version } from '../version.ts';
import { forceStop, resetCronTimes, resetNextCronTime } from './acts.ts';
import { type DtmOperationEntry, type DtmRequest, operation } from './operation.ts';
import { showAll, showPage, showTopics, showTransaction } from './queries.ts';
import { deleteTopic, subscribe, unsubscribe } from './topic-acts.ts';
import { abort, prepare, prepareWorkflow, registerBranch, submit } from './transactions.ts';

const nothing = () => null;
const transaction = (request: DtmRequest) => parseDtmTransaction(request.body(), { trace: request.trace() });
const query = (request: DtmRequest) => queryIn(request.body());

/** The operations, by name. */
export const dtmOperations: Readonly<Record<DtmOperation, DtmOperationEntry>> = {
  version: operation({ permission: 'public', parse: nothing, perform: () => found({ version }) }),
  ping: operation({ permission: 'public', parse: nothing, perform: () => found({ msg: 'pong' }) }),
  newGid: operation({
    permission: 'transactions:create',
    parse: nothing,
    perform: (_, { coordinator }) => ({ kind: 'gid', gid: coordinator.newGid() }),
  }),
  prepare: operation({ permission: 'transactions:create', parse: transaction, perform: prepare }),
  submit: operation({ permission: 'transactions:create', parse: transaction, perform: submit }),
  abort: operation({ permission: 'transactions:create', parse: transaction, perform: abort }),
  registerBranch: operation({
    permission: 'transactions:create',
    parse: (request) => parseRegistration(request.body()),
    perform: registerBranch,
  }),
  prepareWorkflow: operation({
    permission: 'transactions:create',
    parse: (request) => parseDtmTransaction(request.body(), { trace: request.trace(), mode: 'workflow' }),
    perform: prepareWorkflow,
  }),
  query: operation({
    permission: 'transactions:read',
    parse: (request) => parseGidQuery(request.body()),
    perform: showTransaction,
  }),
  all: operation({ permission: 'transactions:read', parse: (request) => parseAll(query(request)), perform: showAll }),
  forceStop: operation({
    permission: 'transactions:terminate',
    parse: (request) => ({ actor: request.actor(), gid: parseGidBody(request.body()) }),
    perform: forceStop,
  }),
  resetNextCronTime: operation({
    permission: 'transactions:retry',
    parse: (request) => ({ actor: request.actor(), gid: parseGidBody(request.body()) }),
    perform: resetNextCronTime,
  }),
  resetCronTime: operation({
    permission: 'transactions:retry',
    parse: (request, { defaults }) => ({
      ...parseResetCronTime(query(request), defaults.timeoutToFailMs),
      actor: request.actor(),
    }),
    perform: resetCronTimes,
  }),
  subscribe: operation({
    permission: 'topics:write',
    parse: (request) => ({ asked: parseSubscription(query(request)), actor: request.actor() }),
    perform: subscribe,
  }),
  unsubscribe: operation({
    permission: 'topics:write',
    parse: (request) => ({ asked: parseUnsubscription(query(request)), actor: request.actor() }),
    perform: unsubscribe,
  }),
  deleteTopic: operation({
    permission: 'topics:write',
    parse: (request) => ({ topic: parseTopic(query(request)), actor: request.actor() }),
    perform: deleteTopic,
  }),
  queryKV: operation({ permission: 'topics:read', parse: (request) => parseQueryKv(query(request)), perform: showTopics }),
  scanKV: operation({ permission: 'topics:read', parse: (request) => parseScanKv(query(request)), perform: showPage }),
};
