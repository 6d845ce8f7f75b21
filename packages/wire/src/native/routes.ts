/**
 * The native API as one table: the server mounts it and the OpenAPI document is made from it, so that they cannot differ.
 * Paths are relative to `nativeBase`; `{name}` is a path parameter.
 */
import type { z } from 'zod';
import type { Permission } from '../faces/permission.ts';
import { auditQuery, auditSchema } from './audit.ts';
import { abortSchema, conclusionSchema, newBranchSchema } from './branches.ts';
import { createSchema } from './create/create.ts';
import { historyQuery, interventionSchema, listQuery, waitQuery } from './requests.ts';
import { healthSchema, historySchema, limitsSchema, listSchema, transactionSchema } from './responses.ts';
import { deletedSchema, newSubscriptionSchema, subscriptionQuery, topicListSchema, topicSchema } from './topics.ts';

/** Where the native API begins. */
export const nativeBase = '/api/v1';

export interface NativeRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly permission: Permission;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** The header `X-Amends-Actor` says who acts. */
  readonly takesActor?: true;
  /** The header `traceparent` says which trace the request belongs to. */
  readonly takesTrace?: true;
  /** What the answer is when it is not JSON; its schema is null then. */
  readonly contentType?: string;
  /** Schema by status; null: any JSON. */
  readonly answers: Readonly<Record<number, z.ZodType | null>>;
  /** Statuses of problem documents beside those that any request may meet. */
  readonly problems: readonly number[];
}

/** Every route of the native API. */
export const nativeRoutes = [
  {
    method: 'POST',
    path: '/transactions',
    operationId: 'createTransaction',
    takesTrace: true,
    summary:
      'Begin a global transaction, or announce it; the same gid with the same content again begins nothing and answers 200',
    permission: 'transactions:create',
    query: waitQuery,
    body: createSchema,
    answers: { 200: transactionSchema, 201: transactionSchema },
    problems: [404, 409, 413, 415, 422],
  },
  {
    method: 'GET',
    path: '/transactions',
    operationId: 'listTransactions',
    summary: 'List transactions, newest first',
    permission: 'transactions:read',
    query: listQuery,
    answers: { 200: listSchema },
    problems: [],
  },
  {
    method: 'GET',
    path: '/transactions/{gid}',
    operationId: 'getTransaction',
    summary: 'Read one transaction, waiting for its outcome if asked to',
    permission: 'transactions:read',
    query: waitQuery,
    answers: { 200: transactionSchema },
    problems: [404],
  },
  {
    method: 'GET',
    path: '/transactions/{gid}/history',
    operationId: 'getHistory',
    summary: 'Read what happened to a transaction, oldest first',
    permission: 'transactions:read',
    query: historyQuery,
    answers: { 200: historySchema },
    problems: [404],
  },
  {
    method: 'POST',
    path: '/transactions/{gid}/submit',
    operationId: 'submitTransaction',
    summary: 'Have a prepared transaction done; again: nothing more',
    permission: 'transactions:create',
    query: waitQuery,
    answers: { 200: transactionSchema },
    problems: [404, 409],
  },
  {
    method: 'POST',
    path: '/transactions/{gid}/abort',
    operationId: 'abortTransaction',
    summary: 'Have a prepared transaction not done: what was registered is cancelled or rolled back; again: nothing more',
    permission: 'transactions:create',
    query: waitQuery,
    body: abortSchema,
    answers: { 200: transactionSchema },
    problems: [404, 409, 413, 415],
  },
  {
    method: 'POST',
    path: '/transactions/{gid}/branches',
    operationId: 'registerBranch',
    summary: 'Register a participant of a tcc or xa, or record a step of a workflow; the same again answers 200',
    permission: 'transactions:create',
    body: newBranchSchema,
    answers: { 200: transactionSchema, 201: transactionSchema },
    problems: [404, 409, 413, 415],
  },
  {
    method: 'POST',
    path: '/transactions/{gid}/conclude',
    operationId: 'concludeTransaction',
    summary: 'Say how the function of a workflow ended; the same again answers 200',
    permission: 'transactions:create',
    body: conclusionSchema,
    answers: { 200: transactionSchema },
    problems: [404, 409, 413, 415],
  },
  {
    method: 'POST',
    path: '/transactions/{gid}/terminate',
    operationId: 'terminateTransaction',
    summary: 'End a transaction as it stands; nothing is undone',
    permission: 'transactions:terminate',
    body: interventionSchema,
    takesActor: true,
    answers: { 200: transactionSchema },
    problems: [404, 409, 413, 415, 422],
  },
  {
    method: 'POST',
    path: '/transactions/{gid}/retry',
    operationId: 'retryTransaction',
    summary: 'Try again at once what waits or is held',
    permission: 'transactions:retry',
    body: interventionSchema,
    takesActor: true,
    answers: { 200: transactionSchema },
    problems: [404, 409, 413, 415, 422],
  },
  {
    method: 'GET',
    path: '/topics',
    operationId: 'listTopics',
    summary: 'List topics with their subscribers',
    permission: 'topics:read',
    answers: { 200: topicListSchema },
    problems: [],
  },
  {
    method: 'DELETE',
    path: '/topics/{topic}',
    operationId: 'deleteTopic',
    summary: 'Delete a topic with all its subscribers',
    permission: 'topics:write',
    takesActor: true,
    answers: { 200: deletedSchema },
    problems: [],
  },
  {
    method: 'PUT',
    path: '/topics/{topic}/subscriptions',
    operationId: 'putSubscription',
    summary: 'Subscribe an address to a topic, which is made if it is new, or give the subscription another remark',
    permission: 'topics:write',
    body: newSubscriptionSchema,
    takesActor: true,
    answers: { 200: topicSchema },
    problems: [409, 413, 415],
  },
  {
    method: 'DELETE',
    path: '/topics/{topic}/subscriptions',
    operationId: 'deleteSubscription',
    summary: 'Unsubscribe an address from a topic, which stays',
    permission: 'topics:write',
    query: subscriptionQuery,
    takesActor: true,
    answers: { 200: topicSchema },
    problems: [404],
  },
  {
    method: 'GET',
    path: '/audit',
    operationId: 'listAudit',
    summary: 'Read what was done by hand, newest first; these rows stay when their transactions are deleted',
    permission: 'audit:read',
    query: auditQuery,
    answers: { 200: auditSchema },
    problems: [],
  },
  {
    method: 'GET',
    path: '/backup',
    operationId: 'getBackup',
    summary: 'A copy of the store as of one moment, made while the server goes on: a SQLite file',
    permission: 'system:backup',
    contentType: 'application/vnd.sqlite3',
    answers: { 200: null },
    problems: [409, 501],
  },
  {
    method: 'GET',
    path: '/health',
    operationId: 'getHealth',
    summary: 'How the server, its store and its peers are',
    permission: 'system:read',
    answers: { 200: healthSchema },
    problems: [],
  },
  {
    method: 'GET',
    path: '/limits',
    operationId: 'getLimits',
    summary: 'The limits that hold',
    permission: 'public',
    answers: { 200: limitsSchema },
    problems: [],
  },
  {
    method: 'GET',
    path: '/openapi.json',
    operationId: 'getOpenApi',
    summary: 'This description',
    permission: 'public',
    answers: { 200: null },
    problems: [],
  },
] as const satisfies readonly NativeRoute[];

/** The name of a native operation. */
export type NativeOperation = (typeof nativeRoutes)[number]['operationId'];
