/** The server's configuration: one schema, resolved once, frozen. */
export { ConfigError } from './config-error.ts';
export { defaultText } from './describe.ts';
export { type ConfigOption, configOptions, type OptionKind } from './options.ts';
export { type Config, type ConfigSources, configFileDefault, type ResolvedConfig, resolveConfig } from './resolve.ts';
