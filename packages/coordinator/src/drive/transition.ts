/**
 * What a mailbox makes of whatever happens to it, purely: the same phase and input give the same phase and the same things to do.
 * `mailbox.ts` does them.
 *
 *   fresh, resting ──event, offer──▶ seating ──places──▶ committing ──applied──▶ resting │ closed
 *                                       └──nothing to write yet──▶ resting
 *   committing ──conflict, unknown──▶ reading ──ours──▶ as applied
 *                                        ├──moved on, still ours──▶ decided again from there
 *                                        └──not there──▶ paused ──▶ committing
 *   committing, reading ──store away──▶ paused ──▶ where it was
 *   any ──lost, done, abandoned──▶ closed
 *
 * DRIVE-1: At most one commit of a transaction is outstanding; events that arrive meanwhile are folded into the next decision.
 * DRIVE-2: Nothing is called, answered or reported before the decision that says so is durable. Excepted are the calls that the
 *   last commit lets its owner make: they are written with the next one, after 50 ms at the latest.
 * DRIVE-3: A conflict is never overridden: read again; still ours, decide again; not ours any more, drop it.
 * DRIVE-4: A commit of unknown fate is resolved by reading back, never guessed.
 * DRIVE-5: When the store refuses to write, events stay in the mailbox and are decided when it writes again.
 * DRIVE-6: A call is started when it has its place at its host, which it keeps until it ends. A place that no call came to use,
 *   because of what was decided or became of the commit, is given back.
 *
 * Scenario 1, an answer that may have been counted (DRIVE-4). Step 01 is called by node A, which owns the transaction.
 *   1. A's claim is on its way to the store: it will take on what A itself owns.
 *   2. A commits version 2: step 01 has succeeded, 02 runs. The store applies it; its answer is lost.
 *   3. The claim comes to the store and makes version 3 of version 2.
 *   4. A reads version 3. It is A's, but nothing in it says whether version 2 was what A had decided.
 *   Were the answer of 01 decided again now, it might count twice. So A drops it, takes every call for interrupted, and makes
 *   each one again.
 *
 * Scenario 2, a claim that overtakes what was done ahead (AHEAD-3). Version 2 says that 01 runs, that 02 waits for its place and
 * that A may run ahead.
 *   1. A place comes free. A calls 02 and has written nothing of it.
 *   2. A's own claim, sent before, makes version 3 of version 2: in it 01 runs, and 02 has not been called.
 *   3. A adopts version 3. All calls in flight in it are A's own.
 *   Were that enough to go on, 02 would be called once more as its first attempt, and a roll back before that would leave it out.
 *   So A takes version 3 over as anybody else would: 02 may have been called.
 */
import {
  AmendsError,
  type Decided,
  decide,
  type EpochMs,
  earlier,
  encodeRecord,
  epochMs,
  type Gid,
  isAmendsError,
  type NodeId,
  type TransactionEvent,
  type Verdict,
  withRecords,
} from '@amends/core';
import type { AuditRow, Change, StoredTransaction } from '@amends/store';
import type { CommitResult } from './group-commit.ts';
import { isHeard, isOurs, knownAfter, knownAhead, readKnown } from './known.ts';
import type {
  Attempt,
  Busy,
  Closed,
  Committing,
  Input,
  Known,
  Letter,
  LivePhase,
  Moment,
  Phase,
  Reading,
  Ready,
  ReplyResult,
  Resting,
  SeatingPhase,
  Step,
  Then,
  Turn,
  Why,
} from './phases.ts';
import { assign, rowOf } from './placement.ts';

/** Where a mailbox is, as of now. */
export interface Around {
  readonly node: NodeId;
  /** What is due later than this is not driven here. Milliseconds. */
  readonly horizonMs: number;
  /** Whether anything may be written later than it is done; not when the node is about to stop. */
  readonly mayRunAhead: boolean;
}

/** What was done ahead of commits is written after this at the latest. Milliseconds. */
const unwrittenMsMax = 50;

