/** Participants in Fastify. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { giveVerdict, type Handler, type ParticipantOptions } from './verdict.ts';

/**
 * A route handler for the calls of a coordinator, such as `app.post('/debit', participant((call) => …))`. What the handler
 * returns is answered with 200. `BusinessFailure` is answered with 409, `Ongoing` with 425, any other error with 500.
 */
export function participant<Body = unknown>(
  handler: Handler<Body>,
  { onError }: ParticipantOptions = {},
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  return async (request, reply) => {
    const incoming = {
      url: request.url,
      header: (name: string) => request.headers[name]?.toString(),
      body: () => request.body,
    };
    const log = (error: unknown) => request.log.error({ err: error }, 'a call of a coordinator failed');
    const { status, headers, body } = await giveVerdict(handler as Handler, incoming, onError ?? log);
    return reply.code(status).headers(headers).send(body);
  };
}
