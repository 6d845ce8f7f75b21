/**
 * Calls participants over HTTP with undici: one pool of kept-alive connections per origin, no redirects, answers
 * capped, the whole exchange within its deadline, and every address checked at the moment of connecting.
 */
import { type Exchange, limits, type Outcome, type OutcomeClass, participantStuck } from '@amends/core';
import { type Dispatcher, Pool } from 'undici';
import type { BranchCall, Transport } from '../../ports/ports.ts';
import { checkedLookup } from '../address/checked-lookup.ts';
import { type CheckAddress, reasonAgainst, refuseForbidden } from '../address/network-address.ts';
import { classOfConnectError } from '../connection-error.ts';
import { headerText } from '../header-text.ts';
import type { ParticipantTls } from '../participant-tls.ts';
import { classOfAnswer, detailOfAnswer, isVerdict } from './answer.ts';
import { decodedBody, encodingIn, tooLarge } from './content-encoding.ts';
import { connectorToFinalAnswers } from './interim-answers.ts';
import { classOfJsonRpc, isJsonRpc, jsonRpcBody } from './json-rpc-call.ts';

/** How to call. */
export interface HttpTransportOptions {
  /** Connections per origin. Default 128. */
  readonly connectionsMax?: number;
  /** Origins whose connections are kept; the one unused longest is closed for another. Default 1,000. */
  readonly originsMax?: number;
  /**
   * Asked at every new connection with the resolved address, so that a name which resolves differently the next time
   * gains nothing. Default: all but link-local, metadata, multicast and reserved addresses may be called.
   */
  readonly checkAddress?: CheckAddress;
  /** For `https:`. Default: the well-known authorities, no certificate of our own. */
  readonly tls?: ParticipantTls;
  /** Name and version sent to participants. */
  readonly userAgent?: string;
}

/** Makes the transport for `http:` and `https:`. */
export function httpTransport(options: HttpTransportOptions = {}): Transport {
  const { connectionsMax = 128, originsMax = 1_000, checkAddress = refuseForbidden, tls = {}, userAgent = 'amends' } = options;
  const baseHeaders = { 'content-type': 'application/json', accept: 'application/json', 'user-agent': userAgent };
  const pools = new Map<string, Pool>();
  let closed = false;

  function poolOf(origin: string): Pool {
    const known = pools.get(origin);
    if (known !== undefined) {
      pools.delete(origin);
      pools.set(origin, known);
      return known;
    }
    if (pools.size >= originsMax) closeOldest(pools);
    const connect = connectorToFinalAnswers({ lookup: checkedLookup(checkAddress), ...tls });
    const pool = new Pool(origin, { connections: connectionsMax, pipelining: 1, connect });
    pools.set(origin, pool);
    return pool;
  }

  return {
    call(request) {
      const { address } = request;
      if (address.by !== 'http') return Promise.resolve(unknown('invalid_request', notHttp, { exchange: 'refused' }));
      // An origin that has connections has been judged.
      const forbidden = pools.has(address.origin) ? null : reasonAgainst(address, checkAddress);
      if (forbidden !== null) return Promise.resolve(unknown('address_forbidden', forbidden, { exchange: 'forbidden' }));
      if (closed) return Promise.resolve(unknown('stopped', 'the coordinator is stopping', { exchange: 'unsent' }));
      const rpc = isJsonRpc(request);
      const body = rpc ? jsonRpcBody(request) : request.payload;
      if (body === null)
        return Promise.resolve(unknown('invalid_request', 'the payload is not a JSON object', { exchange: 'refused' }));
      const path = rpc ? address.path : pathOf(request);
      return exchange(poolOf(address.origin), request, { path, headers: headersOf(baseHeaders, request), body });
    },
    async close() {
      closed = true;
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
      pools.clear();
    },
  };
}

function closeOldest(pools: Map<string, Pool>): void {
  for (const [origin, pool] of pools) {
    if (pool.stats.running > 0 || pool.stats.queued > 0) continue;
    pools.delete(origin);
    void pool.close();
    return;
  }
}

const notHttp = 'the address does not begin with http:// or https://';

/** The stored path, then DTM's parameters in alphabetical order. */
function pathOf({ address: { path }, branchId, gid, op, mode, workflow }: BranchCall): string {
  const name = workflow === '' ? op : encodeURIComponent(workflow);
  const sign = path.includes('?') ? '&' : '?';
  return `${path}${sign}branch_id=${encodeURIComponent(branchId)}&gid=${encodeURIComponent(gid)}&op=${name}&trans_type=${mode}`;
}

/** The transaction's headers override ours; the fencing token, the attempt's number and what is wanted override theirs. */
function headersOf(base: Readonly<Record<string, string>>, request: BranchCall): Record<string, string> {
  const headers: Record<string, string> = { ...base };
  for (const [name, value] of Object.entries(request.headers)) headers[name.toLowerCase()] = headerText(value);
  headers['amends-epoch'] = String(request.epoch);
  headers['amends-attempt'] = String(request.attempt);
  if (request.keepsAnswer) headers['amends-answer'] = 'wanted';
  return headers;
}

