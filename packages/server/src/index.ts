export * from './config.ts';
export type { ServerLog } from './log.ts';
export * from './server.ts';
export * from './start-error.ts';
export * from './store-care.ts';
export { version } from './version.ts';