/** A store that contradicts itself this often about one change is taken for one that cannot be used. */
const readBacksMax = 6;

/** Before a change is tried again; doubled with each try. Milliseconds. */
const readBackPauseMs = 10;

/** What follows from an input. @throws Error when it cannot happen in this phase */
export function transition(around: Around, phase: Phase, input: Input): Turn {
  if (phase.at === 'closed') return whileClosed(phase, input);
  switch (input.type) {
    case 'posted':
      return takeIn(around, phase, input.letter);
    case 'started':
      return phase.at === 'fresh' ? decideOn(around, { ...phase, inbox: [] }, phase.inbox) : stay(phase);
    case 'offered':
      return phase.at === 'resting' ? seatLate(phase, input.moment) : stay(phase);
    case 'claimed':
      return takeUp(around, phase, input);
    case 'caught-up':
      return phase.at === 'resting' ? catchUp(around, phase, input) : stay(phase);
    case 'leaving':
      return phase.at === 'resting' ? leave(around, phase, input.turnAt) : stay(phase);
    case 'abandoned':
      return close(phase);
    case 'seated':
      return phase.at === 'seating' ? place(around, phase, input) : refuseInput(phase, input);
    case 'committed':
      return phase.at === 'committing' ? hearCommit(around, phase, input) : refuseInput(phase, input);
    case 'read':
      return phase.at === 'reading' ? resolve(around, phase, input) : refuseInput(phase, input);
    case 'unread':
      return phase.at === 'reading' ? takeUnread(phase, input) : refuseInput(phase, input);
    case 'resumed':
      return phase.at === 'paused' ? resume(around, phase, input.moment) : refuseInput(phase, input);
  }
}

function refuseInput(phase: Phase, input: Input): never {
  throw new Error(`the mailbox of ${phase.known.gid} is ${phase.at} and hears that it was ${input.type}`);
}

function stay(phase: Phase): Turn {
  return { phase, ready: {} };
}

function busyWith(known: Known): Busy {
  return { known, claimed: null, inbox: [] };
}

/** Answers that come after the end are for whoever drives the transaction now. */
function whileClosed(phase: Closed, input: Input): Turn {
  switch (input.type) {
    case 'posted':
      return { phase, ready: { replies: repliesTo([input.letter], 'lost') } };
    case 'claimed':
      return { phase, ready: { beginAnew: input.claimed.beginAnew } };
    default:
      return stay(phase);
  }
}

// ── deciding ───────────────────────────────────────────────────────────────────────────────────────────────────────

function takeIn(around: Around, phase: LivePhase, letter: Letter): Turn {
  switch (phase.at) {
    case 'resting':
      return decideOn(around, busyWith(phase.known), [letter]);
    case 'fresh':
      return decideOn(around, { ...phase, inbox: [] }, [...phase.inbox, letter]);
    default:
      return stay({ ...phase, inbox: [...phase.inbox, letter] });
  }
}

function decideOn(around: Around, busy: Busy, letters: readonly Letter[]): Turn {
  const decided = decideAbout(busy.known, letters);
  return decided.ready.length > 0 ? askForPlaces(busy, letters, decided) : settle(around, busy, letters, decided);
}

function decideAbout({ now, given }: Known, letters: readonly Letter[]): Decided {
  return decide(
    now,
    given,
    letters.map(({ event }) => event),
  );
}

/** Events that had to wait: what follows from them starts now, not when they happened. */
function decideLate(around: Around, busy: Busy, letters: readonly Letter[], moment: Moment): Turn {
  return decideOn(around, busy, [...letters, wokenAt(moment)]);
}

function wokenAt(moment: Moment): Letter {
  return withoutSender({ type: 'woken', ...moment });
}

function withoutSender(event: TransactionEvent): Letter {
  return { event, reply: null };
}

/** Offers that nothing is ready for any more go back, too. */
function seatLate(phase: Resting, moment: Moment): Turn {
  const letters = [wokenAt(moment)];
  return askForPlaces(busyWith(phase.known), letters, decideAbout(phase.known, letters));
}

