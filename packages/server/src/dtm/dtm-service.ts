/**
 * What DTM's API does, whichever protocol a request came by: HTTP, JSON-RPC and gRPC translate to it and back. Answers carry
 * the status that HTTP would have; the other protocols have codes of their own for the same classes.
 */
import type {
  Coordinator,
  Requested,
  Submitted,
  TopicAct,
  Topics,
  TransactionRequest,
  TransactionView,
} from '@amends/coordinator';
import { type Gid, isAmendsError, isFinished, limits } from '@amends/core';
import {
  abortedAnswer,
  checkRegistered,
  checkTopicName,
  concludedAnswer,
  type DtmAnswer,
  type DtmDefaults,
  type DtmRegistration,
  type DtmSubmission,
  type DtmTransaction,
  errorAnswer,
  missingAnswer,
  modeOf,
  notPrepared,
  parseConclusion,
  parseDtmGid,
  parseSubmission,
  parseSubscription,
  parseUnsubscription,
  preparedAnswer,
  registeredAnswer,
  settledSubscribers,
  submittedAnswer,
  successAnswer,
  topicAnswer,
  topicsOf,
  waitedAnswer,
  wantsToWait,
} from '@amends/wire';

/** The requests that DTM's clients make by every protocol. */
export interface DtmService {
  newGid(): Gid;
  prepare(dtm: DtmTransaction): Promise<DtmAnswer>;
  /** @param signal aborts when the caller no longer waits */
  submit(dtm: DtmTransaction, signal?: AbortSignal): Promise<DtmAnswer>;
  abort(dtm: DtmTransaction, signal?: AbortSignal): Promise<DtmAnswer>;
  registerBranch(registration: DtmRegistration): Promise<DtmAnswer>;
  /** @returns what the workflow's function must know to run; an answer when it cannot */
  prepareWorkflow(dtm: DtmTransaction): Promise<DtmAnswer | { readonly view: TransactionView }>;
  /** @param request the texts `topic`, `url`, `remark` */
  subscribe(request: Readonly<Record<string, unknown>>, actor: string): Promise<DtmAnswer>;
  /** @param request the texts `topic`, `url` */
  unsubscribe(request: Readonly<Record<string, unknown>>, actor: string): Promise<DtmAnswer>;
  deleteTopic(topic: string, actor: string): Promise<DtmAnswer>;
}

/** What the service needs. */
export interface DtmServiceOptions {
  readonly coordinator: Coordinator;
  readonly defaults: DtmDefaults;
  readonly topics: Topics;
}

