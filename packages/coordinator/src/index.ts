export {
  type AddressKind,
  addressKind,
  type CheckAddress,
  isLoopbackHost,
  placeOf,
  refuseForbidden,
  withoutMapping,
} from './address.ts';
export type * from './coordinator.ts';
export type { CoordinatorOptions } from './create-coordinator.ts';
export { createCoordinator } from './create-coordinator.ts';
export type { GrpcTransportOptions } from './grpc-transport.ts';
export { grpcTransport } from './grpc-transport.ts';
export type { HttpTransportOptions } from './http-transport.ts';
export { httpTransport } from './http-transport.ts';
export type { ParticipantTls } from './participant-tls.ts';
export type * from './ports.ts';
export { remembered } from './remembered.ts';
export { targetRefuser } from './targets.ts';
export type { Transports } from './transport-by-scheme.ts';
export { transportByScheme } from './transport-by-scheme.ts';
export { hostOf } from './url-parts.ts';
