/** The options one by one, read off the schema: how each is called as a flag, in the environment and in the file. */
import { z } from 'zod';
import { configSchema } from './schema.ts';

/** What kind of value an option takes. */
export type OptionKind = 'text' | 'number' | 'truth' | 'choice' | 'list';

export interface ConfigOption {
  /** Name in the file, dots between nested keys. */
  readonly name: string;
  readonly path: readonly string[];
  /** Name on the command line, without dashes: `per-host-in-flight-max`. */
  readonly flag: string;
  /** Name in the environment: `AMENDS_PER_HOST_IN_FLIGHT_MAX`. */
  readonly env: string;
  readonly kind: OptionKind;
  /** Values of a choice; empty otherwise. */
  readonly choices: readonly string[];
  readonly default: unknown;
  readonly description: string;
  readonly schema: z.ZodType;
}

/** Every option, in the order of the schema. */
export const configOptions: readonly ConfigOption[] = listOptions(configSchema, []);

function listOptions(object: z.ZodObject, path: readonly string[]): ConfigOption[] {
  return Object.entries(object.shape).flatMap(([key, schema]) => {
    const nested = objectIn(schema as z.ZodType);
    return nested === null ? [makeOption(schema as z.ZodType, [...path, key])] : listOptions(nested, [...path, key]);
  });
}

function objectIn(schema: z.ZodType): z.ZodObject | null {
  if (schema instanceof z.ZodObject) return schema;
  return schema instanceof z.ZodPrefault ? objectIn(schema.def.innerType as z.ZodType) : null;
}

function makeOption(schema: z.ZodType, path: readonly string[]): ConfigOption {
  const inner = schema instanceof z.ZodDefault ? (schema.def.innerType as z.ZodType) : schema;
  const words = path.flatMap((key) => key.split(/(?=[A-Z])/)).map((word) => word.toLowerCase());
  return {
    name: path.join('.'),
    path,
    flag: words.join('-'),
    env: `AMENDS_${words.join('_').toUpperCase()}`,
    kind: kindOf(inner),
    choices: inner instanceof z.ZodEnum ? (inner.options as string[]) : [],
    default: schema.parse(undefined),
    description: schema.description ?? '',
    schema,
  };
}

function kindOf(schema: z.ZodType): OptionKind {
  if (schema instanceof z.ZodNumber) return 'number';
  if (schema instanceof z.ZodBoolean) return 'truth';
  if (schema instanceof z.ZodEnum) return 'choice';
  return schema instanceof z.ZodArray ? 'list' : 'text';
}

/** The value that a text of a flag or of the environment stands for; what does not fit is left to the schema to refuse. */
export function valueOfText(option: ConfigOption, text: string): unknown {
  switch (option.kind) {
    case 'number':
      return /^-?\d+$/.test(text) ? Number(text) : text;
    case 'truth':
      return truths.get(text.toLowerCase()) ?? text;
    case 'list':
      return text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '');
    default:
      return text;
  }
}

const truths: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['yes', true],
  ['false', false],
  ['0', false],
  ['no', false],
]);
