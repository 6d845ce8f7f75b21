/** What is answered where no face has a say: addresses that do not exist, requests that reach no route. */
import type { Log } from '@amends/coordinator';
import { AmendsError } from '@amends/core';
import { dtmAnswerOfError, dtmBase } from '@amends/wire/dtm';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendDtm } from './dtm-face.ts';
import { sendProblem } from './native/native-face.ts';
import { requestError } from './request-error.ts';

/** The answers of last resort. */
export interface Fallback {
  /** To a request for what does not exist. */
  unknown(request: FastifyRequest, reply: FastifyReply): FastifyReply;
  /** To a request that failed. */
  failed(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply;
}

/** Makes them: below DTM's base in DTM's words, elsewhere problem documents. */
export function makeFallback(log: Log): Fallback {
  return {
    unknown({ url, method }, reply) {
      const path = url.split('?')[0]!;
      if (isDtm(url)) return reply.code(404).type('text/plain').send('404 page not found');
      return sendProblem(reply, new AmendsError('not_found', `${method} ${path} does not exist; GET / tells what does`));
    },
    failed(error, request, reply) {
      const made = requestError(error, log, request);
      return isDtm(request.url) ? sendDtm(reply, dtmAnswerOfError(made)) : sendProblem(reply, made);
    },
  };
}

function isDtm(url: string): boolean {
  return url.startsWith(`${dtmBase}/`);
}
