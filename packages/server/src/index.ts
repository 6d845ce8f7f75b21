export * from './address-policy.ts';
export * from './config.ts';
