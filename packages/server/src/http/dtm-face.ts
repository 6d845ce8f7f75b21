/** DTM's HTTP API, mounted from wire's table of addresses and the table of operations. */
import type { Log } from '@amends/coordinator';
import { type DtmAnswer, type DtmBody, type DtmRoute, dtmAnswerOf, dtmAnswerOfError, dtmBase, dtmRoutes } from '@amends/wire/dtm';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { DtmParts } from '../dtm/operation.ts';
import { dtmOperations } from '../dtm/operations.ts';
import { HttpDtmRequest } from './dtm-request.ts';
import { jsonBody } from './request-body.ts';
import { requestError } from './request-error.ts';

/** Makes the face. */
export function dtmFace(parts: DtmParts, log: Log): FastifyPluginAsync {
  return async (app) => {
    app.setErrorHandler((error, request, reply) => sendDtm(reply, dtmAnswerOfError(requestError(error, log, request))));
    for (const route of dtmRoutes) mount(app, route, parts);
  };
}

function mount(app: FastifyInstance, route: DtmRoute, parts: DtmParts): void {
  const { method, operation } = route;
  const { permission, carryOut } = dtmOperations[operation];
  const url = urlOf(route);
  const readBody = method === 'POST' ? readJson : readQuery;
  app.route({
    method,
    url,
    config: { permission, api: url.split('/').at(-1)!.toLowerCase() },
    handler: async (request, reply) => {
      const result = await carryOut(new HttpDtmRequest(request, reply, readBody), parts);
      return writeHead(reply, dtmAnswerOf(result)).body;
    },
  });
}

function readJson(request: FastifyRequest): DtmBody {
  return { fields: jsonBody(request) };
}

function readQuery({ query, params }: FastifyRequest): DtmBody {
  return { fields: { ...(query as object), ...(params as object) } };
}

function urlOf({ path }: DtmRoute): string {
  return path.startsWith('/api/') ? path : dtmBase + path;
}

/** Answers in DTM's form. */
export function sendDtm(reply: FastifyReply, answer: DtmAnswer): FastifyReply {
  return reply.send(writeHead(reply, answer).body);
}

function writeHead(reply: FastifyReply, answer: DtmAnswer): DtmAnswer {
  if (answer.retryAfterSeconds !== undefined) reply.header('retry-after', answer.retryAfterSeconds);
  reply.code(answer.status);
  return answer;
}
