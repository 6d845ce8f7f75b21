/** Transactions in the native API: begun, announced, joined, submitted, aborted, concluded. */
import type { Coordinator, Requested, Submitted, Topics, TransactionRequest, TransactionView } from '@amends/coordinator';
import { AmendsError, type Gid, isFinished, limits, refuse } from '@amends/core';
import { parseBy, type SubscribersOf } from '@amends/wire';
import {
  abortSchema,
  type CreateRequest,
  conclusionSchema,
  parseCreate,
  parseNewBranch,
  resultBytes,
  transactionBody,
  waitQuery,
} from '@amends/wire/native';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { jsonBody } from '../request-body.ts';
import { fieldError } from '../request-error.ts';
import { traceOfRequest } from '../request-trace.ts';
import { mustExist, type NativeAnswer, type NativeHandler, ok, readGid, viewWithin } from './native-answer.ts';

interface Parts {
  readonly coordinator: Coordinator;
  readonly topics: Topics;
}

type Operation = 'createTransaction' | 'submitTransaction' | 'abortTransaction' | 'registerBranch' | 'concludeTransaction';

/** The handlers, by operation. */
export function transactionHandlers(parts: Parts): Record<Operation, NativeHandler> {
  const { coordinator } = parts;
  return {
    createTransaction: (request, reply) => create(parts, request, reply),
    async submitTransaction(request, reply) {
      const patience = { ...parseBy(waitQuery, request.query, 'query.'), reply };
      const gid = readGid(request);
      const { view } = await askDecision(coordinator, gid, {
        request: { type: 'submitted' },
        decided: 'commit',
        verb: 'submitted',
      });
      return ok(await waitIfAsked(coordinator, gid, { view, ...patience }));
    },
    async abortTransaction(request, reply) {
      const patience = { ...parseBy(waitQuery, request.query, 'query.'), reply };
      const { reason } = parseBy(abortSchema, jsonBody(request));
      const gid = readGid(request);
      const abort = { request: { type: 'aborted', reason }, decided: 'roll-back', verb: 'aborted' } as const;
      const { view } = await askDecision(coordinator, gid, abort);
      return ok(await waitIfAsked(coordinator, gid, { view, ...patience }));
    },
    registerBranch: (request) => register(coordinator, request),
    concludeTransaction: (request) => conclude(coordinator, request),
  };
}

async function create({ coordinator, topics }: Parts, request: FastifyRequest, reply: FastifyReply): Promise<NativeAnswer> {
  const { waitMs } = parseBy(waitQuery, request.query, 'query.');
  const asked = parseCreate(jsonBody(request), traceOfRequest(request));
  const gid = asked.gid ?? coordinator.newGid();
  const begun = asked.topics.length === 0 ? begin(coordinator, gid, asked) : beginWithTopics({ coordinator, topics }, gid, asked);
  const { verdict, view } = await begun;
  if (verdict === 'different') throw inUse(gid);
  const rest = await waitIfAsked(coordinator, gid, { view, waitMs, reply });
  return { status: verdict === 'created' ? 201 : 200, body: transactionBody(rest) };
}

async function beginWithTopics({ coordinator, topics }: Parts, gid: Gid, asked: CreateRequest): Promise<Submitted> {
  const begun = await findBegun(coordinator, gid, asked);
  if (begun !== null) return begun;
  const subscribers = await topics.subscribers(asked.topics);
  return begin(coordinator, gid, asked, (topic) => subscribers.get(topic));
}

function begin(coordinator: Coordinator, gid: Gid, asked: CreateRequest, subscribersOf?: SubscribersOf): Promise<Submitted> {
  const spec = asked.spec(subscribersOf);
  return asked.prepare ? coordinator.prepare({ gid, spec }) : coordinator.submit({ gid, spec, onlySame: true });
}

