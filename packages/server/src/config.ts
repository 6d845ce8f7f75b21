/** The server's configuration: one schema, resolved once, frozen. */
export { ConfigError } from './config/config-error.ts';
export { defaultText } from './config/describe.ts';
export { type ConfigOption, configOptions, type OptionKind } from './config/options.ts';
export { type Config, type ConfigSources, configFileDefault, type ResolvedConfig, resolveConfig } from './config/resolve.ts';
