/** What the answers of coordinators promise, held against the ledger at the moment at which they leave. */
import type { Requested, Submitted, TransactionRequest, TransactionView } from '@amends/coordinator';
import type { ErrorCode, Gid, SagaSpec, Spec } from '@amends/core';
import type { World } from '../world/world.ts';
import type { Entry } from './entry.ts';
import type { Ledger } from './ledger.ts';
import { branchName } from './mode-checks.ts';
import type { Said } from './said.ts';

/** A request to wait, as it was sent. */
export interface Wait {
  readonly gid: Gid;
  /** Whether its submit had been acknowledged. */
  readonly mustExist: boolean;
  /** When the answer must come at the latest. Virtual milliseconds. */
  readonly latest: number;
}

/** The way of the request and a read of the database. Milliseconds. */
const waitLateMsMax = 100;

/** Errors of a submit after which nothing is stored. */
const denials: ReadonlySet<ErrorCode> = new Set(['overloaded', 'value_refused']);

export class ApiChecks {
  /** Gids whose submit was acknowledged; what SIM-1 protects. */
  readonly acknowledged = new Set<Gid>();
  readonly #created = new Set<Gid>();
  /** Submits that were sent and not yet answered, and gids of which the last answer said that nothing is stored. */
  readonly #unanswered = new Map<Gid, number>();
  readonly #nothingStored = new Set<Gid>();
  /** Gids of which a coordinator could not say whether they are stored. */
  readonly #mayBeStored = new Set<Gid>();
  readonly #world: World;
  readonly #ledger: Ledger;

  constructor(world: World, ledger: Ledger) {
    this.#world = world;
    this.#ledger = ledger;
  }

  /** A submit is sent. */
  submitting(gid: Gid): void {
    this.checkNothingStored(gid);
    this.#nothingStored.delete(gid);
    this.#unanswered.set(gid, (this.#unanswered.get(gid) ?? 0) + 1);
  }