function askForPlaces({ known, claimed, inbox }: Busy, letters: readonly Letter[], decided: Decided): Turn {
  return {
    phase: { at: 'seating', known, claimed, inbox, letters, decided },
    ready: { next: { do: 'seat', ready: decided.ready } },
  };
}

/**
 * What has its place is started with the decision that it is ready; so a call at a host with room costs no commit more
 * (DRIVE-6).
 */
function place(around: Around, phase: SeatingPhase, { seats, moment }: { seats: readonly SeatName[]; moment: Moment }): Turn {
  const decided = seats.length === 0 ? phase.decided : withStarts(phase, seats, moment);
  return after({ kept: decided.effects }, settle(around, phase, phase.letters, decided));
}

type SeatName = Extract<Input, { type: 'seated' }>['seats'][number];

function withStarts({ known, decided }: SeatingPhase, seats: readonly SeatName[], moment: Moment): Decided {
  const events = seats.map(({ branch, way }) => ({ type: 'placed', branch, way, ...moment }) as const);
  const started = decide(decided.next, withRecords(known.given, decided.records), events);
  return {
    ...started,
    history: [...decided.history, ...started.history],
    records: [...decided.records, ...started.records],
    mustCommit: decided.mustCommit || started.mustCommit,
    verdicts: decided.verdicts,
  };
}

/** What must be durable is written; what may wait is done at once, and written with what must (DRIVE-2). */
function settle(around: Around, busy: Busy, letters: readonly Letter[], decided: Decided): Turn {
  const { known } = busy;
  const { at, jitter } = letters.at(-1)!.event;
  const isDue = known.unwrittenSince !== null && at >= known.unwrittenSince + unwrittenMsMax;
  const isUnchanged = decided.next === known.now;
  const mayWait = isUnchanged || (!decided.mustCommit && around.mayRunAhead && known.durable?.owner === around.node);
  if (isDue || !mayWait) return propose(around, busy, letters, decided);
  const ahead = isUnchanged ? known : knownAhead(known, decided, at);
  const replies = answersTo(letters, (index) => decided.verdicts[index]!);
  return after({ ...callsOf(decided, ahead), replies }, goOn(around, { ...busy, known: ahead }, decided, { at, jitter }));
}

function callsOf({ effects }: Decided, known: Known): Pick<Ready, 'calls'> {
  return effects.length === 0 ? {} : { calls: { effects, known } };
}

/** After everything that was decided has been done: on to what came meanwhile, to rest, or to the end. */
function goOn(around: Around, busy: Busy, { ready, wakeAt }: Pick<Decided, 'ready' | 'wakeAt'>, moment: Moment): Turn {
  const { known, claimed, inbox } = busy;
  if (isOvertaken(busy)) return goOnFrom(around, busy, { stored: claimed!.stored, letters: inbox, moment });
  if (inbox.length > 0) return decideLate(around, { ...busy, inbox: [] }, inbox, moment);
  if (known.durable?.owner !== around.node) return end(busy, { inHand: [] });
  const writeAt = known.unwrittenSince === null ? null : epochMs(known.unwrittenSince + unwrittenMsMax);
  return {
    phase: { at: 'resting', known, wakeAt },
    ready: { next: { do: 'rest', ready, wakeAt: earlier(wakeAt, writeAt) } },
  };
}

// ── committing ─────────────────────────────────────────────────────────────────────────────────────────────────────

function propose(around: Around, busy: Busy, letters: readonly Letter[], decided: Decided): Turn {
  const { known, claimed, inbox } = busy;
  const step = stepOf(around, known, letters, decided);
  return commit({ known, claimed, inbox }, { step, letters, tries: 0, mayBeApplied: false });
}

