/** The options for people: as a table for the documentation. */
import { type ConfigOption, configOptions } from './options.ts';

/** The default as text: lists and empty texts in words. */
export function defaultText({ default: value }: ConfigOption): string {
  return value === '' || (Array.isArray(value) && value.length === 0) ? 'none' : String(value);
}

/** What stands above the table. */
const introduction = `# Configuration

The options of \`amends serve\`. Each can be set by a flag, by a variable of the environment, or in a YAML file by its name
(\`--config FILE\`, \`AMENDS_CONFIG\`, or \`amends.yaml\` in the working directory), where a dot stands for a group:
\`participants: { allow: [10.0.0.0/8] }\`. A flag wins over the environment, the environment over the file. What is unknown
or out of bounds is refused at the start. DTM's own variables and keys are understood where they mean the same; see
[Migrating from DTM](migrating-from-dtm.md).

`;

/** The page of the documentation that tells all options. */
export function configPage(): string {
  return introduction + configMarkdown();
}

/** All options as a Markdown table. */
function configMarkdown(): string {
  const rows = configOptions.map(
    (option) =>
      `| \`${option.name}\` | \`--${option.flag}\` | \`${option.env}\` | \`${defaultText(option)}\` | ${option.description.replaceAll('|', '\\|')} |`,
  );
  return ['| Option | Flag | Variable | Default | Meaning |', '|---|---|---|---|---|', ...rows, ''].join('\n');
}
