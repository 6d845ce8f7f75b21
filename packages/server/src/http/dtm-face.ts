/** DTM's HTTP API, mounted from wire's table. */
import type { Coordinator, Log, Topics } from '@amends/coordinator';
import { type Gid, type InterventionVerb, isAmendsError } from '@amends/core';
import {
  actorOf,
  allBody,
  answerOf,
  cannotForceStop,
  type DtmAnswer,
  type DtmDefaults,
  type DtmOperation,
  type DtmRoute,
  type DtmTransaction,
  dtmBase,
  dtmRoutes,
  errorAnswer,
  kvBody,
  kvPageBody,
  noSuchTransaction,
  nothingFound,
  objectOf,
  oneBody,
  parseAll,
  parseDtmGid,
  parseDtmTransaction,
  parseQueryKv,
  parseRegistration,
  parseResetCronTime,
  parseScanKv,
  queryBody,
  successAnswer,
  textOf,
  workflowBody,
} from '@amends/wire';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { DtmRecords } from '../dtm/dtm-records.ts';
import type { DtmService } from '../dtm/dtm-service.ts';
import { resetCronTime } from '../dtm/reset-cron-time.ts';
import { version } from '../version.ts';
import { callerGone } from './caller-gone.ts';
import { jsonBody } from './request-body.ts';
import { requestError } from './request-error.ts';
import { traceOfRequest } from './request-trace.ts';

/** What the face needs. */
export interface DtmFaceOptions {
  readonly coordinator: Coordinator;
  readonly service: DtmService;
  readonly records: DtmRecords;
  readonly topics: Topics;
  readonly defaults: DtmDefaults;
  readonly log: Log;
  /** The metrics as text; DTM serves them at a path of its own. */
  readonly metricsText: (reply: FastifyReply) => Promise<string>;
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => DtmAnswer | Promise<DtmAnswer>;

/** Makes the face. */
export function dtmFace(options: DtmFaceOptions): FastifyPluginAsync {
  const handlers = handlersOf(options);
  return async (app) => {
    app.setErrorHandler((error, request, reply) => sendDtm(reply, answerOf(requestError(error, options.log, request))));
    for (const route of dtmRoutes) {
      const { method, operation, permission } = route;
      const handle = operation === 'metrics' ? null : handlers[operation];
      app.route({
        method,
        url: urlOf(route),
        config: { permission, api: urlOf(route).split('/').at(-1)!.toLowerCase() },
        handler: async (request, reply) =>
          handle === null ? options.metricsText(reply) : sendDtm(reply, await handle(request, reply)),
      });
    }
  };
}

function urlOf({ path }: DtmRoute): string {
  return path.startsWith('/api/') ? path : dtmBase + path;
}

/** Answers in DTM's form. */
export function sendDtm(reply: FastifyReply, { status, body, retryAfterSeconds }: DtmAnswer): FastifyReply {
  if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds);
  return reply.code(status).send(body);
}

function handlersOf({
  coordinator,
  service,
  records,
  topics,
  defaults,
}: DtmFaceOptions): Record<Exclude<DtmOperation, 'metrics'>, Handler> {
  return {
    version: () => ok({ version }),
    newGid: () => ok({ dtm_result: 'SUCCESS', gid: coordinator.newGid() }),
    ping: () => ok({ msg: 'pong' }),
    prepare: (request) => service.prepare(transactionIn(request)),
    submit(request, reply) {
      const dtm = transactionIn(request);
      return service.submit(dtm, dtm.wait_result ? callerGone(reply) : undefined);
    },
    abort: (request, reply) => service.abort(transactionIn(request), callerGone(reply)),
    registerBranch: (request) => service.registerBranch(parseRegistration(jsonBody(request))),
    prepareWorkflow: (request) => prepareWorkflow(service, records, request),
    query: (request) => query(records, request),
    all: (request) => all(coordinator, records, request),
    forceStop: (request) =>
      intervene(coordinator, request, {
        verb: 'terminate',
        finished: async (gid) => cannotForceStop(await statusOf(coordinator, gid)),
      }),
    resetNextCronTime: (request) =>
      intervene(coordinator, request, {
        verb: 'retry',
        async finished(gid, actor) {
          await records.resetFinished(gid, actor);
          return successAnswer;
        },
      }),
    async resetCronTime(request) {
      const asked = parseResetCronTime(queryOf(request), defaults.timeoutToFailMs);
      return ok(await resetCronTime(coordinator, asked, actorOf(request.headers['x-amends-actor'])));
    },
    subscribe: (request) => service.subscribe(queryOf(request), actorOf(request.headers['x-amends-actor'])),
    unsubscribe: (request) => service.unsubscribe(queryOf(request), actorOf(request.headers['x-amends-actor'])),
    deleteTopic: (request) =>
      service.deleteTopic((request.params as { topicName: string }).topicName, actorOf(request.headers['x-amends-actor'])),
    queryKV: (request) => queryKv(topics, request),
    scanKV: (request) => scanKv(topics, request),
  };
}

