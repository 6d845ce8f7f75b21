/** Participants in Express. */
import type { Request, Response } from 'express';
import { type Handler, logToConsole, type ParticipantOptions, verdictOn } from './verdict.ts';

/**
 * A route handler for the calls of a coordinator, such as `app.post('/debit', express.json(), participant((call) => …))`.
 * It returns: 200 with the value; throws `BusinessFailure`: 409; throws `Ongoing`: 425; throws anything else: 500.
 */
export function participant<Body = unknown>(
  handler: Handler<Body>,
  { onError = logToConsole }: ParticipantOptions = {},
): (request: Request, response: Response) => Promise<void> {
  return async (request, response) => {
    const incoming = { url: request.originalUrl, header: (name: string) => request.get(name), body: () => bodyOf(request) };
    const { status, headers, body } = await verdictOn(handler as Handler, incoming, onError);
    response.status(status).set(headers).send(body);
  };
}

/** Express parses a body only where it is told to; a handler must not mistake what was not parsed for nothing. */
function bodyOf(request: Request): unknown {
  const hasBody = request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  if (hasBody && request.body === undefined)
    throw new Error('the body has not been parsed: use express.json() before participant()');
  return request.body;
}
