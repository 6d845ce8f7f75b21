/** What a mailbox makes of every input in every phase, then the hard cases one by one. */
import { epochMs, type SagaSpec } from '@amends/core';
import { describe, expect, test } from 'vitest';
import { bankSaga, serialSaga } from '../testing/bank-saga.ts';
import { here, MailboxStory, nameOf, type PhaseName, there } from '../testing/mailbox-story.ts';
import type { CommitResult } from './group-commit.ts';
import type { Input } from './phases.ts';

const noVerdict = { class: 'unknown', code: 'http_500' } as const;
const refusal = { class: 'failure', code: 'http_409', detail: 'no money' } as const;
const away = new Error('the store is away');

// ── every pair ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** Every kind of input, and every fate of a commit. */
type InputName = Exclude<Input['type'], 'committed'> | `committed: ${CommitResult['fate']}`;

/** Nobody gets an answer that it has not asked for. */
const unasked = {
  seated: 'throws',
  'committed: applied': 'throws',
  'committed: conflict': 'throws',
  'committed: unknown': 'throws',
  'committed: refused': 'throws',
  'committed: failed': 'throws',
  read: 'throws',
  unread: 'throws',
  resumed: 'throws',
} as const;

/**
 * The call of step a has had no verdict and is due again in a second. In what is under way Ann asks for it to be made now; she
 * asks once more with the event that is posted.
 */
const table: Readonly<Record<PhaseName, Readonly<Record<InputName, string>>>> = {
  fresh: {
    ...unasked,
    posted: 'seating: seat a',
    started: 'resting: rest',
    offered: 'stays',
    claimed: 'resting: unseat, rest',
    'caught-up': 'stays',
    leaving: 'stays',
    abandoned: 'closed: close done',
  },
  resting: {
    ...unasked,
    posted: 'seating: seat a',
    started: 'stays',
    offered: 'seating: seat',
    claimed: 'resting: unseat, rest',
    'caught-up': 'closed: close done',
    leaving: 'committing: commit',
    abandoned: 'closed: close done',
  },
  seating: {
    ...unasked,
    posted: 'stays',
    started: 'stays',
    seated: 'committing: keep a, commit',
    offered: 'stays',
    claimed: 'stays',
    'caught-up': 'stays',
    leaving: 'stays',
    abandoned: 'closed: reply lost, close done',
  },
  committing: {
    ...unasked,
    posted: 'stays',
    started: 'stays',
    offered: 'stays',
    'committed: applied': 'resting: tell of version 3, call a, reply taken, rest',
    'committed: conflict': 'reading: read',
    'committed: unknown': 'reading: read',
    'committed: refused': 'closed: reply value_refused, close refused',
    'committed: failed': 'paused to decide: unseat, await-store',
    claimed: 'stays',
    'caught-up': 'stays',
    leaving: 'stays',
    abandoned: 'closed: reply lost, close done',
  },
  reading: {
    ...unasked,
    posted: 'stays',
    started: 'stays',
    offered: 'stays',
    read: 'paused to commit: pause 10',
    unread: 'paused to read: await-store',
    claimed: 'stays',
    'caught-up': 'stays',
    leaving: 'stays',
    abandoned: 'closed: reply lost, close done',
  },
  'paused to decide': {
    ...unasked,
    posted: 'stays',
    started: 'stays',
    offered: 'stays',
    resumed: 'seating: seat a',
    claimed: 'stays',
    'caught-up': 'stays',
    leaving: 'stays',
    abandoned: 'closed: reply lost, close done',
  },
  'paused to commit': {
    ...unasked,
    posted: 'stays',
    started: 'stays',
    offered: 'stays',
    resumed: 'committing: commit',
    claimed: 'stays',
    'caught-up': 'stays',
    leaving: 'stays',
    abandoned: 'closed: reply lost, close done',
  },
  'paused to read': {
    ...unasked,
    posted: 'stays',
    started: 'stays',
    offered: 'stays',
    resumed: 'reading: read',
    claimed: 'stays',
    'caught-up': 'stays',
    leaving: 'stays',
    abandoned: 'closed: reply lost, close done',
  },
  closed: {
    posted: 'closed: reply lost',
    started: 'stays',
    seated: 'stays',
    offered: 'stays',
    'committed: applied': 'stays',
    'committed: conflict': 'stays',
    'committed: unknown': 'stays',
    'committed: refused': 'stays',
    'committed: failed': 'stays',
    read: 'stays',
    unread: 'stays',
    resumed: 'stays',
    claimed: 'closed: begin anew',
    'caught-up': 'stays',
    leaving: 'stays',
    abandoned: 'stays',
  },
};