function stepOf(around: Around, known: Known, letters: readonly Letter[], decided: Decided): Step {
  const { unwritten, durable, columns, newSpec } = known;
  const whole = unwritten.length === 0 ? decided : { ...decided, history: [...unwritten, ...decided.history] };
  const given = withRecords(known.given, decided.records);
  const version = (durable?.version ?? 0) + 1;
  const { node, horizonMs, mayRunAhead } = around;
  const next = assign(whole, { node, horizonMs, mayRunAhead, version, given });
  const change: Change = {
    expectedVersion: version - 1,
    row: rowOf(next, whole, { given: known.given, before: columns }),
    spec: newSpec,
    history: whole.history,
    records: decided.records.map(encodeRecord),
    documents: [],
    audit: auditOf(known.gid, letters, decided.verdicts),
  };
  return { decided: whole, next, given, change };
}

function commit({ known, claimed, inbox }: Busy, attempt: Attempt): Turn {
  return {
    phase: { at: 'committing', known, claimed, inbox, attempt },
    ready: { next: { do: 'commit', change: attempt.step.change } },
  };
}

/** What only waits goes back to the store, where it is claimed when it is due. Events that come meanwhile win. */
function leave(around: Around, { known, wakeAt }: Resting, turnAt: EpochMs | null): Turn {
  const asItIs = { next: known.now!, history: [], records: [], effects: [], mustCommit: true, ready: [], verdicts: [] };
  const { node, mayRunAhead } = around;
  const decided = { ...asItIs, wakeAt: earlier(wakeAt, turnAt) };
  return propose({ node, mayRunAhead, horizonMs: 0 }, busyWith(known), [], decided);
}

function hearCommit(around: Around, phase: Committing, { result, moment }: { result: CommitResult; moment: Moment }): Turn {
  const { attempt } = phase;
  switch (result.fate) {
    case 'applied':
      return takeApplied(around, phase, moment);
    case 'conflict':
      return readBack(phase, attempt);
    case 'unknown':
      return readBack(phase, { ...attempt, mayBeApplied: true });
    case 'refused':
      return takeRefused(phase, result.message);
    case 'failed':
      return takeFailed(phase, result.error);
  }
}

function takeApplied(around: Around, phase: Committing | Reading, moment: Moment): Turn {
  const { known, attempt } = phase;
  const { decided } = attempt.step;
  const durable = knownAfter(known, attempt.step);
  const done: Ready = {
    committed: { ...attempt.step, previous: known.durable },
    ...callsOf(decided, durable),
    replies: answersTo(attempt.letters, (index) => decided.verdicts[index]!),
  };
  return after(done, goOn(around, { ...phase, known: durable }, decided, moment));
}

function takeRefused(phase: Committing, message: string): Turn {
  const error = new AmendsError('value_refused', `the store does not take a value of this change: ${message}`);
  return close(phase, { why: { is: 'refused', message }, told: error });
}

/** Nothing was written. A new transaction's sender is told; for one that exists the events wait (DRIVE-5). */
function takeFailed(phase: Committing, error: unknown): Turn {
  const { known, attempt, inbox } = phase;
  if (attempt.mayBeApplied) return awaitStore(phase, error, { do: 'commit', attempt: { ...attempt, tries: 0 } });
  if (known.durable === null) {
    const told = isAmendsError(error) ? error : 'lost';
    return close(phase, { why: { is: 'store-failed', error }, told, toldToInbox: told });
  }
  const waiting = { ...phase, inbox: [...attempt.letters, ...inbox] };
  return after({ unseat: true }, awaitStore(waiting, error, { do: 'decide' }));
}

function awaitStore({ known, claimed, inbox }: Busy, error: unknown, then: Then): Turn {
  return { phase: { at: 'paused', known, claimed, inbox, then }, ready: { next: { do: 'await-store', error } } };
}

function resume(around: Around, phase: Busy & { readonly then: Then }, moment: Moment): Turn {
  switch (phase.then.do) {
    case 'decide':
      return decideLate(around, { ...phase, inbox: [] }, phase.inbox, moment);
    case 'commit':
      return commit(phase, phase.then.attempt);
    case 'read':
      return readBack(phase, phase.then.attempt);
  }
}