/** A message to topics is the same again although who subscribes has changed: who receives it is settled when it begins. */
async function findBegun(coordinator: Coordinator, gid: Gid, asked: CreateRequest): Promise<Submitted | null> {
  const view = await coordinator.get(gid);
  if (view === null) return null;
  const { presentation, face } = view.given.spec;
  if (face !== 'native' || presentation['requested'] !== asked.requested) return { verdict: 'different', view };
  if (asked.prepare || view.transaction.status !== 'prepared') return { verdict: 'repeated', view };
  const submitted = await coordinator.request(gid, { type: 'submitted' });
  return { verdict: submitted.verdict === 'taken' ? 'created' : 'repeated', view: submitted.view };
}

function inUse(gid: Gid): AmendsError {
  return fieldError('conflict', 'gid', `${JSON.stringify(gid)} is in use by a transaction with other content; use a fresh one`);
}

interface Asking {
  readonly request: TransactionRequest;
  /** The decision that says the same, when it has been made already. */
  readonly decided: 'commit' | 'roll-back';
  readonly verb: string;
}

/** Asks for a decision. @throws AmendsError `wrong_status` when it has been made otherwise, or is not asked for in this mode */
async function askDecision(coordinator: Coordinator, gid: Gid, { request, decided, verb }: Asking): Promise<Requested> {
  const answer = await requestExisting(coordinator, gid, request);
  const { verdict, view } = answer;
  const { mode, status, decision } = view.transaction;
  if (verdict === 'wrong_mode') throw new AmendsError('wrong_status', `a ${mode} cannot be ${verb}`);
  const isDone = verdict === 'taken' || verdict === 'repeated' || decision?.direction === decided;
  if (!isDone) throw new AmendsError('wrong_status', `${gid} is ${status}, so it cannot be ${verb}`);
  return answer;
}

async function requestExisting(coordinator: Coordinator, gid: Gid, request: TransactionRequest): Promise<Requested> {
  mustExist(gid, await coordinator.get(gid));
  return coordinator.request(gid, request);
}

async function register(coordinator: Coordinator, request: FastifyRequest): Promise<NativeAnswer> {
  const { mode, branch } = parseNewBranch(jsonBody(request));
  const gid = readGid(request);
  const { transaction } = mustExist(gid, await coordinator.get(gid));
  if (transaction.mode !== mode) refuse('mode', `is ${mode}, but ${JSON.stringify(gid)} is a ${transaction.mode}`);
  const { verdict, view } = await coordinator.request(gid, { type: 'registered', branch });
  switch (verdict) {
    case 'taken':
      return { status: 201, body: transactionBody(view) };
    case 'repeated':
      return ok(view);
    case 'different':
      throw fieldError('conflict', 'branchId', `${JSON.stringify(branch.branchId)} is there already with other content`);
    case 'too_many':
      return refuse(
        'branchId',
        `the transaction has ${limits.branchesMax} branches, or ${limits.payloadBytesMax} bytes in them, which is as many as are allowed`,
      );
    default:
      throw new AmendsError('wrong_status', `${gid} is ${view.transaction.status}; branches join only while it is prepared`);
  }
}

async function conclude(coordinator: Coordinator, request: FastifyRequest): Promise<NativeAnswer> {
  const { status, reason, result } = parseBy(conclusionSchema, jsonBody(request));
  const gid = readGid(request);
  const conclusion = { type: 'concluded', status, reason, result: resultBytes({ result }) } as const;
  const { verdict, view } = await requestExisting(coordinator, gid, conclusion);
  if (verdict === 'wrong_mode') throw new AmendsError('wrong_status', `a ${view.transaction.mode} cannot be concluded`);
  if (verdict === 'different') throw new AmendsError('conflict', `${gid} has been concluded with another reason or result`);
  if (verdict !== 'taken' && verdict !== 'repeated')
    throw new AmendsError('wrong_status', `${gid} is ${view.transaction.status}, so it cannot be concluded as ${status}`);
  return ok(view);
}

interface Waiting {
  readonly view: TransactionView;
  readonly waitMs: number;
  readonly reply: FastifyReply;
}

/** As it is at once when there is nothing to wait for. */
async function waitIfAsked(coordinator: Coordinator, gid: Gid, { view, waitMs, reply }: Waiting): Promise<TransactionView> {
  if (waitMs === 0 || isFinished(view.transaction)) return view;
  return (await viewWithin(coordinator, gid, { waitMs, reply })) ?? view;
}