/** Of a saga of the steps a and b; the call of a ended without a verdict. */
function waitingForA(): MailboxStory {
  const story = new MailboxStory(serialSaga(['a', 'b']));
  story.submit();
  story.seat();
  story.commit('applied');
  story.answer(0, noVerdict);
  story.commit('applied');
  story.told.length = 0;
  return story;
}

/** What leads from there to each phase. */
const ways: Readonly<Record<PhaseName, (story: MailboxStory) => MailboxStory>> = {
  fresh: (story) => new MailboxStory(serialSaga(['a', 'b']), story.stored()),
  resting: (story) => story,
  seating: (story) => after(story, story.retry()),
  committing: (story) => after(ways.seating(story), story.seat()),
  reading: (story) => after(ways.committing(story), story.commit('conflict')),
  'paused to decide': (story) => after(ways.committing(story), story.end({ fate: 'failed', error: away })),
  'paused to commit': (story) => after(ways.reading(story), story.read(story.stored())),
  'paused to read': (story) => after(ways.reading(story), story.hear(inputs.unread(story))),
  closed: (story) => after(story, story.hear({ type: 'abandoned' })),
};

function after(story: MailboxStory, _told: string): MailboxStory {
  return story;
}

/** What comes in, by its name in the table. */
const inputs: Readonly<Record<InputName, (story: MailboxStory) => Input>> = {
  posted: ({ moment, told }) => ({
    type: 'posted',
    letter: {
      event: { type: 'intervened', verb: 'retry', actor: 'ann', reason: '', expectedVersion: null, ...moment },
      reply: (result) => told.push(result),
    },
  }),
  started: () => ({ type: 'started' }),
  seated: ({ moment }) => ({ type: 'seated', seats: [{ branch: 0, way: 'forward' }], moment }),
  offered: ({ moment }) => ({ type: 'offered', moment }),
  'committed: applied': ({ moment }) => ({ type: 'committed', result: { fate: 'applied' }, moment }),
  'committed: conflict': ({ moment }) => ({ type: 'committed', result: { fate: 'conflict' }, moment }),
  'committed: unknown': ({ moment }) => ({ type: 'committed', result: { fate: 'unknown' }, moment }),
  'committed: refused': ({ moment }) => ({ type: 'committed', result: { fate: 'refused', message: 'too long' }, moment }),
  'committed: failed': ({ moment }) => ({ type: 'committed', result: { fate: 'failed', error: away }, moment }),
  read: (story) => ({ type: 'read', stored: story.stored(), moment: story.moment }),
  unread: () => ({ type: 'unread', error: away, isDamaged: false }),
  resumed: ({ moment }) => ({ type: 'resumed', moment }),
  claimed: (story) => ({
    type: 'claimed',
    claimed: { stored: story.stored({ version: 3, epoch: 2 }), beginAnew: () => {} },
    moment: story.moment,
  }),
  'caught-up': (story) => ({
    type: 'caught-up',
    stored: story.stored({ version: 3, epoch: 2, owner: there }),
    moment: story.moment,
  }),
  leaving: () => ({ type: 'leaving', turnAt: null }),
  abandoned: () => ({ type: 'abandoned' }),
};

const phases = Object.entries(table) as [PhaseName, (typeof table)[PhaseName]][];

