/** Calls that an application makes itself: the first phase of its branches. */
import { Agent, request } from 'undici';
import type { BranchRef } from './call.ts';
import { BusinessFailure, Ongoing } from './verdict.ts';

/** A participant that has given no verdict: nobody knows what has happened there. */
export class ParticipantError extends Error {
  override readonly name = 'ParticipantError';
  readonly url: string;
  /** HTTP status; null: there was no answer. */
  readonly status: number | null;

  constructor(url: string, message: string, { status, cause }: { readonly status: number | null; readonly cause?: unknown }) {
    super(`${url}: ${message}`, cause === undefined ? undefined : { cause });
    this.url = url;
    this.status = status;
  }
}

/** How to call. */
export interface BranchRequest {
  /** Default POST. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** JSON, sent as the body. Left out: there is none. */
  readonly payload?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Time for the answer. Milliseconds; default 10 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Added to the address, beside what names the branch. */
  readonly query?: Readonly<Record<string, string>>;
}

/** Calls participants. */
export interface Participants {
  /**
   * Calls one, once; no redirect is followed.
   * @returns its answer: JSON where it is that, else text; undefined: it was empty
   * @throws BusinessFailure, Ongoing: its verdict. ParticipantError: it has given none
   */
  call(url: string, branch: BranchRef, how?: BranchRequest): Promise<unknown>;
  /** Breaks off what is under way. Idempotent. */
  close(): Promise<void>;
}

/** Connections to participants, made when they are needed. */
export function participants(): Participants {
  const agent = new Agent();
  return {
    async call(url, branch, { method = 'POST', payload, headers = {}, timeoutMs = 10_000, signal, query = {} } = {}) {
      const limit = AbortSignal.timeout(timeoutMs);
      const body = payload === undefined ? null : JSON.stringify(payload);
      const options = {
        dispatcher: agent,
        method,
        body,
        headers: { accept: 'application/json', ...(body === null ? {} : { 'content-type': 'application/json' }), ...headers },
        signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
      };
      const answer = await answered(url, async () => {
        const { statusCode, body: answered } = await request(addressed(url, branch, query), options);
        return { status: statusCode, text: await answered.text() };
      });
      return verdictIn(url, answer);
    },
    close: () => (agent.destroyed ? Promise.resolve() : agent.destroy()),
  };
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function answered(url: string, exchange: () => Promise<Answer>): Promise<Answer> {
  try {
    return await exchange();
  } catch (cause) {
    throw new ParticipantError(url, `no answer: ${cause instanceof Error ? cause.message : String(cause)}`, {
      status: null,
      cause,
    });
  }
}

function addressed(url: string, { gid, transType, branchId, op }: BranchRef, more: Readonly<Record<string, string>>): URL {
  const address = new URL(url);
  const parameters = { ...more, branch_id: branchId, gid, op, trans_type: transType };
  for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
  return address;
}

/** By the rules of DTM's coordinators: services that are older than status codes say it in words. */
function verdictIn(url: string, { status, text }: Answer): unknown {
  if (status === 425 || text.includes('ONGOING')) throw new Ongoing(messageIn(text));
  if (status === 409 || text.includes('FAILURE')) throw new BusinessFailure(messageIn(text));
  if (status < 200 || status > 299) throw new ParticipantError(url, `HTTP ${status}: ${text.slice(0, 200)}`, { status });
  return text === '' ? undefined : jsonOrText(text);
}

function messageIn(text: string): string {
  const { message, error } = (Object(jsonOrText(text)) ?? {}) as { readonly message?: unknown; readonly error?: unknown };
  return [message, error].find((each) => typeof each === 'string') ?? text.slice(0, 200);
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
