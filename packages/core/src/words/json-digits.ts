/** JSON without losing digits of numbers that a double cannot hold: such a number is kept as it was written. */

/** Since ES2025; not yet in the library types of TypeScript's es2024. */
const { rawJSON, isRawJSON } = JSON as unknown as { rawJSON(text: string): object; isRawJSON(value: unknown): boolean };

/** Digits that a double may not hold, perhaps with a point among them. */
const longNumber = /[\d.]{16}|[\d.][eE][+-]?\d/;

/** As `JSON.parse`; long numbers become what `JSON.stringify` writes back as it was. @throws SyntaxError */
export function parseKeepingDigits(text: string): unknown {
  return longNumber.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
}

/** Whether a parsed value is a number that was kept as it was written; to JavaScript it is an object. */
export function isLongNumber(value: unknown): boolean {
  return isRawJSON(value);
}

function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  return significant(String(value)) === significant(context.source) ? value : rawJSON(context.source);
}

/**
 * The digits that matter, for comparing two spellings of a number. Equal numbers of other exponents may differ, never equal
 * digits of other numbers.
 */
function significant(source: string): string {
  const [mantissa = '', exponent = '0'] = source.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const trimmed = digits.replace(/0+$/, '');
  const scale = Number(exponent) - fraction.length + (digits.length - trimmed.length);
  return trimmed === '' ? '0' : `${trimmed}e${scale}`;
}
