export * from './answer.ts';
export * from './messages.ts';
export * from './request.ts';
