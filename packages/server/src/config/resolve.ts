/** From flags, environment and file to one frozen configuration. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isLoopbackHost } from '@amends/coordinator/addresses';
import { pathText } from '@amends/wire';
import type yaml from 'yaml';
import type { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { dtmEnvSetting, dtmFileSettings, isDtmKey } from './dtm-names.ts';
import { type ConfigOption, configOptions, valueOfText } from './options.ts';
import { type ConfigValues, configSchema } from './schema.ts';
import { readTls, type TlsFiles } from './tls.ts';

/** The options of a running server, frozen. */
export interface Config extends Readonly<ConfigValues> {
  /** What the files hold that the options `tls` and `participants.tls` name. */
  readonly tlsFiles: TlsFiles;
}

/** Where options come from. Earlier ones win: flags, `AMENDS_*`, DTM's variables, the file, the defaults. */
export interface ConfigSources {
  /** Values by option name, as text. */
  readonly flags?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Path of the file; left out: `AMENDS_CONFIG`, else `amends.yaml` in the working directory if there is one. */
  readonly file?: string;
}

/** A configuration and what is to be said about it. */
export interface ResolvedConfig {
  readonly config: Config;
  /** One line for each setting that was accepted but means nothing here. */
  readonly warnings: readonly string[];
}

interface Setting {
  readonly value: unknown;
  readonly source: string;
}

interface Layers {
  readonly settings: Map<string, Setting>;
  readonly warnings: string[];
}

/** The file that is read when none is named. */
export const configFileDefault = 'amends.yaml';

/**
 * Resolves the configuration once.
 * @throws ConfigError naming key, value, expectation and source
 */
export function resolveConfig({ flags = {}, env = {}, file }: ConfigSources = {}): ResolvedConfig {
  const layers: Layers = { settings: new Map(), warnings: [] };
  addFile(layers, file ?? env.AMENDS_CONFIG);
  addDtmEnvironment(layers, env);
  addEnvironment(layers, env);
  for (const [name, text] of Object.entries(flags)) set(layers, name, text, (option) => `--${option.flag}`);
  const values = checkValues(layers.settings);
  checkBinding(values, layers.settings.get('host'));
  const tlsFiles = readTls(values, (name) => layers.settings.get(name)?.source ?? 'defaults');
  return { config: deepFrozen({ ...values, tlsFiles }), warnings: layers.warnings };
}

const byName: ReadonlyMap<string, ConfigOption> = new Map(configOptions.map((option) => [option.name, option]));

/** Sets an option from text. */
function set(layers: Layers, name: string, text: string, source: (option: ConfigOption) => string): void {
  const option = byName.get(name);
  if (option === undefined) throw new ConfigError(name, text, 'the name of an option; see amends serve --help', 'flag');
  layers.settings.set(name, { value: valueOfText(option, text), source: source(option) });
}

/** Read elsewhere: the path of the file above, and what the command asks with when it is not the server. */
const otherVariables: ReadonlySet<string> = new Set(['AMENDS_CONFIG', 'AMENDS_SERVER', 'AMENDS_ACTOR']);

/** Kubernetes sets these in every container beside a service that is called amends; they are no options. */
function isServiceLink(name: string, text: string): boolean {
  return /^AMENDS_(SERVICE_(HOST|PORT)|PORT_\d+_)/.test(name) || (name === 'AMENDS_PORT' && text.startsWith('tcp://'));
}

function addEnvironment(layers: Layers, env: NonNullable<ConfigSources['env']>): void {
  const names = new Map(configOptions.map((option) => [option.env, option]));
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('AMENDS_') || otherVariables.has(name) || text === undefined || text === '') continue;
    if (isServiceLink(name, text)) continue;
    const option = names.get(name);
    if (option === undefined)
      throw new ConfigError(name, text, 'a variable that Amends knows; see amends serve --help', 'environment');
    set(layers, option.name, text, () => `environment variable ${name}`);
  }
}

function addDtmEnvironment({ settings, warnings }: Layers, env: NonNullable<ConfigSources['env']>): void {
  for (const [name, text = ''] of Object.entries(env).sort()) {
    const setting = dtmEnvSetting(name, text);
    if (setting === null) continue;
    if (setting.use === 'ignored') warnings.push(`environment variable ${name} ${setting.reason}`);
    else
      for (const option of setting.options)
        settings.set(option, { value: setting.value, source: `environment variable ${name}` });
  }
}