  /** Some errors promise that nothing was stored; unless other submits are under way, that must stay true. */
  checkNothingStored(gid: Gid): void {
    if (this.#nothingStored.has(gid) && this.#ledger.entries.has(gid))
      this.#world.report('SIM-18', `${gid}: the submit was answered by an error, yet it is stored`);
  }

  /** A submit is answered: what it says is durable (SIM-1) and fits what was asked before (SIM-18). */
  checkSubmit(gid: Gid, spec: SagaSpec, said: Said<Submitted>): string {
    const unanswered = this.#unanswered.get(gid)! - 1;
    this.#unanswered.set(gid, unanswered);
    if ('error' in said) {
      if (!denials.has(said.error)) this.#mayBeStored.add(gid);
      if (unanswered === 0 && !this.acknowledged.has(gid) && !this.#mayBeStored.has(gid)) this.#nothingStored.add(gid);
      return this.#cover(`submit ${said.error}`, said.error);
    }
    const { verdict, view } = said.value;
    const entry = this.#ledger.entries.get(gid);
    if (entry === undefined) {
      this.#world.report('SIM-1', `${gid}: the submit is answered ${verdict} but nothing is durable`);
      return verdict;
    }
    const same = this.#sameContent(spec, entry.spec);
    if (same !== (verdict !== 'different'))
      this.#world.report('SIM-18', `${gid}: answered ${verdict} though the stored request is ${same ? 'the same' : 'another'}`);
    // What ends in its first commit belongs to no node: two that write the same in one millisecond both have created it.
    if (verdict === 'created' && this.#created.has(gid) && entry.versions[1]!.owner !== null)
      this.#world.report('SIM-18', `${gid}: created twice`);
    if (verdict === 'created') this.#created.add(gid);
    if (same) this.acknowledged.add(gid);
    this.checkView(view);
    return this.#cover(`submit ${verdict}`, verdict);
  }

  /** A prepare, or the submit of a message, is answered: it is durable (SIM-1). */
  checkPrepare(gid: Gid, said: Said<Submitted>): string {
    if ('error' in said) return said.error;
    const { verdict, view } = said.value;
    if (!this.#ledger.entries.has(gid)) this.#world.report('SIM-1', `${gid}: answered ${verdict} but nothing is durable`);
    this.acknowledged.add(gid);
    this.checkView(view);
    return verdict;
  }

  /** A request to a transaction is answered: what it says is durable, and the decision is the one that was asked for (SIM-2). */
  checkRequest(gid: Gid, request: TransactionRequest, said: Said<Requested>): string {
    if ('error' in said) return said.error;
    const { verdict, view } = said.value;
    const entry = this.#ledger.entries.get(gid)!;
    this.checkView(view);
    this.#world.coverage.count('modes', `${entry.spec.mode} ${request.type} ${verdict}`);
    if ((verdict === 'taken' || verdict === 'repeated') && !isSo(entry, request))
      this.#world.report('SIM-2', `${gid}: ${request.type} is answered ${verdict}, but that is not so`);
    if (verdict === 'different' && isSo(entry, request))
      this.#world.report('SIM-18', `${gid}: ${request.type} is answered ${verdict}, but it says the same`);
    return verdict;
  }

  /** A wait is answered: what was acknowledged is still there, and what is shown is true. */
  checkWait(asked: Wait, said: Said<TransactionView | null>): string {
    const lateBy = this.#world.time.now - asked.latest;
    if (this.#world.peaceful && lateBy > waitLateMsMax)
      this.#world.report('SIM-23', `${asked.gid}: answered ${Math.round(lateBy)} ms after the time to wait was over`);
    if ('error' in said) return this.#cover(`wait ${said.error}`, said.error);
    const view = said.value;
    if (view === null) {
      if (asked.mustExist) this.#world.report('SIM-1', `${asked.gid}: acknowledged, and later there is no such gid`);
      return this.#cover('wait null', 'no such gid');
    }
    this.checkView(view);
    const { status, hold, finishedAt } = view.transaction;
    const rest = finishedAt !== null || hold !== null ? 'at rest' : 'open';
    return this.#cover(`wait ${rest}`, `${status}, ${rest}`);
  }

  /** A transaction is shown: as some commit left it, never as one will (replies come from commits). */
  checkView({ transaction }: TransactionView): void {
    const { gid, version, status } = transaction;
    const stored = this.#ledger.entries.get(gid)?.versions[version];
    const { toRow } = this.#world.production.core;
    const { state } = toRow(transaction, { dueAt: null, waitsFor: '', errorPrint: '' });
    if (stored === undefined) this.#world.report('SIM-19', `${gid}: version ${version} is shown before it is durable`);
    else if (stored.state !== state || stored.status !== status)
      this.#world.report('SIM-19', `${gid}: version ${version} is shown as ${status} ${state}, stored is ${stored.status}`);
  }

  /** An intervention is answered: it was carried out, once, and is in the audit (SIM-15). */
  checkIntervention(act: { gid: Gid; verb: string; actor: string }, said: Said<TransactionView>): string {
    if ('error' in said) return this.#cover(`intervene ${said.error}`, said.error);
    const times = this.#ledger.acts.get(act.actor) ?? 0;
    if (times !== 1)
      this.#world.report('SIM-15', `${act.gid}: ${act.verb} by ${act.actor} is answered; it was carried out ${times} times`);
    this.checkView(said.value);
    return this.#cover(`intervene ${act.verb}`, 'done');
  }

  #cover(name: string, word: string): string {
    this.#world.coverage.count('api', name);
    return word;
  }

  #sameContent(one: Spec, other: Spec): boolean {
    const { encodeSpec } = this.#world.production.core;
    const [a, b] = [encodeSpec(one), encodeSpec(other)];
    return a.plan === b.plan && Buffer.compare(a.payloads, b.payloads) === 0;
  }
}

/** Whether what was asked for is in the store; a human may have ended the transaction meanwhile. */
function isSo({ tx, given }: Entry, request: TransactionRequest): boolean {
  const direction = tx.decision?.direction;
  switch (request.type) {
    case 'submitted':
      return direction === 'commit' || direction === 'terminate';
    case 'aborted':
      return direction === 'roll-back' || direction === 'terminate';
    case 'concluded':
      return tx.status === request.status || direction === 'terminate';
    case 'registered': {
      const { branch } = request;
      return given.registered.some(
        (known) =>
          branchName(known) === branchName(branch) &&
          Buffer.compare(known.payload, branch.payload) === 0 &&
          known.kind === branch.kind,
      );
    }
  }
}
