export * from './answer.ts';
export * from './messages.ts';
export * from './methods.ts';
export { servedProtos } from './proto.ts';
export * from './status-text.ts';
