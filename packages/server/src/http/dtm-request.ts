/** A request over HTTP, as DTM's operations take it. */
import type { WaitSignal } from '@amends/coordinator';
import type { Trace } from '@amends/core';
import { readActor } from '@amends/wire';
import type { DtmBody } from '@amends/wire/dtm';

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { DtmRequest } from '../dtm/operation.ts';
import { watchCaller } from './caller.ts';
import { traceOfRequest } from './request-trace.ts';

/** Reads what a request carries. */
export type ReadBody = (request: FastifyRequest) => DtmBody;

/** Made for each request: nothing is read before it is asked for. */
export class HttpDtmRequest implements DtmRequest {
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  readonly #read: ReadBody;

  constructor(request: FastifyRequest, reply: FastifyReply, read: ReadBody) {
    this.#request = request;
    this.#reply = reply;
    this.#read = read;
  }

  body(): DtmBody {
    return this.#read(this.#request);
  }

  trace(): Trace | null {
    return traceOfRequest(this.#request);
  }

  actor(): string {
    return readActor(this.#request.headers['x-amends-actor']);
  }

  get caller(): WaitSignal {
    return watchCaller(this.#reply);
  }
}
