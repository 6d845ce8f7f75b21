export type { MemoryStoreOptions } from './memory-store.ts';
export { openMemoryStore } from './memory-store.ts';
export type * from './store.ts';
