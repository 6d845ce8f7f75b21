export * from './answer.ts';
export * from './list.ts';
export { nothingFound, queryBody } from './query.ts';
export * from './routes.ts';
export type { DtmDefaults } from './saga-spec.ts';
export * from './submit.ts';
export { objectOf, textOf } from './transaction.ts';
