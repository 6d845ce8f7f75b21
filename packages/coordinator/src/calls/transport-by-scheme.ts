/** Which transport a call takes: what its URL says, else the protocol of its transaction. */

import type { Transport } from '../ports/ports.ts';
import { isGrpcTarget } from './address/grpc-target.ts';

/** One transport for each way to call. */
export interface Transports {
  readonly http: Transport;
  readonly grpc: Transport;
}

/** A transport that hands each call to the one that can make it; transactions over gRPC may have steps over HTTP. */
export function transportByScheme({ http, grpc }: Transports): Transport {
  return {
    call: (request) => (isGrpcTarget(request.url) ? grpc.call(request) : http.call(request)),
    async close() {
      await Promise.all([http.close(), grpc.close()]);
    },
  };
}
