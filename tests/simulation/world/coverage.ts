/** What the runs have reached: pairs of state and event, faults, answers of the API; and what they have not. */

const actionAnswers = ['action success', 'action failure', 'action ongoing', 'action unknown'] as const;
const compensateAnswers = ['compensate success', 'compensate failure', 'compensate ongoing', 'compensate unknown'] as const;
const byHand = ['terminated', 'retried'] as const;

/**
 * The pairs that can occur: what a transaction was before a commit, and what the commit tells; several in one commit count each.
 */
const pairsPossible: Readonly<Record<string, readonly string[]>> = {
  new: ['submitted'],
  submitted: [...actionAnswers, 'action interrupted', 'timed-out', 'overdue', 'action held', 'woken', ...byHand],
  'submitted, committed': [...actionAnswers, 'action interrupted', 'overdue', 'action held', 'woken', ...byHand],
  'submitted, held': [...actionAnswers, 'action interrupted', 'action held', 'timed-out', 'overdue', 'woken', ...byHand],
  'submitted, committed, held': [...actionAnswers, 'action interrupted', 'action held', 'overdue', 'woken', ...byHand],
  aborting: [
    ...actionAnswers,
    ...compensateAnswers,
    'action interrupted',
    'compensate interrupted',
    'compensate held',
    'overdue',
    'woken',
    'settled',
    ...byHand,
  ],
  'aborting, held': [
    ...actionAnswers,
    ...compensateAnswers,
    'action interrupted',
    'compensate interrupted',
    'compensate held',
    'overdue',
    'woken',
    ...byHand,
  ],
};

const calledByModes: Readonly<Record<string, readonly string[]>> = {
  msg: ['msg', 'action'],
  tcc: ['confirm', 'cancel'],
  xa: ['commit', 'rollback'],
};

const toldByModes: Readonly<Record<string, readonly string[]>> = {
  msg: ['prepared', 'submitted', 'aborted'],
  tcc: ['prepared', 'registered', 'submitted', 'aborted', 'timed-out'],
  xa: ['prepared', 'registered', 'submitted', 'aborted', 'timed-out'],
  workflow: ['prepared', 'registered', 'concluded'],
};

const answersOfTwoPhases = [
  ...['taken', 'repeated', 'different', 'wrong_status'].map((verdict) => `registered ${verdict}`),
  ...['taken', 'repeated', 'wrong_status'].flatMap((verdict) => [`submitted ${verdict}`, `aborted ${verdict}`]),
];

/** What requests are answered; a message is submitted as sagas are, so only what comes too late is seen here. */
const answersOfModes: Readonly<Record<string, readonly string[]>> = {
  msg: ['submitted repeated', 'submitted wrong_status', 'aborted taken', 'aborted wrong_status'],
  tcc: answersOfTwoPhases,
  xa: answersOfTwoPhases,
  workflow: [
    ...['taken', 'repeated', 'different', 'wrong_status'].map((verdict) => `registered ${verdict}`),
    ...['taken', 'repeated', 'wrong_status'].map((verdict) => `concluded ${verdict}`),
  ],
};

const endsOfCalls = ['success', 'failure', 'ongoing', 'unknown', 'interrupted', 'held'] as const;

/** What can be told of the modes but sagas: by history, by what calls came to, by the answers to requests, by applications. */
function pairsOfModes(): string[] {
  const modes = Object.keys(toldByModes);
  const told = modes.flatMap((mode) => [...toldByModes[mode]!, 'overdue', ...byHand].map((kind) => `${mode} ${kind}`));
  const called = Object.entries(calledByModes).flatMap(([mode, ops]) =>
    ops.flatMap((op) => endsOfCalls.map((end) => `${mode} ${op} ${end}`)),
  );
  // Nobody refuses to run a function again, and it is asked for as long as it takes.
  const resumed = ['success', 'ongoing', 'unknown', 'interrupted'].map((end) => `workflow resume ${end}`);
  const answered = modes.flatMap((mode) => answersOfModes[mode]!.map((answer) => `${mode} ${answer}`));
  const applications = ['msg local commit', 'msg asked before the local commit', 'workflow run again'];
  return [...told, ...called, ...resumed, ...answered, ...applications];
}

