/** The headers of requests that carry JSON. */

/** The headers of a request whose answer is JSON, as its body is. @param body null: there is none */
export function jsonHeaders(body: string | null): Readonly<Record<string, string>> {
  return body === null ? acceptsJson : sendsJson;
}

const acceptsJson = { accept: 'application/json' };
const sendsJson = { ...acceptsJson, 'content-type': 'application/json' };
