/** The calls of participants that an application makes itself: first phases, and steps of workflows. */
import { Agent, type Dispatcher } from 'undici';
import { readText, UnreadableAnswer } from '../http/answer-text.ts';
import { connectorToFinalAnswers } from '../http/interim-answers.ts';
import { jsonHeaders } from '../http/json-headers.ts';
import type { BranchRef } from './call.ts';
import { BusinessFailure, NeedsAttention, Ongoing } from './verdict.ts';

/** A call without a verdict: what has happened at the participant is not known. */
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

/** What a call sends beside the branch, and its limits. */
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

/** The connections to participants. */
export interface Participants {
  /**
   * Calls a participant, once, and follows no redirect.
   * @returns its answer: JSON where it is that, else text; undefined: it was empty
   * @throws BusinessFailure, Ongoing: its verdict. NeedsAttention: it says that a human has to look. ParticipantError: there was
   * no verdict
   */
  call(url: string, branch: BranchRef, how?: BranchRequest): Promise<unknown>;
  /** Breaks off what is under way. Idempotent. */
  close(): Promise<void>;
}

/** Makes connections to participants as calls need them. */
export function connectParticipants(): Participants {
  const agent = new Agent({ pipelining: 1, connect: connectorToFinalAnswers() });
  return {
    async call(url, branch, { method = 'POST', payload, headers = {}, timeoutMs = 10_000, signal, query = {} } = {}) {
      const limit = AbortSignal.timeout(timeoutMs);
      const body = payload === undefined ? null : JSON.stringify(payload);
      const options = {
        method,
        body,
        headers: { ...jsonHeaders(body), ...wishOf(branch), ...encodeUtf8(headers) },
        signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
      };
      const answer = await exchange(url, async () => {
        const answer = await agent.request({ ...targetOf(url, branch, query), ...options });
        const isStuck = answer.headers['amends-attention'] === 'needed';
        return { status: answer.statusCode, text: await readTextOrVerdict(answer), isStuck };
      });
      return readVerdict(url, answer);
    },
    close: () => (agent.destroyed ? Promise.resolve() : agent.destroy()),
  };
}

function wishOf({ answerWanted = false }: BranchRef): Readonly<Record<string, string>> {
  return answerWanted ? { 'amends-answer': 'wanted' } : {};
}

interface ParticipantAnswer {
  readonly status: number;
  readonly text: string;
  /** true: the participant says that a human has to look. */
  readonly isStuck: boolean;
}

async function exchange(url: string, exchange: () => Promise<ParticipantAnswer>): Promise<ParticipantAnswer> {
  try {
    return await exchange();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    if (cause instanceof UnreadableAnswer) throw new ParticipantError(url, message, { status: cause.status, cause });
    throw new ParticipantError(url, `no answer: ${message}`, { status: null, cause });
  }
}

/** Reads the text of an answer. 409 and 425 are verdicts also where their body cannot be read. */
async function readTextOrVerdict(answer: Dispatcher.ResponseData): Promise<string> {
  try {
    return await readText(answer);
  } catch (error) {
    if (error instanceof UnreadableAnswer && isVerdict(error.status)) return error.message;
    throw error;
  }
}

function isVerdict(status: number): boolean {
  return status === 409 || status === 425;
}

/** Writes values as the bytes of UTF-8, one character each, because undici sends one byte for each character. */
function encodeUtf8(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Buffer.from(value).toString('latin1')]));
}

/** The address with the parameters that name the branch appended, as coordinators append them. */
function targetOf(url: string, branch: BranchRef, more: Readonly<Record<string, string>>) {
  const { origin, pathname, search } = new URL(url);
  const { gid, transType, branchId, op } = branch;
  const parameters = Object.entries({ ...more, branch_id: branchId, gid, op, trans_type: transType });
  const appended = parameters.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
  return { origin, path: `${pathname}${search}${search === '' ? '?' : '&'}${appended}` };
}

/** Reads the verdict by the rules of DTM's coordinators: older services give it as a word in the body instead of a status. */
function readVerdict(url: string, { status, text, isStuck }: ParticipantAnswer): unknown {
  if (status === 425 || text.includes('ONGOING')) throw new Ongoing(messageOf(text));
  if (status === 409 || text.includes('FAILURE')) throw new BusinessFailure(messageOf(text));
  if (isStuck) throw new NeedsAttention(`${url}: ${messageOf(text)}`);
  if (status < 200 || status > 299) throw new ParticipantError(url, `HTTP ${status}: ${text.slice(0, 200)}`, { status });
  return text === '' ? undefined : parseJsonOrText(text);
}

function messageOf(text: string): string {
  const { message, error } = (Object(parseJsonOrText(text)) ?? {}) as { readonly message?: unknown; readonly error?: unknown };
  return [message, error].find((each) => typeof each === 'string') ?? text.slice(0, 200);
}

function parseJsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
