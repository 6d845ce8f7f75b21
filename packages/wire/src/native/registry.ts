/** The named schemas of the native API: each becomes one component of the OpenAPI document. */
import { z } from 'zod';

/** Schemas by name; filled when their modules load, never afterwards. */
export const apiSchemas = z.registry<{ readonly id: string }>();

/** Gives a schema its name in the OpenAPI document. */
export function nameSchema<S extends z.ZodType>(id: string, schema: S): S {
  apiSchemas.add(schema, { id });
  return schema;
}