/** Makes the service. */
export function dtmService({ coordinator, defaults, topics }: DtmServiceOptions): DtmService {
  async function submission(dtm: DtmTransaction): Promise<DtmSubmission> {
    const names = topicsOf(dtm);
    const subscribers = names.length === 0 ? noSubscribers : await subscribersFor(parseDtmGid(dtm.gid), names);
    return parseSubmission(dtm, { defaults, subscribersOf: (topic) => subscribers.get(topic) });
  }

  /** Who subscribes is settled when a message begins; a topic may have changed, or be gone, by the time it is asked for again. */
  async function subscribersFor(gid: Gid, names: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const known = await coordinator.get(gid);
    const settled = known === null ? noSubscribers : settledSubscribers(known.given.spec);
    const others = names.filter((name) => !settled.has(name));
    return others.length === 0 ? settled : new Map([...settled, ...(await topics.subscribers(others))]);
  }

  async function waited(gid: Gid, view: TransactionView, how: Waiting): Promise<DtmAnswer> {
    if (isFinished(view.transaction)) return waitedAnswer(view.transaction, how.wanted);
    const { signal } = how;
    const rest = await coordinator.wait(gid, { waitMs: limits.waitMsMax, ...(signal === undefined ? {} : { signal }) });
    return waitedAnswer((rest ?? view).transaction, how.wanted);
  }

  async function conclude(dtm: DtmTransaction): Promise<DtmAnswer> {
    const { gid, ...conclusion } = parseConclusion(dtm);
    return answered(gid, { type: 'concluded', ...conclusion }, concludedAnswer);
  }

  /** Asks something of a transaction that must exist. */
  async function answered(gid: Gid, request: TransactionRequest, answer: (result: Result) => DtmAnswer): Promise<DtmAnswer> {
    try {
      const { verdict, view } = await coordinator.request(gid, request);
      return answer({ verdict, transaction: view.transaction, view });
    } catch (error) {
      return missingAnswer(error, gid);
    }
  }

  return {
    newGid: () => coordinator.newGid(),

    async prepare(dtm) {
      const { gid, spec } = await submission(dtm);
      const { outcome, view } = await coordinator.prepare({ gid, spec });
      return preparedAnswer(gid, { outcome, transaction: view.transaction });
    },

    async submit(dtm, signal) {
      if (modeOf(dtm) === 'workflow') return conclude(dtm);
      const asked = await submission(dtm);
      const submitted = await begun(asked);
      if (submitted === null) return notPrepared(asked.gid);
      const { outcome, view } = submitted;
      const answer = submittedAnswer(asked, { outcome, transaction: view.transaction });
      return answer ?? waited(asked.gid, view, { wanted: 'succeed', signal });
    },

    async abort(dtm, signal) {
      modeOf(dtm);
      const gid = parseDtmGid(dtm.gid);
      let view: TransactionView | null = null;
      const answer = await answered(gid, { type: 'aborted', reason: reasonOf(dtm) }, (result) => {
        view = result.view;
        return abortedAnswer(result) ?? successAnswer;
      });
      if (answer !== successAnswer || view === null || !wantsToWait(view)) return answer;
      return waited(gid, view, { wanted: 'failed', signal });
    },

    async registerBranch({ gid, mode, branch }) {
      const known = await coordinator.get(gid);
      if (known === null) return notPrepared(gid);
      if (known.transaction.mode !== mode)
        return errorAnswer(400, `trans_type: is ${mode}, but ${gid} is a ${known.transaction.mode}`);
      checkRegistered(branch, known.given.spec.protocol);
      return answered(gid, { type: 'registered', branch }, (result) => registeredAnswer(gid, branch.branchId, result));
    },

    async prepareWorkflow(dtm) {
      const { gid, spec } = await submission({ ...dtm, trans_type: 'workflow' });
      const { outcome, view } = await coordinator.prepare({ gid, spec });
      const isOther = outcome === 'different' && view.transaction.mode !== 'workflow';
      return isOther ? preparedAnswer(gid, { outcome, transaction: view.transaction }) : { view };
    },

    async subscribe(request, actor) {
      const parsed = parseSubscription(request);
      return 'status' in parsed ? parsed : topicAnswer(await topics.subscribe(parsed.topic, parsed.subscription, by(actor)));
    },

    async unsubscribe(request, actor) {
      const parsed = parseUnsubscription(request);
      return 'status' in parsed
        ? parsed
        : topicAnswer(await topics.unsubscribe(parsed.topic, parsed.subscription.url, by(actor)));
    },

    async deleteTopic(topic, actor) {
      checkTopicName(topic);
      return topicAnswer(await topics.deleteTopic(topic, by(actor)));
    },
  };

  /** null: there is nothing that was prepared under this gid, as its mode wants. */
  async function begun({ gid, spec }: DtmSubmission): Promise<Submitted | null> {
    try {
      return await coordinator.submit({ gid, spec });
    } catch (error) {
      if (isAmendsError(error, 'not_found')) return null;
      throw error;
    }
  }
}

interface Result {
  readonly verdict: Requested['verdict'];
  readonly transaction: TransactionView['transaction'];
  readonly view: TransactionView;
}

interface Waiting {
  readonly wanted: 'succeed' | 'failed';
  readonly signal: AbortSignal | undefined;
}

const noSubscribers: ReadonlyMap<string, readonly string[]> = new Map();

function by(actor: string): TopicAct {
  return { actor, reason: 'by the DTM API' };
}

function reasonOf({ rollback_reason: reason }: DtmTransaction): string {
  return reason.slice(0, limits.answerCharactersKept).toWellFormed();
}
