/** DTM's JSON-RPC, on the HTTP port. */
import type { Log } from '@amends/coordinator';
import { JsonRpcProblem, jsonRpcAnswerOf, jsonRpcAnswerOfError, parseJsonRpc } from '@amends/wire/json-rpc';
import type { FastifyPluginAsync } from 'fastify';
import type { DtmParts } from '../dtm/operation.ts';
import { dtmOperations } from '../dtm/operations.ts';
import { HttpDtmRequest } from './dtm-request.ts';
import { bodyBytes } from './request-body.ts';
import { requestError } from './request-error.ts';

/** Makes the face. Every method of it is one that begins, joins or ends a transaction. */
export function jsonRpcFace(parts: DtmParts, log: Log): FastifyPluginAsync {
  return async (app) => {
    app.post('/api/json-rpc', { config: { permission: 'transactions:create', api: 'json-rpc' } }, async (request, reply) => {
      let id: string | number = '';
      try {
        const { id: given, method, params } = parseJsonRpc(bodyBytes(request));
        id = given;
        const asked = new HttpDtmRequest(request, reply, () => ({ fields: params }));
        const answer = jsonRpcAnswerOf(id, await dtmOperations[method].carryOut(asked, parts));
        reply.code(answer.status);
        return answer.body;
      } catch (error) {
        const answer = jsonRpcAnswerOfError(id, error instanceof JsonRpcProblem ? error : requestError(error, log, request));
        reply.code(answer.status);
        return answer.body;
      }
    });
  };
}