describe.each(phases)('a mailbox that is %s', (phase, row) => {
  test.each(Object.entries(row) as [InputName, string][])('and hears of %s: %s', (input, expected) => {
    const story = ways[phase](waitingForA());
    expect(nameOf(story.phase)).toBe(phase);
    const hear = () => story.hear(inputs[input](story));
    if (expected === 'throws') expect(hear).toThrow(/^the mailbox of story is .+ and hears that it was .+$/);
    else expect(hear()).toBe(expected);
  });
});

// ── the hard cases ─────────────────────────────────────────────────────────────────────────────────────────────────

/** A saga whose first call is in flight, committed with a window. */
function begun(names: readonly string[], rest: Partial<SagaSpec> = {}): MailboxStory {
  const story = new MailboxStory(serialSaga(names, rest));
  story.submit();
  story.seat();
  story.commit('applied');
  story.told.length = 0;
  return story;
}

function historyTried({ tried }: MailboxStory): readonly string[] {
  return tried!.history.map(({ kind, branchId }) => (branchId === null ? kind : `${kind} ${branchId}`));
}

describe('a change that the store did not take because the row has moved on', () => {
  test('is decided again on what the row has become, if that is still ours (DRIVE-3)', () => {
    const story = ways.reading(waitingForA());
    expect(story.read(story.stored({ version: 3, epoch: 2 }))).toBe('seating: unseat, seat a');
    expect(story.seat()).toBe('committing: keep a, commit');
    expect(story.tried).toMatchObject({ expectedVersion: 3, row: { version: 4, epoch: 2 } });
    expect(story.commit('applied')).toBe('resting: tell of version 4, call a, reply taken, rest');
  });

  test.each([{ owner: there }, { owner: null }])(
    'is dropped with its mailbox if the row is not ours any more: %j (DRIVE-3)',
    (lost) => {
      const story = ways.reading(waitingForA());
      expect(story.read(story.stored({ version: 3, ...lost }))).toBe('closed: reply lost, close done');
    },
  );

  test('is dropped with its mailbox if there is nothing left (DRIVE-3)', () => {
    expect(ways.reading(waitingForA()).read(null)).toBe('closed: reply lost, close done');
  });

  test('is not taken for applied when somebody else has decided the same (DRIVE-3)', () => {
    const story = ways.reading(waitingForA());
    expect(story.read(story.storedAsTried())).not.toMatch(/tell of version/);
  });
});

describe('a change of which nobody knows whether the store took it', () => {
  test('is applied when it is read there, and what it leads to is done once (DRIVE-4)', () => {
    const story = ways.committing(waitingForA());
    expect(story.commit('unknown')).toBe('reading: read');
    expect(story.read(story.storedAsTried())).toBe('resting: tell of version 3, call a, reply taken, rest');
    expect(story.told).toEqual(['taken']);
  });

  test('is tried again as it is when it is not there (DRIVE-4)', () => {
    const story = ways.committing(waitingForA());
    const { tried } = story;
    story.commit('unknown');
    expect(story.read(story.stored())).toBe('paused to commit: pause 10');
    expect(story.resume()).toBe('committing: commit');
    expect(story.tried).toBe(tried);
    expect(story.commit('applied')).toBe('resting: tell of version 3, call a, reply taken, rest');
  });

  test('may turn out to have been applied when it is tried again (DRIVE-4)', () => {
    const story = ways.committing(waitingForA());
    story.commit('unknown');
    story.read(story.stored());
    story.resume();
    expect(story.commit('conflict')).toBe('reading: read');
    expect(story.read(story.storedAsTried())).toBe('resting: tell of version 3, call a, reply taken, rest');
  });

  test('is not decided again when the row has moved on since: its senders ask again, its calls count as interrupted (DRIVE-4)', () => {
    const story = ways.committing(waitingForA());
    story.commit('unknown');
    story.retry();
    expect(story.read(story.storedAsTried({ version: 4, epoch: 2 }))).toBe('seating: unseat, reply lost, seat a');
    story.seat();
    expect(historyTried(story)).toEqual(['uncertain', 'interrupted 01', 'retried']);
    story.commit('applied');
    expect(story.told).toEqual(['lost', 'taken']);
  });

  test('is not given up while the store is away: what it was told may be durable (DRIVE-4)', () => {
    const story = new MailboxStory(serialSaga(['a']));
    story.submit();
    story.seat();
    story.commit('unknown');
    story.read(null);
    story.resume();
    expect(story.end({ fate: 'failed', error: away })).toBe('paused to commit: await-store');
    expect(story.resume()).toBe('committing: commit');
    expect(story.commit('applied')).toBe('resting: tell of version 1, call a, reply taken, rest');
    expect(story.told).toEqual(['taken']);
  });
});

