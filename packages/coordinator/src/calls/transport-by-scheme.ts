/** The address of a call says which transport makes it. */

import type { Transport } from '../ports/ports.ts';

/** One transport for each way to call. */
export interface Transports {
  readonly http: Transport;
  readonly grpc: Transport;
}

/** A transport that hands each call to the one that can make it. A transaction over gRPC may have steps over HTTP. */
export function transportByScheme({ http, grpc }: Transports): Transport {
  return {
    call: (request) => (request.address.by === 'grpc' ? grpc.call(request) : http.call(request)),
    async close() {
      await Promise.all([http.close(), grpc.close()]);
    },
  };
}