function addFile(layers: Layers, named: string | undefined): void {
  const path = named ?? (existsSync(configFileDefault) ? configFileDefault : null);
  if (path === null) return;
  for (const [key, value] of Object.entries(readFile(path))) {
    if (isDtmKey(key)) addDtmKey(layers, path, key, value);
    else addKey(layers, path, [key], value);
  }
}

function readFile(path: string): Readonly<Record<string, unknown>> {
  const content: unknown = parseFile(path);
  if (content === null) return {};
  if (typeof content !== 'object' || Array.isArray(content))
    throw new ConfigError('config', path, 'a YAML file with one option per line', path);
  return content as Record<string, unknown>;
}

function parseFile(path: string): unknown {
  // Loaded only where there is a file, for an idle server keeps what it has loaded.
  const { parse, YAMLParseError } = createRequire(import.meta.url)('yaml') as typeof yaml;
  try {
    return parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const reason =
      error instanceof YAMLParseError ? `is not YAML: ${error.message}` : `cannot be read: ${(error as Error).message}`;
    throw new ConfigError('config', path, `a readable YAML file; it ${reason}`, 'command line or environment');
  }
}

function addDtmKey({ settings, warnings }: Layers, path: string, key: string, value: unknown): void {
  for (const setting of dtmFileSettings(key, value, path)) {
    if (setting.use === 'ignored') warnings.push(`key ${setting.key} in ${path} ${setting.reason}`);
    else
      for (const option of setting.options)
        settings.set(option, { value: setting.value, source: `key ${setting.key} in ${path}` });
  }
}

function addKey(layers: Layers, file: string, path: readonly string[], value: unknown): void {
  const name = path.join('.');
  if (byName.has(name)) {
    layers.settings.set(name, { value, source: file });
    return;
  }
  const isGroup = configOptions.some((option) => option.name.startsWith(`${name}.`));
  if (!isGroup)
    throw new ConfigError(
      name,
      value,
      `the name of an option; known: ${configOptions.map((option) => option.name).join(', ')}`,
      file,
    );
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ConfigError(name, value, 'a group of keys', file);
  for (const [key, inner] of Object.entries(value)) addKey(layers, file, [...path, key], inner);
}

function checkValues(settings: ReadonlyMap<string, Setting>): ConfigValues {
  const tree: Record<string, unknown> = {};
  for (const [name, { value }] of settings) place(tree, name.split('.'), value);
  const result = configSchema.safeParse(tree, { reportInput: true });
  if (result.success) return result.data;
  throw refusal(result.error.issues[0]!, settings);
}

function place(tree: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path as [string, ...string[]];
  if (rest.length === 0) {
    tree[key] = value;
    return;
  }
  tree[key] ??= {};
  place(tree[key] as Record<string, unknown>, rest, value);
}

function refusal(issue: z.core.$ZodIssue, settings: ReadonlyMap<string, Setting>): ConfigError {
  const field = pathText(issue.path);
  const option = configOptions.find((each) => field === each.name || field.startsWith(`${each.name}[`));
  const setting = settings.get(option?.name ?? '');
  return new ConfigError(field, issue.input ?? setting?.value, expectation(issue, option), setting?.source ?? 'defaults');
}

function expectation(issue: z.core.$ZodIssue, option: ConfigOption | undefined): string {
  if (option?.kind === 'choice') return option.choices.join(', ');
  const bounds =
    issue.code === 'too_big' ? `at most ${issue.maximum}` : issue.code === 'too_small' ? `at least ${issue.minimum}` : null;
  if (bounds !== null) return bounds;
  const kinds = { number: 'a whole number', truth: 'true or false', list: 'a list, in flags and variables separated by commas' };
  return issue.code === 'invalid_type' && option !== undefined && option.kind in kinds
    ? kinds[option.kind as keyof typeof kinds]
    : issue.message.replace(/^must be /, '');
}

/** Whoever reaches the port may do everything: then it must be meant. */
function checkBinding({ host, insecure, tls }: ConfigValues, setting: Setting | undefined): void {
  if (insecure || tls.clientCa !== '' || isLoopbackHost(host)) return;
  throw new ConfigError(
    'host',
    host,
    'a loopback address such as 127.0.0.1, because this version has no authentication: whoever reaches the port may begin, ' +
      'read and end transactions and make the server call addresses of their choice. Give --tls-client-ca to let in clients with a certificate only, or behind a network that you trust --insecure',
    setting?.source ?? 'defaults',
  );
}

function deepFrozen<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) deepFrozen(inner);
  return Object.freeze(value);
}