test('a store that contradicts itself is asked seven times with pauses that double, then taken for one that is away, then asked anew', () => {
  const story = ways.committing(waitingForA());
  const round = () => {
    const told = [story.commit('conflict') && story.read(story.stored())];
    for (let tries = 0; tries < 6; tries++) told.push(story.resume() && story.commit('conflict') && story.read(story.stored()));
    return told;
  };
  const pauses = [10, 20, 40, 80, 160, 320].map((pauseMs) => `paused to commit: pause ${pauseMs}`);
  for (let rounds = 0; rounds < 2; rounds++) {
    expect(round()).toEqual([...pauses, 'paused to commit: await-store']);
    expect(story.resume()).toBe('committing: commit');
  }
  expect(story.told).toEqual([]);
});

describe('a store that is away', () => {
  test('before the first commit ends the mailbox, and the sender may ask again', () => {
    const story = new MailboxStory(serialSaga(['a']));
    story.submit();
    story.seat();
    expect(story.end({ fate: 'failed', error: away })).toBe('closed: reply lost, close store-failed');
  });

  test('later keeps the events, which are decided together with what came meanwhile when it is back (DRIVE-5)', () => {
    const story = begun(['a', 'b']);
    story.answer(0, refusal);
    story.seat();
    expect(story.end({ fate: 'failed', error: away })).toBe('paused to decide: unseat, await-store');
    story.retry();
    expect(story.resume()).toBe('seating: seat -a');
    expect(story.seat()).toBe('committing: keep -a, commit');
    expect(historyTried(story)).toEqual(['answered 01', 'retried']);
    expect(story.commit('applied')).toBe('resting: tell of version 2, call -a, reply taken, rest');
  });

  test('during a read is read again when it is back (DRIVE-5)', () => {
    const story = ways['paused to read'](waitingForA());
    expect(story.resume()).toBe('reading: read');
    expect(story.read(story.stored({ version: 3, epoch: 2 }))).toBe('seating: unseat, seat a');
  });
});

test('what cannot be understood ends the mailbox, and its senders are told that it was lost', () => {
  const story = ways.reading(waitingForA());
  expect(story.hear({ type: 'unread', error: away, isDamaged: true })).toBe('closed: reply lost, close damaged');
});

