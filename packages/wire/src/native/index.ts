export * from './branches.ts';
export * from './create.ts';
export * from './openapi.ts';
export * from './problem.ts';
export * from './requests.ts';
export * from './responses.ts';
export * from './routes.ts';
export * from './topics.ts';
