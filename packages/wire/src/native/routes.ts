/**
 * The native API as one table: the server mounts it and the OpenAPI document is made from it, so that they cannot differ.
 * Paths are relative to `nativeBase`; `{name}` is a path parameter.
 */
import type { z } from 'zod';
import type { Permission } from '../permission.ts';
import { createSchema } from './create.ts';
import { historyQuery, interventionSchema, listQuery, waitQuery } from './requests.ts';
import { healthSchema, historySchema, limitsSchema, listSchema, transactionSchema } from './responses.ts';

/** Where the native API begins. */
export const nativeBase = '/api/v1';

/** One route. */
export interface NativeRoute {
  readonly method: 'GET' | 'POST';
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
  /** Schema by status; null: any JSON. */
  readonly answers: Readonly<Record<number, z.ZodType | null>>;
  /** Statuses of problem documents beside 400, 500 and 503. */
  readonly problems: readonly number[];
}

/** Every route of the native API. */
export const nativeRoutes = [
  {
    method: 'POST',
    path: '/transactions',
    operationId: 'createTransaction',
    takesTrace: true,
    summary: 'Begin a global transaction; the same gid with the same content again begins nothing and answers 200',
    permission: 'transactions:create',
    query: waitQuery,
    body: createSchema,
    answers: { 200: transactionSchema, 201: transactionSchema },
    problems: [409, 413, 415, 422],
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