describe('ahead of commits', () => {
  test('a success leads to the next call at once, and is written 50 ms later with what was done since (AHEAD-5)', () => {
    const story = begun(['a', 'b', 'c']);
    story.answer(0);
    expect(story.seat()).toBe('resting: keep b, call b, rest');
    story.now += 30;
    story.answer(1);
    expect(story.seat()).toBe('resting: keep c, call c, rest');
    expect(story.ready.next).toMatchObject({ do: 'rest', wakeAt: story.now + 20 });
    story.now += 19;
    expect(story.wake()).toBe('resting: rest');
    story.now += 1;
    expect(story.wake()).toBe('committing: commit');
    expect(historyTried(story)).toEqual(['answered 01', 'answered 02']);
    expect(story.commit('applied')).toBe('resting: tell of version 2, rest');
    expect(story.ready.next).toMatchObject({ wakeAt: null });
  });

  test('whatever comes 50 ms later is decided together with the writing of it (AHEAD-5)', () => {
    const story = begun(['a', 'b', 'c']);
    story.answer(0);
    story.seat();
    story.now += 50;
    story.answer(1);
    expect(story.seat()).toBe('committing: keep c, commit');
  });

  test('a refusal is durable with all that was done before it, before anything is undone (AHEAD-2)', () => {
    const story = begun(['a', 'b', 'c']);
    story.answer(0);
    story.seat();
    story.answer(1, refusal);
    expect(story.seat()).toBe('committing: keep -b, commit');
    expect(historyTried(story)).toEqual(['answered 01', 'answered 02']);
    expect(story.commit('applied')).toBe('resting: tell of version 2, call -b, rest');
  });

  test('an attempt without a verdict is durable before the next one (AHEAD-2)', () => {
    const story = begun(['a', 'b']);
    expect(story.answer(0, noVerdict)).toBe('committing: commit');
  });

  test('a kept answer is durable before what comes after it is called (AHEAD-2)', () => {
    const [a, b] = serialSaga(['a', 'b']).steps;
    const story = begun(['a', 'b'], { steps: [{ ...a!, keepAnswer: true }, b!] });
    story.answer(0, { kept: new TextEncoder().encode('{"seat":"12A"}') });
    expect(story.seat()).toBe('committing: keep b, commit');
    expect(story.tried!.records).toHaveLength(1);
  });

  test('what comes before a pivot is durable before the pivot is called (AHEAD-2)', () => {
    const [a, b] = serialSaga(['a', 'b']).steps;
    const story = begun(['a', 'b'], { steps: [a!, { ...b!, kind: 'pivot', compensate: '' }] });
    story.answer(0);
    expect(story.seat()).toBe('committing: keep b, commit');
  });

  test('where it is switched off every success is durable before what follows from it (AHEAD-1)', () => {
    const story = begun(['a', 'b'], { runAhead: false });
    story.answer(0);
    expect(story.seat()).toBe('committing: keep b, commit');
  });

  test('nothing is started later than the last commit allows (AHEAD-1)', () => {
    const story = begun(['a', 'b', 'c']);
    story.now += 60_000;
    story.answer(0);
    expect(story.seat()).toBe('committing: keep b, commit');
  });

  test('what was done is forgotten when a claim overtakes it, and counts as possible (AHEAD-3)', () => {
    const story = begun(['a', 'b', 'c']);
    story.answer(0);
    story.seat();
    expect(story.hear(claimOf(story, 2))).toBe('seating: unseat, seat a');
    story.seat();
    expect(historyTried(story)).toEqual(['uncertain', 'interrupted 01']);
  });

  test('what was called counts as possible when a claim overtakes it, though all calls in flight there are our own (AHEAD-3)', () => {
    const story = new MailboxStory(bankSaga(['a', 'b']));
    story.submit();
    story.hear({ type: 'seated', seats: [{ branch: 0, way: 'forward' }], moment: story.moment });
    story.commit('applied');
    story.hear({ type: 'offered', moment: story.moment });
    expect(story.seat()).toBe('resting: keep b, call b, rest');
    expect(story.hear(claimOf(story, 2))).toBe('seating: unseat, seat a b');
    story.seat();
    expect(historyTried(story)).toEqual(['uncertain', 'interrupted 01']);
  });

  test('nothing is left to be written later by a node that is about to stop (AHEAD-5)', () => {
    const story = begun(['a', 'b']);
    story.isStopping = true;
    story.answer(0);
    expect(story.hear({ type: 'seated', seats: [], moment: story.moment })).toBe('committing: keep, commit');
    expect(story.tried!.row).toMatchObject({ owner: here });
  });
});

function claimOf(story: MailboxStory, version: number): Input {
  return {
    type: 'claimed',
    claimed: { stored: story.stored({ version, epoch: version, owner: here }), beginAnew: () => {} },
    moment: story.moment,
  };
}