function transactionIn(request: FastifyRequest): DtmTransaction {
  return parseDtmTransaction(jsonBody(request), traceOfRequest(request));
}

async function prepareWorkflow(service: DtmService, records: DtmRecords, request: FastifyRequest): Promise<DtmAnswer> {
  const prepared = await service.prepareWorkflow(transactionIn(request));
  return 'view' in prepared ? ok(workflowBody(await records.of(prepared.view))) : prepared;
}

async function queryKv(topics: Topics, request: FastifyRequest): Promise<DtmAnswer> {
  const asked = parseQueryKv(queryOf(request));
  if (asked === null) return ok(kvBody([]));
  if (asked.key === '') return ok(kvBody(await topics.list()));
  const topic = await topics.get(asked.key);
  return ok(kvBody(topic === null ? [] : [topic]));
}

async function scanKv(topics: Topics, request: FastifyRequest): Promise<DtmAnswer> {
  const page = parseScanKv(queryOf(request));
  return ok(page === null ? kvPageBody([], { after: '', limit: 1 }) : kvPageBody(await topics.list(), page));
}

async function query(records: DtmRecords, request: FastifyRequest): Promise<DtmAnswer> {
  const { gid } = request.query as { gid?: unknown };
  if (gid === undefined || gid === '') return errorAnswer(500, 'no gid specified');
  const record = await records.find(parseDtmGid(textOf('gid', gid)));
  return ok(record === null ? nothingFound : queryBody(record));
}

async function all(coordinator: Coordinator, records: DtmRecords, request: FastifyRequest): Promise<DtmAnswer> {
  const asked = parseAll(queryOf(request));
  if (asked.kind === 'none') return ok(allBody([], null));
  if (asked.kind === 'one') return ok(oneBody(await records.find(asked.gid)));
  const { rows, next } = await coordinator.list(asked.page);
  return ok(allBody(rows, next));
}

interface Act {
  readonly verb: InterventionVerb;
  /** What is answered when there is nothing left to act on. */
  readonly finished: (gid: Gid, actor: string) => Promise<DtmAnswer>;
}

async function intervene(coordinator: Coordinator, request: FastifyRequest, { verb, finished }: Act): Promise<DtmAnswer> {
  const actor = actorOf(request.headers['x-amends-actor']);
  const body = objectOf('body', jsonBody(request));
  const gid = parseDtmGid(textOf('gid', body.gid ?? ''));
  try {
    await coordinator.intervene({ gid, verb, actor, reason: 'by the DTM API', expectedVersion: null });
    return successAnswer;
  } catch (error) {
    if (isAmendsError(error, 'not_found')) return noSuchTransaction(gid);
    if (isAmendsError(error, 'already_finished')) return finished(gid, actor);
    throw error;
  }
}

async function statusOf(coordinator: Coordinator, gid: Gid): Promise<string> {
  return (await coordinator.get(gid))?.transaction.status ?? 'unknown';
}

function queryOf({ query: asked }: FastifyRequest): Readonly<Record<string, unknown>> {
  return asked as Record<string, unknown>;
}

function ok(body: object): DtmAnswer {
  return { status: 200, body };
}
