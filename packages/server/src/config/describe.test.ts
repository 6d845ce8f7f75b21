import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configPage } from './describe.ts';
import { configOptions } from './options.ts';

describe('the page of options', () => {
  const rows = configPage()
    .split('\n')
    .filter((line) => line.startsWith('| `'));

  it('is what the documentation shows; UPDATE_DOCS=1 writes it', () => {
    const file = new URL('../../../../docs/configuration.md', import.meta.url);
    if (process.env.UPDATE_DOCS === '1') writeFileSync(file, configPage());
    expect(readFileSync(file, 'utf8')).toBe(configPage());
  });

  it.each(configOptions.map((option) => [option.name, option] as const))('has a row for %s', (name, option) => {
    const row = rows.find((line) => line.startsWith(`| \`${name}\` |`));
    expect(row).toContain(`| \`--${option.flag}\` | \`${option.env}\` |`);
    expect(option.description).not.toBe('');
  });

  it('has a row for nothing else', () => {
    expect(rows).toHaveLength(configOptions.length);
  });

  it('says what the defaults are', () => {
    expect(rows.find((line) => line.includes('`port`'))).toContain('| `36789` |');
    expect(rows.find((line) => line.includes('`participants.allow`'))).toContain('| `none` |');
  });
});
