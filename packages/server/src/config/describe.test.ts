import { describe, expect, it } from 'vitest';
import { configMarkdown } from './describe.ts';
import { configOptions } from './options.ts';

describe('the table of options', () => {
  const lines = configMarkdown().trimEnd().split('\n');

  it.each(configOptions.map((option) => [option.name, option] as const))('has a row for %s', (name, option) => {
    const row = lines.find((line) => line.startsWith(`| \`${name}\` |`));
    expect(row).toContain(`| \`--${option.flag}\` | \`${option.env}\` |`);
    expect(option.description).not.toBe('');
  });

  it('has a row for nothing else', () => {
    expect(lines).toHaveLength(configOptions.length + 2);
  });

  it('says what the defaults are', () => {
    expect(lines.find((line) => line.includes('`port`'))).toContain('| `36789` |');
    expect(lines.find((line) => line.includes('`participants.allow`'))).toContain('| `none` |');
  });
});
