/** Participants in Hono. */
import type { Context } from 'hono';
import { BadCall } from './call.ts';
import { type Handler, logToConsole, type ParticipantOptions, verdictOn } from './verdict.ts';

/**
 * A route handler for the calls of a coordinator, such as `app.post('/debit', participant((call) => …))`.
 * It returns: 200 with the value; throws `BusinessFailure`: 409; throws `Ongoing`: 425; throws anything else: 500.
 */
export function participant<Body = unknown>(
  handler: Handler<Body>,
  { onError = logToConsole }: ParticipantOptions = {},
): (context: Context) => Promise<Response> {
  return async ({ req }) => {
    const incoming = { url: req.url, header: (name: string) => req.header(name), body: async () => bodyIn(await req.text()) };
    const { status, headers, body } = await verdictOn(handler as Handler, incoming, onError);
    return new Response(body, { status, headers });
  };
}

function bodyIn(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BadCall('the body is not JSON', { cause });
  }
}
