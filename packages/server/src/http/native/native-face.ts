/** The native API: `/api/v1`, mounted from wire's table. */
import type { Coordinator, Log, Topics } from '@amends/coordinator';
import { type AmendsError, type EpochMs, type InterventionVerb, limits } from '@amends/core';
import { decodeCursor, encodeCursor, parseBy, readActor, retryAfterSeconds } from '@amends/wire';
import {
  comeBackSeconds,
  healthBody,
  historyEntryBody,
  historyQuery,
  interventionSchema,
  listQuery,
  type NativeOperation,
  type NativeRoute,
  nativeBase,
  nativeRoutes,
  openApiDocument,
  parseMoment,
  problemBody,
  problemContentType,
  summaryBody,
  type TransactionBody,
  waitQuery,
} from '@amends/wire/native';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { StoreCopy } from '../../stores/open-store.ts';
import { version } from '../../version.ts';
import { jsonBody } from '../request-body.ts';
import { requestError } from '../request-error.ts';
import { mustExist, type NativeAnswer, type NativeHandler, ok, readGid, viewWithin } from './native-answer.ts';
import { auditHandler } from './native-audit.ts';
import { backupHandler } from './native-backup.ts';
import { topicHandlers } from './native-topics.ts';
import { transactionHandlers } from './native-transactions.ts';

/** What the face needs. */
export interface NativeFaceOptions {
  readonly coordinator: Coordinator;
  readonly topics: Topics;
  /** The store, where it can be copied. */
  readonly copy: StoreCopy | null;
  readonly log: Log;
  /** The largest request body that the server takes. Bytes. */
  readonly bodyBytesMax: number;
}

/** Makes the face. */
export function nativeFace({ coordinator, topics, copy, log, bodyBytesMax }: NativeFaceOptions): FastifyPluginAsync {
  const handlers = makeHandlers({ coordinator, topics, copy }, limitsWith(bodyBytesMax));
  return async (app) => {
    app.setErrorHandler((error, request, reply) => sendProblem(reply, requestError(error, log, request)));
    const now = () => coordinator.now();
    for (const route of nativeRoutes) mount(app, route, { handle: handlers[route.operationId], now });
  };
}

function isTransaction(body: unknown): body is TransactionBody {
  return typeof body === 'object' && body !== null && 'wakeAt' in body;
}

interface NativeWork {
  readonly handle: NativeHandler;
  readonly now: () => EpochMs;
}

function mount(app: FastifyInstance, { method, path, permission, operationId }: NativeRoute, { handle, now }: NativeWork): void {
  app.route({
    method,
    url: urlOf(path),
    config: { permission, api: operationId.toLowerCase() },
    async handler(request, reply) {
      const { status, body } = await handle(request, reply);
      const seconds = isTransaction(body) ? comeBackSeconds(body, now()) : null;
      if (seconds !== null) reply.header('retry-after', seconds);
      reply.code(status);
      return body;
    },
  });
}

/** `{gid}` of the table is `:gid` of the router. */
function urlOf(path: string): string {
  return nativeBase + path.replace(/\{(\w+)\}/g, ':$1');
}

/** Answers with a problem document. */
export function sendProblem(reply: FastifyReply, error: AmendsError): FastifyReply {
  const seconds = retryAfterSeconds(error);
  if (seconds !== null) reply.header('retry-after', seconds);
  const problem = problemBody(error);
  return reply.code(problem.status).type(problemContentType).send(JSON.stringify(problem));
}

function makeHandlers(
  { coordinator, topics, copy }: Pick<NativeFaceOptions, 'coordinator' | 'topics' | 'copy'>,
  limitsHeld: object,
): Record<NativeOperation, NativeHandler> {
  let openApi: NativeAnswer | null = null;
  return {
    ...transactionHandlers({ coordinator, topics }),
    ...topicHandlers(topics),
    listTransactions: (request) => list(coordinator, request),
    async getTransaction(request, reply) {
      const { waitMs } = parseBy(waitQuery, request.query, 'query.');
      const gid = readGid(request);
      return ok(mustExist(gid, await viewWithin(coordinator, gid, { waitMs, reply })));
    },
    getHistory: (request) => history(coordinator, request),
    terminateTransaction: (request) => intervene(coordinator, request, 'terminate'),
    retryTransaction: (request) => intervene(coordinator, request, 'retry'),
    listAudit: auditHandler(coordinator),
    getBackup: backupHandler(copy),
    async getHealth() {
      return { status: 200, body: healthBody(await coordinator.health()) };
    },
    getLimits: () => ({ status: 200, body: limitsHeld }),
    // Made when it is first asked for: it costs more memory than most servers ever need for it.
    getOpenApi: () => (openApi ??= { status: 200, body: openApiDocument(version) }),
  };
}

/** The limits that hold: payloads travel inside a body. */
function limitsWith(bodyBytesMax: number): object {
  return { ...limits, bodyBytesMax, payloadBytesMax: Math.min(limits.payloadBytesMax, bodyBytesMax) };
}

async function list(coordinator: Coordinator, request: FastifyRequest): Promise<NativeAnswer> {
  const { createdFrom, createdBefore, cursor, ...filters } = parseBy(listQuery, request.query, 'query.');
  const page = await coordinator.list({
    ...dropUndefined(filters),
    ...(createdFrom === undefined ? {} : { createdFrom: parseMoment(createdFrom) }),
    ...(createdBefore === undefined ? {} : { createdBefore: parseMoment(createdBefore) }),
    ...(cursor === undefined ? {} : { after: decodeCursor(cursor, 'query.cursor') }),
  });
  const next = page.next === null ? null : encodeCursor(page.next);
  return { status: 200, body: { transactions: page.rows.map(summaryBody), next } };
}

/** Without the keys that have no value. */
function dropUndefined<T extends object>(filters: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined)) as never;
}

async function history(coordinator: Coordinator, request: FastifyRequest): Promise<NativeAnswer> {
  const page = parseBy(historyQuery, request.query, 'query.');
  const gid = readGid(request);
  const entries = await coordinator.history(gid, page);
  if (entries.length === 0) mustExist(gid, await coordinator.get(gid));
  return { status: 200, body: { entries: entries.map(historyEntryBody) } };
}

async function intervene(coordinator: Coordinator, request: FastifyRequest, verb: InterventionVerb): Promise<NativeAnswer> {
  const actor = readActor(request.headers['x-amends-actor']);
  const { reason, expectedVersion = null } = parseBy(interventionSchema, jsonBody(request));
  return ok(await coordinator.intervene({ gid: readGid(request), verb, actor, reason, expectedVersion }));
}
