/** The errors with which a server does not start, for whoever tells of them without being one. */
export { ConfigError } from './config/config-error.ts';
export { StartError } from './start-error.ts';
