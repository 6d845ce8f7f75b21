/** What a mailbox makes of one input after the other, told in words: its transitions with nobody who carries them out. */
import {
  encodeSpec,
  epochMs,
  nodeId,
  type OpName,
  type Outcome,
  parseGid,
  type SagaSpec,
  type StoredSpec,
  type TransactionEvent,
  type TransactionRow,
} from '@amends/core';
import type { Change, StoredTransaction } from '@amends/store';
import type { CommitResult } from '../drive/group-commit.ts';
import { openNew, openStored } from '../drive/known.ts';
import type { Input, Moment, Next, Phase, Ready, Reply, ReplyResult, Then } from '../drive/phases.ts';
import { type Around, transition } from '../drive/transition.ts';

/** The node whose mailbox it is, and another one on the same store. */
export const here = nodeId('here');
export const there = nodeId('there');

const gid = parseGid('story');

const success: Outcome = { class: 'success', code: 'http_200', detail: '', exchange: 'answered', durationMs: 1 };

/** Names of phases, those of pauses by what follows them. */
export type PhaseName = Exclude<Phase['at'], 'paused'> | `paused to ${Then['do']}`;

/** What happens to one mailbox. */
export class MailboxStory {
  phase: Phase;
  ready: Ready = {};
  /** What all senders have been told, in order. */
  readonly told: ReplyResult[] = [];
  /** The change that was to be committed last. */
  tried: Change | null = null;
  /** Milliseconds since 1970. */
  now = 1_000_000;
  /** Whether its node is about to stop. */
  isStopping = false;
  readonly #spec: SagaSpec;

  /** @param stored left out: the transaction does not exist yet */
  constructor(spec: SagaSpec, stored?: StoredTransaction) {
    this.#spec = spec;
    this.phase = stored === undefined ? openNew(gid, spec, storedSpec(spec)) : openStored(stored, this.moment);
  }

  get moment(): Moment {
    return { at: epochMs(this.now), jitter: 0 };
  }

  /** @returns in words what follows */
  hear(input: Input): string {
    const before = nameOf(this.phase);
    const around: Around = { node: here, horizonMs: 30_000, mayRunAhead: !this.isStopping };
    const { phase, ready } = transition(around, this.phase, input);
    this.phase = phase;
    this.ready = ready;
    if (ready.next?.do === 'commit') this.tried = ready.next.change;
    for (const { reply, result } of ready.replies ?? []) reply(result);
    return tell(before, phase, ready);
  }

  post(event: TransactionEvent, reply: Reply | null = null): string {
    return this.hear({ type: 'posted', letter: { event, reply } });
  }

  /** Somebody waits for the verdict. */
  ask(event: TransactionEvent): string {
    return this.post(event, (result) => this.told.push(result));
  }

  submit(): string {
    return this.ask({ type: 'submitted', gid, owner: here, ...this.moment });
  }

  retry(): string {
    const told = { actor: 'ann', reason: 'again', expectedVersion: null };
    return this.ask({ type: 'intervened', verb: 'retry', ...told, ...this.moment });
  }

  wake(): string {
    return this.post({ type: 'woken', ...this.moment });
  }

  /** The first call of a step has ended. */
  answer(branch: number, outcome: Partial<Outcome> = {}): string {
    const whole = { ...success, ...outcome };
    return this.post({ type: 'answered', branch, way: 'forward', attempt: 1, outcome: whole, ...this.moment });
  }

  /** All places are got that were asked for. */
  seat(): string {
    const { next } = this.ready;
    const seats = next?.do === 'seat' ? next.ready.map(({ branch, way }) => ({ branch, way })) : [];
    return this.hear({ type: 'seated', seats, moment: this.moment });
  }

  commit(fate: 'applied' | 'conflict' | 'unknown'): string {
    return this.end({ fate });
  }

  end(result: CommitResult): string {
    return this.hear({ type: 'committed', result, moment: this.moment });
  }

  read(stored: StoredTransaction | null): string {
    return this.hear({ type: 'read', stored, moment: this.moment });
  }

  resume(): string {
    return this.hear({ type: 'resumed', moment: this.moment });
  }

  /** What the store holds of it as of the last commit, or as somebody has changed that. */
  stored(changed: Partial<TransactionRow> = {}): StoredTransaction {
    return this.#with({ ...(this.phase.known.columns as TransactionRow), ...changed });
  }

  /** What the store holds once the change that was tried is in it. */
  storedAsTried(changed: Partial<TransactionRow> = {}): StoredTransaction {
    return this.#with({ ...this.tried!.row, ...changed });
  }

  #with(row: TransactionRow): StoredTransaction {
    return { row, spec: storedSpec(this.#spec), records: [] };
  }
}

function storedSpec(spec: SagaSpec): StoredSpec {
  return { ...encodeSpec(spec), digest: 'd'.repeat(64) };
}

/** How a phase is called. */
export function nameOf(phase: Phase): PhaseName {
  return phase.at === 'paused' ? `paused to ${phase.then.do}` : phase.at;
}

/** The phase entered, and what is done in the order in which it is done; `stays` when there is nothing of either. */
function tell(before: PhaseName, phase: Phase, ready: Ready): string {
  const done = [
    ready.kept && `keep ${ready.kept.map(shortName).join(' ')}`.trimEnd(),
    ready.committed && `tell of version ${ready.committed.next.version}`,
    ready.calls && `call ${ready.calls.effects.map(shortName).join(' ')}`,
    ready.unseat && 'unseat',
    ready.replies?.length && `reply ${ready.replies.map(({ result }) => nameOfResult(result)).join(' ')}`,
    ready.next && nameOfNext(ready.next),
    ready.beginAnew && 'begin anew',
  ].filter((each) => each);
  const name = nameOf(phase);
  return name === before && done.length === 0 ? 'stays' : `${name}: ${done.join(', ')}`;
}

/** Steps are a, b, c …, and what undoes them -a, -b, -c … */
function shortName({ branch, way }: OpName): string {
  const step = String.fromCharCode('a'.charCodeAt(0) + branch);
  return way === 'forward' ? step : `-${step}`;
}

function nameOfResult(result: ReplyResult): string {
  return typeof result === 'string' ? result : result.code;
}

function nameOfNext(next: Next): string {
  if (next.do === 'pause') return `pause ${next.pauseMs}`;
  if (next.do === 'seat') return `seat ${next.ready.map(shortName).join(' ')}`.trimEnd();
  return next.do === 'close' ? `close ${next.why.is}` : next.do;
}
