export * from './change-rules.ts';
export * from './decorated-store.ts';
export * from './memory-store.ts';
export * from './store.ts';
export { unreadSpec } from './unread-spec.ts';