describe('events that come while a commit is outstanding', () => {
  test('are decided together after it, in one more (DRIVE-1)', () => {
    const story = ways.committing(waitingForA());
    expect([story.retry(), story.retry()]).toEqual(['stays', 'stays']);
    expect(story.commit('applied')).toBe('committing: tell of version 3, call a, reply taken, commit');
    expect(historyTried(story)).toEqual(['retried', 'retried']);
    expect(story.commit('applied')).toBe('resting: tell of version 4, reply taken taken, rest');
  });

  test('win over a mailbox that is on its way back to the store (DRIVE-1)', () => {
    const story = waitingForA();
    story.hear(inputs.leaving(story));
    expect(story.tried!.row).toMatchObject({ owner: null, dueAt: story.now + 1_000 });
    story.retry();
    expect(story.commit('applied')).toBe('seating: tell of version 3, seat a');
    story.seat();
    expect(story.tried!.row).toMatchObject({ owner: here, epoch: 2 });
  });

  test('are decided again after a change before them that was overtaken (DRIVE-1, DRIVE-3)', () => {
    const story = ways.committing(waitingForA());
    story.retry();
    story.commit('conflict');
    story.read(story.stored({ version: 3, epoch: 2 }));
    story.seat();
    expect(historyTried(story)).toEqual(['retried', 'retried']);
    expect(story.commit('applied')).toBe('resting: tell of version 4, call a, reply taken taken, rest');
  });
});

test('a mailbox that goes back to the store for its turn at a host is due at that turn, or when it was due anyway', () => {
  const dueAt = (turnInMs: number) => {
    const story = waitingForA();
    story.hear({ type: 'leaving', turnAt: epochMs(story.now + turnInMs) });
    return story.tried!.row.dueAt! - story.now;
  };
  expect([dueAt(400), dueAt(4_000)]).toEqual([400, 1_000]);
});

describe('a claim of this node', () => {
  test('that has overtaken a commit under way is gone on from when that is answered', () => {
    const story = ways.committing(waitingForA());
    expect(story.hear(claimOf(story, 5))).toBe('stays');
    expect(story.commit('applied')).toMatch(/^\w+: tell of version 3, call a, unseat, reply taken, /);
    expect(story.phase.known.durable!.version).toBe(5);
  });

  test('that a commit under way has overtaken is forgotten', () => {
    const story = ways.committing(waitingForA());
    story.hear(claimOf(story, 3));
    expect(story.commit('applied')).toBe('resting: tell of version 3, call a, reply taken, rest');
    expect(story.hear({ type: 'abandoned' })).toBe('closed: close done');
  });

  test('is driven on by another mailbox when this one closes before it has come so far', () => {
    const story = ways.committing(waitingForA());
    story.hear(claimOf(story, 5));
    expect(story.end({ fate: 'refused', message: 'too long' })).toBe('closed: reply value_refused, close refused, begin anew');
  });
});

describe('a mailbox that closes', () => {
  test('tells every sender once, of what was in hand and of what came meanwhile', () => {
    const story = ways.committing(waitingForA());
    story.retry();
    story.retry();
    expect(story.hear({ type: 'abandoned' })).toBe('closed: reply lost lost lost, close done');
    story.hear({ type: 'abandoned' });
    story.commit('applied');
    expect(story.told).toEqual(['lost', 'lost', 'lost']);
  });

  test('because the store refuses its change tells whoever asked for it why, and the others to ask again', () => {
    const story = ways.committing(waitingForA());
    story.retry();
    expect(story.end({ fate: 'refused', message: 'too long' })).toBe('closed: reply value_refused lost, close refused');
  });

  test('because its transaction is finished tells who asked for the end', () => {
    const story = waitingForA();
    const terminate = { verb: 'terminate', actor: 'ann', reason: 'enough', expectedVersion: null } as const;
    story.ask({ type: 'intervened', ...terminate, ...story.moment });
    expect(story.commit('applied')).toBe('closed: tell of version 3, reply taken, close done');
  });
});

test('what changes nothing is answered at once, and nothing is written', () => {
  expect(begun(['a']).submit()).toBe('resting: reply repeated, rest');
});