// ── reading back ───────────────────────────────────────────────────────────────────────────────────────────────────

/** After a conflict or an unknown fate: what the store holds decides what happened (DRIVE-3, DRIVE-4). */
function readBack({ known, claimed, inbox }: Busy, attempt: Attempt): Turn {
  return { phase: { at: 'reading', known, claimed, inbox, attempt }, ready: { next: { do: 'read' } } };
}

function takeUnread(phase: Reading, { error, isDamaged }: { error: unknown; isDamaged: boolean }): Turn {
  if (isDamaged) return close(phase, { why: { is: 'damaged', error } });
  return awaitStore(phase, error, { do: 'read', attempt: phase.attempt });
}

/** What looks like ours and cannot have been applied is another node's that has decided the same about something else. */
function resolve(around: Around, phase: Reading, { stored, moment }: { stored: StoredTransaction | null; moment: Moment }): Turn {
  const { known, attempt, inbox } = phase;
  const { step, letters, mayBeApplied } = attempt;
  if (mayBeApplied && stored !== null && stored.spec.digest === known.digest && isOurs(stored, step.change))
    return takeApplied(around, phase, moment);
  if ((stored?.row.version ?? 0) === (known.durable?.version ?? 0)) return commitAgain(phase);
  if (stored === null || known.durable === null || stored.row.owner !== around.node) return close(phase);
  if (!mayBeApplied) return goOnFrom(around, phase, { stored, letters: [...letters, ...inbox], moment });
  // What the commit was about may be in what the row has become since, and must not be done twice. Its senders ask again.
  const lost = { replies: repliesTo(letters, 'lost') };
  return after(lost, goOnFrom(around, phase, { stored, letters: inbox, moment, hasLost: true }));
}

/** What was read does not explain why the change was not applied: it is tried again after a pause, but not for ever in a row. */
function commitAgain({ known, claimed, inbox, attempt }: Reading): Turn {
  if (attempt.tries >= readBacksMax) {
    const error = new Error('the store says again and again that a change which fits was not applied');
    return awaitStore({ known, claimed, inbox }, error, { do: 'commit', attempt: { ...attempt, tries: 0 } });
  }
  const then = { do: 'commit', attempt: { ...attempt, tries: attempt.tries + 1 } } as const;
  const pauseMs = readBackPauseMs * 2 ** attempt.tries;
  return { phase: { at: 'paused', known, claimed, inbox, then }, ready: { next: { do: 'pause', pauseMs } } };
}

/** What a row has become without this mailbox. */
interface Moved {
  readonly stored: StoredTransaction;
  /** To be decided on it. */
  readonly letters: readonly Letter[];
  readonly moment: Moment;
  /** Whether answers of calls were dropped. */
  readonly hasLost?: boolean;
}

/**
 * The row moved on, yet it is this node's: a claim of its own overtook us. What we were told still holds; calls that other owners
 * made in between will not be heard here, and what was done ahead of commits is not in it.
 */
function goOnFrom(around: Around, busy: Busy, { stored, letters, moment, hasLost = false }: Moved): Turn {
  const known = readKnown(stored, busy.known.given.spec);
  const isAhead = busy.known.unwrittenSince !== null;
  const hearsAll = !hasLost && !isAhead && isHeard(known.now!, busy.known.now);
  const first = hearsAll ? [] : [withoutSender({ type: 'recovered', ...moment })];
  const next = { known, claimed: isOvertaken({ known, claimed: busy.claimed }) ? busy.claimed : null, inbox: [] };
  return after({ unseat: true }, decideLate(around, next, [...first, ...letters], moment));
}

function isOvertaken({ known, claimed }: Pick<Busy, 'known' | 'claimed'>): boolean {
  return claimed !== null && (known.durable?.version ?? 0) < claimed.stored.row.version;
}

