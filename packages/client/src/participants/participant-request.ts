/** Calls that an application makes itself: the first phase of its branches. */
import { Agent, type Dispatcher } from 'undici';
import { answerText, UnreadableAnswer } from '../http/answer-text.ts';
import { connectorToFinalAnswers } from '../http/interim-answers.ts';
import type { BranchRef } from './call.ts';
import { BusinessFailure, NeedsAttention, Ongoing } from './verdict.ts';

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
  /** Appended to the address, before what names the branch. */
  readonly query?: Readonly<Record<string, string>>;
}

/** Calls participants. */
export interface Participants {
  /**
   * Calls one, once; no redirect is followed.
   * @returns its answer: JSON where it is that, else text; undefined: it was empty
   * @throws BusinessFailure, Ongoing: its verdict. NeedsAttention: it says that a human has to look. ParticipantError: it has
   * given no verdict
   */
  call(url: string, branch: BranchRef, how?: BranchRequest): Promise<unknown>;
  /** Breaks off what is under way. Idempotent. */
  close(): Promise<void>;
}

/** Connections to participants, made when they are needed. */
export function participants(): Participants {
  const agent = new Agent({ pipelining: 1, connect: connectorToFinalAnswers() });
  return {
    async call(url, branch, { method = 'POST', payload, headers = {}, timeoutMs = 10_000, signal, query = {} } = {}) {
      const limit = AbortSignal.timeout(timeoutMs);
      const body = payload === undefined ? null : JSON.stringify(payload);
      const options = {
        method,
        body,
        headers: { ...(body === null ? acceptsJson : sendsJson), ...wantsAnswer(branch), ...asUtf8(headers) },
        signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
      };
      const answer = await answered(url, async () => {
        const answer = await agent.request({ ...addressed(url, branch, query), ...options });
        const isStuck = answer.headers['amends-attention'] === 'needed';
        return { status: answer.statusCode, text: await textBehind(answer), isStuck };
      });
      return verdictIn(url, answer);
    },
    close: () => (agent.destroyed ? Promise.resolve() : agent.destroy()),
  };
}

function wantsAnswer({ answerWanted = false }: BranchRef): Readonly<Record<string, string>> {
  return answerWanted ? { 'amends-answer': 'wanted' } : {};
}

interface Answer {
  readonly status: number;
  readonly text: string;
  /** The participant says that a human has to look. */
  readonly isStuck: boolean;
}

async function answered(url: string, exchange: () => Promise<Answer>): Promise<Answer> {
  try {
    return await exchange();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    if (cause instanceof UnreadableAnswer) throw new ParticipantError(url, message, { status: cause.status, cause });
    throw new ParticipantError(url, `no answer: ${message}`, { status: null, cause });
  }
}

/** 409 and 425 are verdicts whatever can be read of the body behind them. */
async function textBehind(answer: Dispatcher.ResponseData): Promise<string> {
  try {
    return await answerText(answer);
  } catch (error) {
    if (error instanceof UnreadableAnswer && isVerdict(error.status)) return error.message;
    throw error;
  }
}

function isVerdict(status: number): boolean {
  return status === 409 || status === 425;
}

const acceptsJson = { accept: 'application/json' } as const;
const sendsJson = { ...acceptsJson, 'content-type': 'application/json' } as const;

/** Values beyond ASCII as the bytes of UTF-8, each of which undici sends for one character. */
function asUtf8(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Buffer.from(value).toString('latin1')]));
}

/** The address as it stands, and what names the branch behind it, as coordinators have it. */
function addressed(url: string, branch: BranchRef, more: Readonly<Record<string, string>>) {
  const { origin, pathname, search } = new URL(url);
  const { gid, transType, branchId, op } = branch;
  const parameters = Object.entries({ ...more, branch_id: branchId, gid, op, trans_type: transType });
  const appended = parameters.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
  return { origin, path: `${pathname}${search}${search === '' ? '?' : '&'}${appended}` };
}

/** By the rules of DTM's coordinators: services that are older than status codes say it in words. */
function verdictIn(url: string, { status, text, isStuck }: Answer): unknown {
  if (status === 425 || text.includes('ONGOING')) throw new Ongoing(messageIn(text));
  if (status === 409 || text.includes('FAILURE')) throw new BusinessFailure(messageIn(text));
  if (isStuck) throw new NeedsAttention(`${url}: ${messageIn(text)}`);
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
