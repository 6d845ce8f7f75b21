/**
 * The simulator's own book of what is in the database: every change is entered at the moment it takes effect, and
 * checked against the one before. The checkers ask this book, never the coordinators.
 */
import type { NodeId, Transaction, TransactionRecord } from '@amends/core';
import type { Change, ClaimRequest, StoredTransaction } from '@amends/store';
import type { World } from '../world/world.ts';
import { describeStep, type Entry, forEachCall, type StartedAttempt, type Step } from './entry.ts';
import { openTo } from './run-ahead-checks.ts';
import { checkStep } from './step-checks.ts';

export class Ledger {
  readonly entries = new Map<string, Entry>();
  readonly #attempts = new Map<string, StartedAttempt>();
  readonly #aliveUntil = new Map<string, number>();
  readonly #world: World;
  /** How often each act of a human was carried out, by actor. */
  readonly acts = new Map<string, number>();
  /** Transactions that are not finished. */
  unfinished = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** The attempt as it was made durable, or undefined when it was not. */
  attempt(gid: string, branchId: string, op: string, attempt: number): StartedAttempt | undefined {
    return this.#attempts.get(attemptKey(gid, branchId, op, attempt));
  }

  /** Until when a call may last that its owner starts without a commit; null: it may not be started so. */
  allowed(gid: string, call: { node: NodeId; epoch: number; branchId: string; op: string }): { readonly overAt: number } | null {
    const entry = this.entries.get(gid);
    const row = entry?.versions.findLast((version) => version?.owner === call.node && version.epoch === call.epoch);
    if (entry === undefined || row === undefined) return null;
    const { fromRow, callPlan } = this.#world.production.core;
    const tx = fromRow(row);
    for (const name of openTo(entry, tx)) {
      const { branchId, op, timeoutMs } = callPlan(entry.given, name);
      if (branchId === call.branchId && op === call.op) return { overAt: tx.aheadUntil! + timeoutMs };
    }
    return null;
  }

  /** A heartbeat took effect. */
  beat(node: NodeId, ttlMs: number): void {
    this.#aliveUntil.set(node, this.#world.epoch() + ttlMs);
  }

  /** A commit of one change took effect. */
  enterCommit(change: Change, by: string): void {
    const tx = this.#world.production.core.fromRow(change.row);
    const entry = this.entries.get(tx.gid) ?? this.#begin(change, tx);
    const before = change.expectedVersion === 0 ? null : entry.tx;
    const { withRecords, decodeRecord } = this.#world.production.core;
    const records: readonly TransactionRecord[] = change.records.map(decodeRecord);
    const step: Step = { entry, before, after: tx, row: change.row, history: change.history, records, by };
    entry.given = withRecords(entry.given, records);
    this.#world.note(() => `database: ${by} commits ${describeStep(step)}`);
    checkStep(this.#world, step);
    if (change.audit.length !== change.history.filter(({ kind }) => kind === 'terminated' || kind === 'retried').length)
      this.#world.report('SIM-15', `${tx.gid}: ${change.audit.length} audit rows do not match its interventions`);
    for (const { actor } of change.audit) this.acts.set(actor, (this.acts.get(actor) ?? 0) + 1);
    this.#enter(step);
  }

  /** A claim took effect. */
  enterClaim(stored: readonly StoredTransaction[], { node, driven }: ClaimRequest, by: string): void {
    for (const { row } of stored) {
      const entry = this.entries.get(row.gid)!;
      const owner = entry.tx.owner;
      const after = this.#world.production.core.fromRow(row);
      this.#world.note(() => `database: ${by} claims ${row.gid} from ${owner ?? 'nobody'}, epoch ${row.epoch}`);
      this.#world.coverage.count('ownership', howClaimed(owner, node));
      const mayClaim = owner === node ? driven !== undefined && !driven.includes(row.gid) : !this.#isAlive(owner);
      if (!mayClaim) this.#world.report('SIM-11', `${row.gid}: ${by} claims work of ${owner}, which is alive`);
      this.#enter({ entry, before: entry.tx, after, row, history: [], records: [], by });
    }
  }

  #isAlive(node: NodeId | null): boolean {
    return node !== null && (this.#aliveUntil.get(node) ?? 0) > this.#world.epoch();
  }

  #begin(change: Change, tx: Transaction): Entry {
    const { decodeSpec, givenAtFirst } = this.#world.production.core;
    const spec = decodeSpec(change.spec!);
    const entry: Entry = {
      gid: tx.gid,
      spec,
      given: givenAtFirst(spec),
      digest: change.spec!.digest,
      row: change.row,
      tx,
      createdAt: this.#world.time.now,
      decidedAt: null,
      wasHeld: false,
      wasReleased: false,
      heardAt: null,
      unknowns: new Map(),
      versions: [],
      owners: new Map(),
    };
    this.entries.set(tx.gid, entry);
    return entry;
  }

  #enter(step: Step): void {
    const { entry, before, after, row } = step;
    this.#recordAttempts(entry, before, after);
    this.unfinished += Number(after.finishedAt === null) - Number(before !== null && before.finishedAt === null);
    if (before?.owner !== after.owner && after.owner !== null && before !== null && step.history.length > 0)
      this.#world.coverage.count('ownership', 'taken by a request');
    if (after.owner === null && after.finishedAt === null) {
      if (before?.owner) this.#world.coverage.count('ownership', 'released');
      entry.wasReleased = true;
    }
    entry.row = row;
    entry.versions[row.version] = row;
    entry.tx = after;
    if (after.hold !== null) entry.wasHeld = true;
    if (after.decision !== null) entry.decidedAt ??= this.#world.time.now;
    if (after.owner !== null) {
      const owner = entry.owners.get(after.epoch);
      if (owner !== undefined && owner !== after.owner)
        this.#world.report('SIM-11', `${entry.gid}: epoch ${after.epoch} belongs to ${owner} and to ${after.owner}`);
      entry.owners.set(after.epoch, after.owner);
    }
  }

  #recordAttempts(entry: Entry, before: Transaction | null, after: Transaction): void {
    forEachCall(after.branches, (state, branch, way) => {
      if (state.at !== 'running') return;
      const was = before?.branches[branch]?.[way];
      if (was?.at === 'running' && was.attempts === state.attempts) return;
      const { branchId, op, timeoutMs } = this.#world.production.core.callPlan(entry.given, { branch, way });
      this.#attempts.set(attemptKey(entry.gid, branchId, op, state.attempts), {
        startedAt: state.startedAt,
        timeoutMs,
        epoch: after.epoch,
        node: after.owner,
      });
    });
  }
}

function howClaimed(owner: NodeId | null, node: NodeId): string {
  if (owner === null) return 'claimed from nobody';
  return owner === node ? 'claimed again by its owner' : 'claimed from the dead';
}

function attemptKey(gid: string, branchId: string, op: string, attempt: number): string {
  return `${gid} ${branchId} ${op} ${attempt}`;
}
