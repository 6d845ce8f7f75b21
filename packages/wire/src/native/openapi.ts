/** The OpenAPI 3.1 document of the native API, made from its routes and schemas. */
import { z } from 'zod';
import { problemContentType, problemSchema } from './problem.ts';
import { apiSchemas } from './registry.ts';
import { waitQuery } from './requests.ts';
import { type NativeRoute, nativeBase, nativeRoutes } from './routes.ts';
import { actorText, gidText, topicText } from './text-fields.ts';

type Json = Record<string, unknown>;

/** Makes the document. @param version of the product */
export function openApiDocument(version: string): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Amends',
      version,
      description: 'Global transactions over several services: begin them, watch them, act on them.',
    },
    servers: [{ url: nativeBase }],
    paths: paths(),
    components: { schemas: components() },
  };
}

function paths(): Json {
  const byPath: Record<string, Json> = {};
  for (const route of nativeRoutes as readonly NativeRoute[]) {
    byPath[route.path] = { ...byPath[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  return byPath;
}

function operation(route: NativeRoute): Json {
  const parameters = [...pathParameters(route.path), ...queryParameters(route), ...headerParameters(route)];
  return {
    operationId: route.operationId,
    summary: route.summary,
    'x-permission': route.permission,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body === undefined ? {} : { requestBody: { required: true, content: json(reference(route.body, 'input')) } }),
    responses: { ...answers(route), ...problems(route) },
  };
}

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: schemaOf(pathParts[name!]!, 'input'),
  }));
}

const pathParts: Readonly<Record<string, z.ZodType>> = { gid: gidText, topic: topicText };

function queryParameters({ query }: NativeRoute): Json[] {
  if (query === undefined) return [];
  const { properties = {} } = schemaOf(query, 'output') as { properties?: Record<string, Json> };
  const { required = [] } = schemaOf(query, 'input') as { required?: string[] };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    description,
    schema,
  }));
}

function headerParameters({ takesActor, takesTrace }: NativeRoute): Json[] {
  return [...(takesActor ? [actorParameter] : []), ...(takesTrace ? [traceParameter] : [])];
}

const actorParameter = {
  name: 'X-Amends-Actor',
  in: 'header',
  required: false,
  description: 'Who acts; recorded in the history',
  schema: schemaOf(actorText, 'input'),
};

const traceParameter = {
  name: 'traceparent',
  in: 'header',
  required: false,
  description: 'The trace that it belongs to (W3C Trace Context); participants are told. What is not valid is ignored',
  schema: { type: 'string' },
};

function answers({ answers, query, contentType }: NativeRoute): Json {
  const headers = query === waitQuery ? { headers: { 'Retry-After': retryAfter } } : {};
  return Object.fromEntries(
    Object.entries(answers).map(([status, schema]) => [
      status,
      {
        description: status === '201' ? 'Created' : 'OK',
        ...headers,
        content: contentOf(schema, contentType),
      },
    ]),
  );
}

function contentOf(schema: z.ZodType | null, contentType: string | undefined): Json {
  if (contentType !== undefined) return { [contentType]: { schema: { type: 'string', format: 'binary' } } };
  return json(schema === null ? {} : reference(schema, 'output'));
}

const retryAfter = {
  description: 'While it is running: seconds until it goes on, as `wakeAt`, rounded up; left out when no moment is known',
  schema: { type: 'integer', minimum: 1 },
};

function problems(route: NativeRoute): Json {
  const content = { [problemContentType]: { schema: reference(problemSchema, 'output') } };
  const statuses = [...problemsOfAll, ...route.problems].sort((a, b) => a - b);
  return Object.fromEntries(statuses.map((status) => [status, { description: descriptions[status], content }]));
}

/** What any request may meet. */
const problemsOfAll = [400, 403, 408, 417, 431, 500, 503];

const descriptions: Readonly<Record<number, string>> = {
  400: 'The request is not valid',
  403: 'The header Host or Origin is that of a web page of others',
  404: 'There is no such thing here',
  408: 'The request was not complete in time',
  409: 'It is in use for something else, finished, or has moved on',
  413: 'The body is too large',
  415: 'The body must be JSON, and not encoded',
  417: 'What the header Expect asks for cannot be met',
  422: 'The store does not take a value of it',
  431: 'Address and headers are too large',
  500: 'A bug, or a store that needs a human',
  501: 'This store cannot do that',
  503: 'Not now; try again after `Retry-After`',
};

function json(schema: Json): Json {
  return { 'application/json': { schema } };
}

function reference(schema: z.ZodType, io: 'input' | 'output'): Json {
  const id = apiSchemas.get(schema)?.id;
  return id === undefined ? schemaOf(schema, io) : { $ref: referenceTo(id) };
}

function referenceTo(id: string): string {
  return `#/components/schemas/${id}`;
}

/** Names of what callers send; there a field with a default may be left out. */
const sent: ReadonlySet<string> = new Set([
  'Abort',
  'Conclusion',
  'NewBranch',
  'NewDelivery',
  'NewMessage',
  'NewRecordedStep',
  'NewSaga',
  'NewStep',
  'NewSubscription',
  'NewTcc',
  'NewTccBranch',
  'NewTransaction',
  'NewWorkflow',
  'NewXa',
  'NewXaBranch',
  'RetryPolicy',
]);

function components(): Json {
  const output = z.toJSONSchema(apiSchemas, { uri: referenceTo, io: 'output' }).schemas as Record<string, Json>;
  const input = z.toJSONSchema(apiSchemas, { uri: referenceTo, io: 'input' }).schemas as Record<string, Json>;
  return Object.fromEntries(
    Object.keys(output)
      .sort()
      .map((id) => [id, bare((sent.has(id) ? input : output)[id]!)]),
  );
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  return bare(z.toJSONSchema(schema, { io }) as Json);
}

/** Without what names the document it would be on its own. */
function bare({ $schema, $id, id, ...schema }: Json): Json {
  return schema;
}
