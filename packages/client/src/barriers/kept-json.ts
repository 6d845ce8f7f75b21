/** Results of work as they are kept: JSON. */

/** A result cannot be kept, because JSON cannot hold it; the message says what and where. */
export class NotJson extends TypeError {
  override readonly name = 'NotJson';
}

/**
 * Writes a result as text. As JSON does, it leaves out methods and `undefined` inside of objects, and makes texts of dates.
 * @param what names the result in the error
 * @returns JSON; empty: there is no result
 * @throws NotJson when something would be lost without a word: a BigInt, a function, a symbol, a cycle, a number without digits,
 * a Map or a Set
 */
export function toJson(value: unknown, what: string): string {
  if (value === undefined) return '';
  const text = stringify(value, what);
  if (text === undefined) throw new NotJson(`${what} is a ${typeof value}, which JSON cannot hold`);
  return text;
}

/** Reads a result from its text. */
export function parseResult(json: string): unknown {
  return json === '' ? undefined : JSON.parse(json);
}

function stringify(value: unknown, what: string): string | undefined {
  try {
    return JSON.stringify(value, (key, part: unknown) => {
      const lost = lossOf(part);
      if (lost === null) return part;
      throw new NotJson(`${what} ${key === '' ? 'is' : `has in ${JSON.stringify(key)}`} a ${lost}, which JSON cannot hold`);
    });
  } catch (error) {
    if (error instanceof NotJson) throw error;
    throw new NotJson(`${what} cannot be written as JSON: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

function lossOf(part: unknown): string | null {
  if (typeof part === 'bigint') return 'BigInt';
  if (typeof part === 'symbol') return 'symbol';
  if (typeof part === 'number' && !Number.isFinite(part)) return `number that is ${part}`;
  if (part instanceof Map) return 'Map';
  return part instanceof Set ? 'Set' : null;
}

/** Whether JSON brings values of a type back as they were, looked at five levels deep. `unknown` and `any` count as JSON. */
export type IsJson<Value, Depth extends readonly 0[] = []> = unknown extends Value
  ? true
  : Depth['length'] extends 5
    ? true
    : false extends EachIsJson<Value, Depth>
      ? false
      : true;

// biome-ignore lint/suspicious/noConfusingVoidType: what a function that returns nothing gives
type EachIsJson<Value, Depth extends readonly 0[]> = Value extends string | number | boolean | null | undefined | void
  ? true
  : Value extends bigint | symbol | ((...given: never[]) => unknown)
    ? false
    : Value extends readonly (infer Item)[]
      ? IsJson<Item, [...Depth, 0]>
      : { [Key in keyof Value]-?: IsJson<Value[Key], [...Depth, 0]> }[keyof Value];

/** Intersected with the type of a function that gives a `Value`: where JSON cannot hold it, the compiler shows `NotJsonType`. */
export type OnlyJson<Value> = IsJson<Value> extends true ? unknown : NotJsonType;

/** A type with a part that JSON cannot hold: a BigInt, a function, a symbol, a class with methods such as Date or Map. */
export interface NotJsonType {
  readonly 'returns what JSON cannot hold': never;
}
