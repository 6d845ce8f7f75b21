/**
 * Calls participants over HTTP with undici: one pool of kept-alive connections per origin, no redirects, answers
 * capped, the whole exchange within its deadline, and every address checked at the moment of connecting.
 */
import type { Exchange, Outcome } from '@amends/core';
import type { Transport } from '../../ports/ports.ts';
import { reasonAgainst, refuseForbidden } from '../address/network-address.ts';
import { Deadlines } from '../deadlines.ts';
import { HttpExchange } from './http-exchange.ts';
import { HttpPools, type HttpPoolsOptions } from './http-pools.ts';
import { requestMaker } from './http-request.ts';

/** How to call. */
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
      if (address.by !== 'http') return notMade('invalid_request', notHttp, 'refused');
      // An origin that has connections has been judged.
      const forbidden = pools.has(address.origin) ? null : reasonAgainst(address, checkAddress);
      if (forbidden !== null) return notMade('address_forbidden', forbidden, 'forbidden');
      if (closed) return notMade('stopped', 'the coordinator is stopping', 'unsent');
      const request = requestOf(call);
      if (request === null) return notMade('invalid_request', 'the payload is not a JSON object', 'refused');
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

function notMade(code: string, detail: string, exchange: Exchange): Promise<Outcome> {
  return Promise.resolve({ class: 'unknown', code, detail, exchange, durationMs: 0 });
}
