/**
 * Calls participants over HTTP with undici. Each origin has a pool of kept-alive connections. Redirects are not followed, answers
 * are capped, the whole exchange ends within its deadline, and every address is checked at the moment of connecting.
 */
import type { Transport } from '../../ports/ports.ts';
import { reasonAgainst, refuseForbidden } from '../address/network-address.ts';
import { Deadlines } from '../deadlines.ts';
import { leaveUnmade } from '../unmade-call.ts';
import { HttpExchange } from './http-exchange.ts';
import { HttpPools, type HttpPoolsOptions } from './http-pools.ts';
import { requestMaker } from './http-request.ts';

export interface HttpTransportOptions extends HttpPoolsOptions {
  /** Name and version sent to participants. */
  readonly userAgent?: string;
}

/** Makes the transport for `http:` and `https:`. */
export function httpTransport(options: HttpTransportOptions = {}): Transport {
  const { checkAddress = refuseForbidden, userAgent = 'amends' } = options;
  const pools = new HttpPools(options);
  const deadlines = new Deadlines();
  const requestOf = requestMaker(userAgent);
  let closed = false;

  return {
    call(call) {
      const { address } = call;
      if (address.by !== 'http') return leaveUnmade('invalid_request', notHttp, 'refused');
      // An origin that has connections has been judged.
      const forbidden = pools.has(address.origin) ? null : reasonAgainst(address, checkAddress);
      if (forbidden !== null) return leaveUnmade('address_forbidden', forbidden, 'forbidden');
      if (closed) return leaveUnmade('stopped', 'the coordinator is stopping', 'unsent');
      const request = requestOf(call);
      if (request === null) return leaveUnmade('invalid_request', 'the payload is not a JSON object', 'refused');
      return new Promise((done) => {
        pools.take(address.origin).dispatch(request, new HttpExchange(call, { deadlines, done }));
      });
    },
    async close() {
      closed = true;
      await pools.destroy();
    },
  };
}

const notHttp = 'the address does not begin with http:// or https://';
