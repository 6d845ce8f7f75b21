export * from './config/index.ts';
export * from './server.ts';
export * from './start-error.ts';
export * from './stores/store-care.ts';
export type { ServerLog } from './telemetry/log.ts';
export { version } from './version.ts';
