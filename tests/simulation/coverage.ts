/** What the runs have reached: pairs of state and event, faults, answers of the API; and what they have not. */

const actionAnswers = ['action success', 'action failure', 'action ongoing', 'action unknown'] as const;
const compensateAnswers = ['compensate success', 'compensate failure', 'compensate ongoing', 'compensate unknown'] as const;
const byHand = ['terminated', 'retried'] as const;

/** The pairs that can occur: what a transaction was before a commit, and what the commit tells; several in one commit count each. */
const pairsPossible: Readonly<Record<string, readonly string[]>> = {
  new: ['submitted'],
  submitted: [...actionAnswers, 'action interrupted', 'timed-out', 'overdue', 'action held', 'woken', ...byHand],
  'submitted, committed': [...actionAnswers, 'action interrupted', 'overdue', 'action held', 'woken', ...byHand],
  'submitted, held': [...actionAnswers, 'action interrupted', 'action held', 'timed-out', 'overdue', ...byHand],
  'submitted, committed, held': [...actionAnswers, 'action interrupted', 'action held', 'overdue', ...byHand],
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
    ...byHand,
  ],
};

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
  'wire faults': [
    'dropped',
    'duplicated',
    'late',
    'reset',
    'answer lost',
    'timed out',
    'participant down',
    'broken off by close',
    'not sent in time',
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
  modes: [
    'msg local commit',
    'msg asked before the local commit',
    'msg prepared',
    'msg submitted',
    'msg aborted',
    'msg msg success',
    'msg msg failure',
    'msg msg ongoing',
    'msg msg unknown',
    'msg msg interrupted',
    'msg action success',
    'msg action failure',
    'msg action interrupted',
    'msg submitted wrong_status',
    'tcc registered',
    'tcc timed-out',
    'tcc aborted',
    'tcc confirm success',
    'tcc confirm failure',
    'tcc confirm interrupted',
    'tcc cancel success',
    'tcc cancel interrupted',
    'tcc registered wrong_status',
    'tcc registered different',
    'tcc submitted wrong_status',
    'tcc submitted repeated',
    'xa timed-out',
    'xa aborted',
    'xa commit success',
    'xa commit interrupted',
    'xa rollback success',
    'xa registered wrong_status',
    'workflow run again',
    'workflow resume success',
    'workflow resume interrupted',
    'workflow registered taken',
    'workflow registered repeated',
    'workflow registered wrong_status',
    'workflow concluded taken',
    'workflow concluded repeated',
  ],
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
  reached(group: string, name: string): void {
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
