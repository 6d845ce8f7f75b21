/**
 * What must hold when a coordinator hands a call to the network: it was made durable before, it is its turn, and it is fenced.
 */
import type { BranchCall } from '@amends/coordinator';
import type { NodeId, Outcome, SagaSpec } from '@amends/core';
import type { World } from '../world/world.ts';
import type { Entry, StartedAttempt } from './entry.ts';
import type { Ledger } from './ledger.ts';

/** The process that calls. */
export interface Caller {
  readonly name: string;
  readonly node: NodeId;
}

/** One call as it was sent. */
export interface WireCall {
  readonly name: string;
  readonly request: BranchCall;
  readonly started: StartedAttempt | undefined;
  /** When its sender gives it up at the latest, by true time. */
  readonly overAt: number;
  /** Once its sender has heard how it ended. */
  end: Outcome | null;
}

/** Clocks of two nodes differ by less than this; both lag behind true time. Milliseconds. */
const skewMs = 16;

/** Weathers in which neither the database nor a process is late. */
const withoutDelay: ReadonlySet<World['weather']> = new Set(['calm', 'participants', 'wire']);

/** The 50 ms after which progress is written, and as much as a queue before the database can take. Milliseconds. */
const writtenWithinMs = 500;

export class CallChecks {
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #calls = new Map<string, WireCall[]>();
  readonly #seen = new Set<string>();

  constructor(world: World, ledger: Ledger) {
    this.#world = world;
    this.#ledger = ledger;
  }

  /** A call leaves a process. */
  checkCall(process: Caller, request: BranchCall): WireCall {
    const { gid, branchId, op, attempt } = request;
    const name = `${gid} ${branchId} ${op} #${attempt}`;
    const started = this.#ledger.attempt(gid, branchId, op, attempt);
    const overAt = this.#world.epoch() + request.deadlineInMs;
    const call: WireCall = { name, request, started, overAt, end: null };
    this.#world.note(() => `${process.name} calls ${name} (epoch ${request.epoch}, ${request.deadlineInMs} ms)`);
    this.#checkDurable(process, call);
    const entry = this.#ledger.entries.get(gid);
    if (entry?.spec.mode === 'saga' && op === 'compensate')
      this.#checkUndo(entry, entry.spec, { branch: Number(branchId) - 1, name });
    if (op === 'action' && new TextDecoder().decode(request.payload).includes('"told":null'))
      this.#world.report('AHEAD-2', `${name} is sent without the answer that its payload is made of`);
    if (entry?.spec.mode === 'saga' && op === 'action' && this.#callsOf(gid, branchId, 'compensate').length > 0)
      this.#world.report('SIM-20', `${name} is sent after its step has been undone`);
    const calls = this.#callsOf(gid, branchId, op);
    calls.push(call);
    return call;
  }

  #checkDurable(process: Caller, call: WireCall): void {
    const { name, request, started } = call;
    if (this.#seen.has(name)) this.#world.report('SIM-13', `${name} is sent twice: attempt numbers never repeat`);
    this.#seen.add(name);
    if (started === undefined) return this.#checkAhead(process, call);
    if (request.epoch !== started.epoch || process.node !== started.node)
      this.#world.report(
        'SIM-11',
        `${name} is sent by ${process.name} in epoch ${request.epoch}; ${started.node} owns epoch ${started.epoch}`,
      );
    const now = this.#ledger.entries.get(request.gid)!.tx;
    if (now.epoch > started.epoch) this.#world.coverage.count('process faults', 'zombie sent a stale call');
  }

  /** AHEAD-1: what is not durable is within what the last commit of its sender allows. */
  #checkAhead(process: Caller, { name, request, overAt }: WireCall): void {
    const { gid, branchId, op, attempt, epoch } = request;
    const allowed = this.#ledger.allowed(gid, { node: process.node, epoch, branchId, op });
    if (allowed === null || attempt !== 1) return this.#world.report('SIM-19', `${name} is sent before its record is durable`);
    if (overAt > allowed.overAt + skewMs)
      this.#world.report('AHEAD-1', `${name} may take until ${overAt}, its last commit allows ${allowed.overAt}`);
    this.#world.coverage.count('run ahead', 'called ahead of a commit');
    const { owner } = this.#ledger.entries.get(gid)!.row;
    // Another node has taken the transaction over, or a human has acted there; the sender hears of it with its next commit.
    if (owner !== process.node) this.#world.coverage.count('run ahead', 'called although others have gone on');
    else if (withoutDelay.has(this.#world.weather)) this.#expectWritten(gid, name);
  }

  /** Where nothing delays a commit, one follows soon. */
  #expectWritten(gid: string, name: string): void {
    const { version } = this.#ledger.entries.get(gid)!.row;
    this.#world.time.after(writtenWithinMs, () => {
      if (this.#ledger.entries.get(gid)!.row.version === version)
        this.#world.report('AHEAD-5', `nothing of ${name} is written ${writtenWithinMs} ms after it was called`);
    });
  }

  /** SIM-2, SAGA-6 (settle before undo) and SIM-7 (order), as seen from outside. */
  #checkUndo(entry: Entry, spec: SagaSpec, { branch, name }: { readonly branch: number; readonly name: string }): void {
    if (entry.tx.decision === null) this.#world.report('SIM-2', `${name} is sent before any decision is durable`);
    if (entry.tx.finishedAt === null) this.#checkSettled(entry.gid, branch, name);
    for (const other of allDependents(spec, branch)) {
      const step = spec.steps[other]!;
      if (step.kind !== 'compensatable' || step.compensate === '') continue;
      if (this.#callsOf(entry.gid, idOf(other), 'action').length === 0) continue;
      if (!this.#callsOf(entry.gid, idOf(other), 'compensate').some(({ end }) => end?.class === 'success'))
        this.#world.report('SIM-7', `${name} is sent before step ${other + 1}, which depends on it, is undone`);
    }
  }

  #checkSettled(gid: string, branch: number, name: string): void {
    for (const { end, overAt, name: action } of this.#callsOf(gid, idOf(branch), 'action')) {
      if (end !== null && end.exchange !== 'broken') continue;
      if (this.#world.epoch() + skewMs >= overAt) continue;
      this.#world.report('SIM-20', `${name} is sent while ${action} may still be running at the participant`);
    }
  }

  #callsOf(gid: string, branchId: string, op: string): WireCall[] {
    const key = `${gid} ${branchId} ${op}`;
    const calls = this.#calls.get(key) ?? [];
    this.#calls.set(key, calls);
    return calls;
  }
}

function idOf(step: number): string {
  return String(step + 1).padStart(2, '0');
}

/** All steps that depend on one, directly or through others. */
function allDependents(spec: SagaSpec, branch: number): number[] {
  const found = new Set([branch]);
  for (let size = 0; size !== found.size; ) {
    size = found.size;
    spec.steps.forEach((step, index) => {
      if (step.after.some((before) => found.has(before))) found.add(index);
    });
  }
  found.delete(branch);
  return [...found];
}
