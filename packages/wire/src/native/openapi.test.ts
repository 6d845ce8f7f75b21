import { describe, expect, it } from 'vitest';
import { openApiDocument } from './openapi.ts';
import { nativeRoutes } from './routes.ts';

interface Operation {
  readonly operationId: string;
  readonly 'x-permission': string;
}

const document = openApiDocument('1.2.3') as {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, unknown> };
};

describe('the OpenAPI document', () => {
  it('has every route with its permission', () => {
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
    expect(operations.map((each) => [each.operationId, each['x-permission']]).sort()).toEqual(
      nativeRoutes.map((route) => [route.operationId, route.permission] as [string, string]).sort(),
    );
  });

  it('refers only to schemas that it has', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
      (match) => match[1]!,
    );
    expect(new Set(references)).toEqual(new Set(Object.keys(document.components.schemas)));
  });

  it('lets callers leave out what has a default', () => {
    expect(document.components.schemas.NewSaga).toMatchObject({ required: ['mode', 'steps'], additionalProperties: false });
    expect(document.components.schemas.NewTcc).toMatchObject({ required: ['mode'] });
    expect(document.components.schemas.NewStep).toMatchObject({ required: ['action'] });
  });

  it('says what waiting does, and when to come back', () => {
    const read = document.paths['/transactions/{gid}']!.get as unknown as {
      parameters: { name: string; description: string }[];
      responses: Record<string, { headers?: object }>;
    };
    const waitMs = read.parameters.find((each) => each.name === 'waitMs');
    expect(waitMs?.description).toMatch(/finished, is held, or is quiet until a later retry/);
    expect(read.responses['200']?.headers).toHaveProperty('Retry-After');
    expect(JSON.stringify(document.components.schemas.Transaction)).toContain('`decision.direction` is `terminate`');
  });

  it('tells the modes apart by their field mode', () => {
    expect(document.components.schemas.NewTransaction).toEqual({
      oneOf: ['NewSaga', 'NewMessage', 'NewTcc', 'NewXa', 'NewWorkflow'].map((name) => ({
        $ref: `#/components/schemas/${name}`,
      })),
    });
  });

  it('says what every request may meet beside its own answers', () => {
    for (const operation of Object.values(document.paths).flatMap((path) => Object.values(path)) as unknown[]) {
      const { responses } = operation as { responses: object };
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(['400', '403', '408', '417', '431', '500', '503']));
    }
  });

  it('gives each text its limits, and its pattern or format', () => {
    const text = (schema: unknown) => JSON.stringify(schema);
    const retry = document.paths['/transactions/{gid}/retry']!.post as unknown as {
      parameters: { name: string; schema: object }[];
    };
    const schemas = Object.fromEntries(retry.parameters.map(({ name, schema }) => [name, schema]));
    expect(schemas['gid']).toMatchObject({ minLength: 1, maxLength: 128, pattern: expect.any(String) });
    expect(schemas['X-Amends-Actor']).toMatchObject({ maxLength: 128, default: 'anonymous' });
    const { NewXa, NewStep, NewTccBranch, NewSubscription, Transaction } = document.components.schemas;
    expect(text(NewXa)).toMatch(/"propertyNames":\{"maxLength":128,"pattern":/);
    for (const schema of [NewXa, NewStep, NewTccBranch, NewSubscription])
      expect(text(schema)).toMatch(/"maxLength":\d+,"pattern":/);
    expect(text(Transaction)).toContain('"format":"date-time"');
  });

  it('gives query parameters their types and limits', () => {
    const list = document.paths['/transactions']!.get as unknown as { parameters: { name: string; schema: object }[] };
    expect(list.parameters.find((each) => each.name === 'limit')?.schema).toMatchObject({
      type: 'integer',
      maximum: 1000,
      default: 50,
    });
  });
});
