/** A configuration that cannot be used. */

/** Names the key, the value, what was expected and where it was set. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(key: string, value: unknown, expected: string, source: string) {
    const given = value === undefined ? 'is missing' : `is ${JSON.stringify(value)}`;
    super(`option ${key} (from ${source}) ${given}; expected: ${expected}`);
  }
}
