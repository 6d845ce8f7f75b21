/** Participants in Hono. */
import type { Context } from 'hono';
import { BadCall } from './call.ts';
import { giveVerdict, type Handler, logToConsole, type ParticipantOptions } from './verdict.ts';

/**
 * A route handler for the calls of a coordinator, such as `app.post('/debit', participant((call) => …))`. What the handler
 * returns is answered with 200. `BusinessFailure` is answered with 409, `Ongoing` with 425, any other error with 500.
 */
export function participant<Body = unknown>(
  handler: Handler<Body>,
  { onError = logToConsole }: ParticipantOptions = {},
): (context: Context) => Promise<Response> {
  return async ({ req }) => {
    const incoming = { url: req.url, header: (name: string) => req.header(name), body: async () => parseBody(await req.text()) };
    const { status, headers, body } = await giveVerdict(handler as Handler, incoming, onError);
    return new Response(body, { status, headers });
  };
}

function parseBody(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BadCall('the body is not JSON', { cause });
  }
}
