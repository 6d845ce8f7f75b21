export type * from './coordinator.ts';
export type * from './ports.ts';