/** Pairs of modes that some thousand seeds may miss: faults that are rare, in modes that are drawn rarely. */
export const seldom: ReadonlySet<string> = new Set(
  [
    'tcc confirm held',
    'tcc confirm failure',
    'tcc cancel held',
    'tcc cancel failure',
    'xa commit held',
    'xa commit failure',
    'xa rollback held',
    'xa rollback failure',
    'xa aborted repeated',
  ].map((pair) => `modes: ${pair}`),
);

const groups: Readonly<Record<string, readonly string[]>> = {
  'state × event': Object.entries(pairsPossible).flatMap(([state, events]) => events.map((event) => `${state} × ${event}`)),
  'process faults': [
    'crash at a moment',
    'crash at a port call',
    'pause within the time to live',
    'pause beyond the time to live',
    'graceful stop',
    'start failed',
    'zombie sent a stale commit',
    'zombie sent a stale call',
    'late timer',
  ],
  'store faults': [
    'slow',
    'unavailable before effect',
    'unknown, applied',
    'unknown, not applied',
    'unknown, applied later',
    'claim answered by an error after its effect',
    'claim answered by an error before its effect',
    'claim never answered',
    'refused',
    'outage',
    'effect after the crash of the sender',
    'conflict',
  ],
  'run ahead': [
    'window opened',
    'called ahead of a commit',
    'called before a commit told so',
    'called although others have gone on',
    'taken over with calls in doubt',
  ],
  'wire faults': [
    'dropped',
    'duplicated',
    'late',
    'reset',
    'answer lost',
    'timed out',
    'participant down',
    'broken off by close',
    'all places of a host taken',
  ],
  participants: [
    'applied',
    'refused',
    'refused wrongly',
    'short of money',
    'error before effect',
    'error after effect',
    'ongoing',
    'effect in the background',
    'slow',
    'repeated (barrier)',
    'null compensation (barrier)',
    'hanging action (barrier)',
  ],
  modes: pairsOfModes(),
  ownership: ['claimed from nobody', 'claimed from the dead', 'claimed again by its owner', 'taken by a request', 'released'],
  api: [
    'submit created',
    'submit repeated',
    'submit repeated at the other node',
    'submit different',
    'submit overloaded',
    'submit stopping',
    'submit store_unavailable',
    'submit value_refused',
    'submit answer lost',
    'wait at rest',
    'wait open',
    'wait null',
    'wait store_unavailable',
    'intervene terminate',
    'intervene retry',
    'intervene version_conflict',
    'intervene already_finished',
    'intervene not_found',
    'intervene stopping',
    'intervene store_unavailable',
    'intervene value_refused',
  ],
};

/** Counts of what was reached, by group and name. */
export class Coverage {
  readonly #counts = new Map<string, Map<string, number>>();

  constructor() {
    for (const [group, names] of Object.entries(groups)) this.#counts.set(group, new Map(names.map((name) => [name, 0])));
  }

  /** Counts one; a name that is not in the list of its group is added and shown as unexpected. */
  count(group: string, name: string): void {
    const counts = this.#counts.get(group)!;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }

  /** How many of the listed names were reached at least once, and which were not. */
  missing(): string[] {
    return [...this.#counts].flatMap(([group, counts]) =>
      groups[group]!.filter((name) => counts.get(name) === 0).map((name) => `${group}: ${name}`),
    );
  }

  /** A table for people. */
  table(): string {
    const lines: string[] = [];
    for (const [group, counts] of this.#counts) {
      const listed = groups[group]!;
      const hit = listed.filter((name) => counts.get(name)! > 0).length;
      lines.push('', `${group}: ${hit} of ${listed.length} reached`);
      for (const [name, count] of counts) {
        const remark = count === 0 ? '  not reached' : listed.includes(name) ? '' : '  unexpected';
        lines.push(`  ${String(count).padStart(9)}  ${name}${remark}`);
      }
    }
    return lines.slice(1).join('\n');
  }
}
