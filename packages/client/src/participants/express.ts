/** Participants in Express. */
import type { Request, Response } from 'express';
import { giveVerdict, type Handler, logToConsole, type ParticipantOptions } from './verdict.ts';

/**
 * A route handler for the calls of a coordinator, such as `app.post('/debit', express.json(), participant((call) => …))`. What
 * the handler returns is answered with 200. `BusinessFailure` is answered with 409, `Ongoing` with 425, any other error with 500.
 */
export function participant<Body = unknown>(
  handler: Handler<Body>,
  { onError = logToConsole }: ParticipantOptions = {},
): (request: Request, response: Response) => Promise<void> {
  return async (request, response) => {
    const incoming = { url: request.originalUrl, header: (name: string) => request.get(name), body: () => readBody(request) };
    const { status, headers, body } = await giveVerdict(handler as Handler, incoming, onError);
    response.status(status).set(headers).send(body);
  };
}

/** Express parses a body only where it is told to. A handler must not take an unparsed body for an empty one. */
function readBody(request: Request): unknown {
  const hasBody = request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  if (hasBody && request.body === undefined)
    throw new Error('the body has not been parsed: use express.json() before participant()');
  return request.body;
}
