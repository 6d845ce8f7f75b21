/** Boundaries around the HTTP answers of a process, put in from outside. */
import { type IncomingMessage, ServerResponse } from 'node:http';
import { pass } from './boundary.ts';

/** From now on each answer to a request that matters passes two boundaries: before it is sent, and when it has been sent. */
export function watchAnswers(matters: (request: IncomingMessage) => boolean): void {
  const { end } = ServerResponse.prototype;
  ServerResponse.prototype.end = function (this: ServerResponse, ...args: unknown[]) {
    if (!matters(this.req)) return Reflect.apply(end, this, args);
    pass('before-answer');
    this.once('finish', () => pass('after-answer'));
    return Reflect.apply(end, this, args);
  } as typeof end;
}
