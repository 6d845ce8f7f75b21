/** The options for people: as a table for the documentation. */
import { type ConfigOption, configOptions } from './options.ts';

/** The default as text: lists and empty texts in words. */
export function defaultText({ default: value }: ConfigOption): string {
  return Array.isArray(value) && value.length === 0 ? 'none' : String(value);
}

/** All options as a Markdown table. */
export function configMarkdown(): string {
  const rows = configOptions.map(
    (option) =>
      `| \`${option.name}\` | \`--${option.flag}\` | \`${option.env}\` | \`${defaultText(option)}\` | ${option.description.replaceAll('|', '\\|')} |`,
  );
  return ['| Option | Flag | Variable | Default | Meaning |', '|---|---|---|---|---|', ...rows, ''].join('\n');
}