interface HttpRequest {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array | string;
}

function exchange(pool: Pool, request: BranchCall, { path, headers, body }: HttpRequest): Promise<Outcome> {
  const hasBody = body.length > 0;
  return new Promise((done) => {
    const handler = new AnswerHandler(request, done);
    const method = hasBody || request.mode === 'xa' ? 'POST' : 'GET';
    const sent = hasBody ? headers : bodiless(headers);
    pool.dispatch({ path, method, headers: sent, body: hasBody ? body : null, ...noOwnTimeouts }, handler);
  });
}

/** Servers that parse by type take a type without a body for a broken request. */
function bodiless({ 'content-type': _, ...headers }: Record<string, string>): Record<string, string> {
  return headers;
}

/** The deadline of the whole exchange is kept by the handler; undici's are coarser and per phase. */
const noOwnTimeouts = { headersTimeout: 0, bodyTimeout: 0 } as const;

const lost = { code: 'connection_lost', exchange: 'broken' } as const;

/** Follows one exchange and resolves exactly once. */
class AnswerHandler implements Dispatcher.DispatchHandler {
  readonly #request: BranchCall;
  readonly #done: (outcome: Outcome) => void;
  readonly #startedAt = performance.now();
  readonly #deadline: NodeJS.Timeout;
  /** null: the request has not been sent, whatever the error says that comes. */
  #controller: Dispatcher.DispatchController | null = null;
  #status = 0;
  #location = '';
  #encoding = '';
  /** The participant says that a human has to look. */
  #isStuck = false;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #over = false;

  constructor(request: BranchCall, done: (outcome: Outcome) => void) {
    this.#request = request;
    this.#done = done;
    this.#deadline = setTimeout(() => this.#timeOut(), request.deadlineInMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Error('too late'));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status;
    this.#encoding = encodingIn(headers);
    this.#isStuck = headers['amends-attention'] === 'needed';
    if (status >= 300 && status < 400) this.#location = String(headers['location'] ?? '');
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return;
    this.#bytes += chunk.byteLength;
    this.#chunks.push(chunk);
    if (this.#bytes > limits.answerBytesMax) this.#tooLarge();
  }

  onResponseEnd(): void {
    const decoded = decodedBody(this.#received(), this.#encoding, limits.answerBytesMax);
    if ('bytes' in decoded) this.#judge(decoded.bytes);
    else this.#judgeUnread(decoded.code, decoded.detail);
  }

  #received(): Buffer {
    return this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
  }

  #judge(bytes: Buffer): void {
    const body = bytes.toString();
    const verdict = this.#classOf(body);
    const detail =
      verdict === 'success' ? '' : this.#location === '' ? detailOfAnswer(this.#request.face, body) : this.#redirect();
    const kept = verdict === 'success' && this.#request.keepsAnswer ? { kept: new Uint8Array(bytes) } : {};
    const code = verdict === 'unknown' && this.#isStuck ? participantStuck : `http_${this.#status}`;
    this.#end({ class: verdict, code, detail, exchange: 'answered', ...kept });
  }

  /** Of an answer whose body cannot be read, or not to its end, the status may be a verdict all the same. */
  #judgeUnread(code: string, detail: string): void {
    if (!isVerdict(this.#status)) this.#end({ class: 'unknown', code, detail, exchange: 'answered' });
    else if (this.#encoding === '') this.#judge(this.#received());
    else this.#end({ class: this.#classOf(''), code: `http_${this.#status}`, detail, exchange: 'answered' });
  }

  #classOf(body: string): OutcomeClass {
    const verdict = classOfAnswer(this.#request.face, this.#status, body);
    return verdict === 'success' && isJsonRpc(this.#request) ? classOfJsonRpc(body) : verdict;
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    const { code, exchange } = classOfConnectError(error);
    const ended = this.#controller === null ? { code, exchange } : lost;
    this.#end({ class: 'unknown', detail: error.message, ...ended });
  }

  #redirect(): string {
    return `redirect to ${this.#location} not followed`.slice(0, limits.answerCharactersKept).toWellFormed();
  }

  #timeOut(): void {
    const detail = `no complete answer within ${this.#request.deadlineInMs} ms`;
    // Before the request was handed to a connection nothing can have reached the participant.
    this.#end({ class: 'unknown', code: 'timeout', detail, exchange: this.#controller === null ? 'refused' : 'broken' });
    this.#controller?.abort(new Error(detail));
  }

  #tooLarge(): void {
    const detail = tooLarge(limits.answerBytesMax);
    this.#judgeUnread('answer_too_large', detail);
    this.#controller?.abort(new Error(detail));
  }

  #end(outcome: Omit<Outcome, 'durationMs'>): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#deadline);
    this.#chunks = [];
    this.#done({ ...outcome, durationMs: Math.round(performance.now() - this.#startedAt) });
  }
}

function unknown(code: string, detail: string, { exchange }: { exchange: Exchange }): Outcome {
  return { class: 'unknown', code, detail, exchange, durationMs: 0 };
}
