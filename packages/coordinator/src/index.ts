export {
  type AddressKind,
  addressKind,
  type CheckAddress,
  isLoopbackHost,
  placeOf,
  refuseForbidden,
  withoutMapping,
} from './calls/address/address.ts';
export { remembered } from './calls/address/remembered.ts';
export { targetRefuser } from './calls/address/targets.ts';
export { hostOf } from './calls/address/url-parts.ts';
export type { GrpcTransportOptions } from './calls/grpc/grpc-transport.ts';
export { grpcTransport } from './calls/grpc/grpc-transport.ts';
export type { HttpTransportOptions } from './calls/http/http-transport.ts';
export { httpTransport } from './calls/http/http-transport.ts';
export type { ParticipantTls } from './calls/participant-tls.ts';
export type { Transports } from './calls/transport-by-scheme.ts';
export { transportByScheme } from './calls/transport-by-scheme.ts';
export type * from './coordinator.ts';
export type { CoordinatorOptions } from './create-coordinator.ts';
export { createCoordinator } from './create-coordinator.ts';
export type * from './ports/ports.ts';
