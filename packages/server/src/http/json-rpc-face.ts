/** DTM's JSON-RPC, on the HTTP port. */
import type { Log } from '@amends/coordinator';
import {
  type DtmAnswer,
  JsonRpcProblem,
  type JsonRpcRequest,
  jsonRpcAnswer,
  jsonRpcFailure,
  parseDtmTransaction,
  parseJsonRpc,
  parseRegistration,
} from '@amends/wire';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { DtmService } from '../dtm/dtm-service.ts';
import { callerGone } from './caller-gone.ts';
import { bodyBytes } from './request-body.ts';
import { requestError } from './request-error.ts';
import { traceOfRequest } from './request-trace.ts';

/** What the face needs. */
export interface JsonRpcFaceOptions {
  readonly service: DtmService;
  readonly log: Log;
}

/** Makes the face. */
export function jsonRpcFace({ service, log }: JsonRpcFaceOptions): FastifyPluginAsync {
  return async (app) => {
    app.post('/api/json-rpc', { config: { permission: 'transactions:create', api: 'json-rpc' } }, async (request, reply) => {
      let id: string | number = '';
      try {
        const asked = parseJsonRpc(bodyBytes(request));
        id = asked.id;
        const answer = jsonRpcAnswer(id, await carriedOut(service, asked, { request, reply }));
        return reply.code(answer.status).send(answer.body);
      } catch (error) {
        const answer = jsonRpcFailure(id, error instanceof JsonRpcProblem ? error : requestError(error, log, request));
        return reply.code(answer.status).send(answer.body);
      }
    });
  };
}

interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

async function carriedOut(
  service: DtmService,
  { method, params }: JsonRpcRequest,
  { request, reply }: Exchange,
): Promise<DtmAnswer> {
  const dtm = () => parseDtmTransaction(params, traceOfRequest(request));
  switch (method) {
    case 'newGid':
      return { status: 200, body: { gid: service.newGid() } };
    case 'prepare':
      return service.prepare(dtm());
    case 'submit':
      return service.submit(dtm(), callerGone(reply));
    case 'abort':
      return service.abort(dtm(), callerGone(reply));
    case 'registerBranch':
      return service.registerBranch(parseRegistration(params));
  }
}