/**
 * A claim of this node has taken the transaction on. If the mailbox has not come so far by the time that its commit is
 * answered, it goes on from there; if it has closed by then, a new one begins.
 */
function takeUp(around: Around, phase: LivePhase, { claimed, moment }: Extract<Input, { type: 'claimed' }>): Turn {
  if (phase.at !== 'resting' && phase.at !== 'fresh') return stay({ ...phase, claimed });
  const busy = { ...busyWith(phase.known), ...phase, claimed };
  if (!isOvertaken(busy)) return stay(phase);
  return goOnFrom(around, busy, { stored: claimed.stored, letters: busy.inbox, moment });
}

/** What another node has committed meanwhile is taken in, or ends this mailbox. */
function catchUp(around: Around, phase: Resting, { stored, moment }: Extract<Input, { type: 'caught-up' }>): Turn {
  if (phase.known.durable === null || stored.row.version <= phase.known.durable.version) return stay(phase);
  if (stored.row.owner !== around.node) return close(phase);
  return goOnFrom(around, busyWith(phase.known), { stored, letters: [], moment });
}

// ── closing and telling ────────────────────────────────────────────────────────────────────────────────────────────

interface Closing {
  /** Left out: it has nothing to drive any more, or lost its transaction. */
  readonly why?: Why;
  /** What the senders of what was to be committed are told. Left out: that it was lost. */
  readonly told?: ReplyResult;
  /** What the senders of what came meanwhile are told. */
  readonly toldToInbox?: ReplyResult;
}

function close(phase: LivePhase, closing: Closing = {}): Turn {
  return end({ ...busyWith(phase.known), ...phase }, { ...closing, inHand: lettersInHand(phase) });
}

function end(busy: Busy, { inHand, why, told, toldToInbox }: Closing & { readonly inHand: readonly Letter[] }): Turn {
  const replies = [...repliesTo(inHand, told ?? 'lost'), ...repliesTo(busy.inbox, toldToInbox ?? 'lost')];
  const next = { do: 'close', why: why ?? { is: 'done' } } as const;
  const beginAnew = isOvertaken(busy) ? { beginAnew: busy.claimed!.beginAnew } : {};
  return { phase: { at: 'closed', known: busy.known }, ready: { replies, next, ...beginAnew } };
}

/** Letters that a decision under way is about. */
function lettersInHand(phase: LivePhase): readonly Letter[] {
  switch (phase.at) {
    case 'fresh':
    case 'resting':
      return [];
    case 'seating':
      return phase.letters;
    case 'committing':
    case 'reading':
      return phase.attempt.letters;
    case 'paused':
      return phase.then.do === 'decide' ? [] : phase.then.attempt.letters;
  }
}

type Replies = NonNullable<Ready['replies']>;

const noReplies: Replies = [];

function repliesTo(letters: readonly Letter[], result: ReplyResult): Replies {
  return answersTo(letters, () => result);
}

/** Most letters have no sender: answers of calls. */
function answersTo(letters: readonly Letter[], resultOf: (index: number) => ReplyResult): Replies {
  if (letters.every(({ reply }) => reply === null)) return noReplies;
  return letters.flatMap(({ reply }, index) => (reply === null ? [] : [{ reply, result: resultOf(index) }]));
}

/** What a turn does, after what is done before it. */
function after(first: Ready, { phase, ready }: Turn): Turn {
  if (first.replies === undefined || ready.replies === undefined) return { phase, ready: { ...first, ...ready } };
  return { phase, ready: { ...first, ...ready, replies: [...first.replies, ...ready.replies] } };
}

/** One audit row per act of a human that was carried out, in the same commit as the act. */
function auditOf(gid: Gid, letters: readonly Letter[], verdicts: readonly Verdict[]): AuditRow[] {
  return letters.flatMap(({ event }, index) =>
    event.type === 'intervened' && verdicts[index] === 'taken'
      ? [{ at: event.at, gid, actor: event.actor, verb: event.verb, reason: event.reason, detail: '{}' }]
      : [],
  );
}
