/** The mutants that the simulator must find: faults that a careless change could bring, by where they are. */
import type { Mutation } from './mutant.ts';

/** What is wrong with the coordinator that has one changed line. */
type Mutants = Readonly<Record<string, Mutation>>;

const commit = 'return commit({ known, claimed, inbox }, { step, letters, tries: 0, mayBeApplied: false });';

export const mutants: Readonly<Record<string, Mutants>> = {
  'every mode': {
    'acts before the commit': {
      file: 'coordinator/dist/drive/transition.js',
      replace: commit,
      by: `const early = known.durable === null ? [] : step.decided.effects;
         const late = { ...step, decided: { ...step.decided, effects: early.length > 0 ? [] : step.decided.effects } };
         const calls = { effects: early, known: { ...known, now: step.next } };
         return after({ calls }, commit({ known, claimed, inbox }, { step: late, letters, tries: 0, mayBeApplied: false }));`,
    },
    'replies before the commit': {
      file: 'coordinator/dist/drive/transition.js',
      replace: commit,
      by: `const replies = answersTo(letters, (index) => decided.verdicts[index]);
         return after({ replies }, commit({ known, claimed, inbox }, { step, letters, tries: 0, mayBeApplied: false }));`,
    },
    'ignores a conflict': {
      file: 'coordinator/dist/drive/transition.js',
      replace: 'return readBack(phase, attempt);',
      by: 'return takeApplied(around, phase, moment);',
    },
    'drops an event that comes during a commit': {
      file: 'coordinator/dist/drive/transition.js',
      replace: 'return stay({ ...phase, inbox: [...phase.inbox, letter] });',
      by: 'return stay(phase);',
    },
    'gives a call its whole time although the commit before it was slow': {
      file: 'coordinator/dist/drive/outbound.js',
      replace: 'const deadlineInMs = startedAt(caller, effect) + timeoutMs - clock.now();',
      by: 'const deadlineInMs = timeoutMs;',
    },
    'does not store attempts': {
      file: 'core/dist/stored/row.js',
      replace: 'return [opCode.running, op.attempts, ',
      by: 'return [opCode.running, 0, ',
    },
    'forgets that the alarm has been raised': {
      file: 'core/dist/stored/row.js',
      replace: 'overdueSince ?? 0',
      by: '0',
    },
    'claims the work of the living': {
      file: 'store/dist/memory-store.js',
      replace: 'owner === null || !alive.has(owner)',
      by: 'true',
    },
    'begins a second mailbox for a transaction that it is at work on': {
      file: 'coordinator/dist/nodes/takeovers.js',
      replace: 'atWork.takeUp(stored, () => this.adopt(stored));',
      by: 'this.#begin(drive.takeIn(stored));',
    },
    'answers from what it remembers though others write to the store': {
      file: 'coordinator/dist/requests/whereabouts.js',
      replace: 'if (known !== undefined && !isShared)',
      by: 'if (known !== undefined)',
    },
    'keeps a place whose call was never made': {
      file: 'coordinator/dist/drive/seating.js',
      replace: `for (const { place } of seats)
            place.release();`,
      by: '',
    },
    'forgets what waits for its place': {
      file: 'coordinator/dist/drive/seating.js',
      replace: 'this.#places.wait(host, this);',
      by: ';',
    },
    'starts more calls than there are places': {
      file: 'coordinator/dist/calls/places.js',
      replace: 'host.inFlight >= this.#bounds.perHostMax)',
      by: 'false)',
    },
    'never asks for what a claim without an answer has taken': {
      file: 'coordinator/dist/nodes/membership.js',
      replace: 'this.#lossUntil = this.#around.clock.now() + lateEffectMs;',
      by: '',
    },
    'thinks no more of a lost claim once another has been answered': {
      file: 'coordinator/dist/nodes/membership.js',
      replace: 'now >= this.#lossUntil && !this.#moreIsThere',
      by: 'true',
    },
  },
  'run ahead': {
    'runs past the pivot': {
      file: 'core/dist/modes/saga.js',
      replace: "kind === 'pivot' || ",
      by: '',
    },
    'runs past a decision': {
      file: 'core/dist/modes/run-ahead.js',
      replace: 'tx.decision === before.decision',
      by: 'true',
    },
    'runs past a kept answer': {
      file: 'core/dist/modes/run-ahead.js',
      replace: ' || records.length > 0',
      by: '',
    },
    'calls ahead what is made of an answer': {
      file: 'core/dist/modes/saga.js',
      replace: "return action === '' || (given.spec.templates?.[payloadIndex(given.spec, branch, way)] ?? null) === null;",
      by: 'return true;',
    },
    'runs ahead for ever': {
      file: 'core/dist/modes/run-ahead.js',
      replace: 'is.startedAt <= aheadUntil && ',
      by: '',
    },
    'runs ahead although it must not': {
      file: 'core/dist/modes/run-ahead.js',
      replace: 'given.spec.runAhead === false || isFinished(tx)',
      by: 'isFinished(tx)',
    },
    'forgets what may have been started': {
      file: 'core/dist/modes/run-ahead.js',
      replace: 'if (aheadUntil === null)',
      by: 'if (true)',
    },
    'does not wait for the end of what may have been started': {
      file: 'core/dist/modes/run-ahead.js',
      replace: 'epochMs(aheadUntil + calls.timeoutMs(draft.given, branch))',
      by: '0',
    },
    'does not count an attempt that may have been made': {
      file: 'core/dist/modes/run-ahead.js',
      replace: 'attempts: 1,',
      by: 'attempts: 0,',
    },
    'takes everything for something that can wait': {
      file: 'coordinator/dist/drive/transition.js',
      replace: '(!decided.mustCommit && ',
      by: '(',
    },
    'never writes what it did ahead': {
      file: 'coordinator/dist/drive/transition.js',
      replace: 'const writeAt = known.unwrittenSince === null ? null : ',
      by: 'const writeAt = true ? null : ',
    },
    'drops what it did ahead when it writes again': {
      file: 'coordinator/dist/drive/transition.js',
      replace: 'const whole = unwritten.length === 0 ? decided : ',
      by: 'const whole = true ? decided : ',
    },
  },
  saga: {
    'forgets a branch that may have started': {
      file: 'core/dist/modes/saga.js',
      replace: "return branch.forward.at === 'idle' || step.kind",
      by: "return branch.forward.at === 'idle' || branch.forward.at === 'waiting' || step.kind",
    },
    'compensates forwards': {
      file: 'core/dist/modes/saga.js',
      replace: 'return quiet && dependents.every(',
      by: 'return quiet && steps[index].after.every(',
    },
    'undoes after the pivot': {
      file: 'core/dist/modes/saga.js',
      replace: `if (draft.tx.decision !== null)
        return false;
    const pivot`,
      by: `return draft.tx.decision?.direction !== 'roll-back';
    const pivot`,
    },
    'undoes before the action has settled': {
      file: 'core/dist/modes/saga.js',
      replace: '&& forward.settledAt <= draft.at;',
      by: ';',
    },
  },
  msg: {
    'delivers when the question was answered no': {
      file: 'core/dist/modes/msg.js',
      replace: "fail(draft, outcome.detail === '' ? 'the local transaction was not committed' : outcome.detail);",
      by: 'submit(draft);',
    },
    'takes an unanswered question for a yes': {
      file: 'core/dist/modes/msg.js',
      replace: "return draft.tx.status !== 'prepared';",
      by: `{
        if (draft.tx.status === 'prepared') submit(draft);
        return true;
      }`,
    },
    'does not ask': {
      file: 'core/dist/modes/msg.js',
      replace: 'return draft.at < askAt(draft) ? askAt(draft) : pauseEndsAt(draft, forward);',
      by: 'return pauseEndsAt(draft, forward);',
    },
    'delivers on a guess when there is nobody to ask': {
      file: 'core/dist/modes/msg.js',
      replace: "if (draft.given.spec.query === '')",
      by: "if (draft.given.spec.query === '') return submit(draft); if (false)",
    },
    'tries in circles what is given up': {
      file: 'core/dist/modes/msg.js',
      replace: 'return mayStart(draft, forward) && start',
      by: "return (forward.at === 'given-up' || mayStart(draft, forward)) && start",
    },
    'calls the step after a topic although a subscriber has not got the message': {
      file: 'core/dist/modes/msg.js',
      replace: 'if (isOpen && next !== group)',
      by: 'if (false)',
    },
    'ignores the delay': {
      file: 'core/dist/modes/msg.js',
      replace: 'Math.max(createdAt + delayMs, notBefore ?? 0)',
      by: 'notBefore ?? 0',
    },
    'lets a late submit revive a message that has failed': {
      file: 'core/dist/modes/msg.js',
      replace: `if (status !== 'prepared')
                return 'wrong_status';
            note(draft, { kind: 'submitted' });`,
      by: `if (status === 'succeed')
                return 'wrong_status';
            note(draft, { kind: 'submitted' });`,
    },
  },
  tcc: {
    'confirms in the order of registration': {
      file: 'core/dist/modes/tcc.js',
      replace: 'lastFirst: true',
      by: 'lastFirst: false',
    },
    'cancels after submit when its time is up': {
      file: 'core/dist/modes/second-phase.js',
      replace: "if (draft.tx.status !== 'prepared' || draft.at < timeoutAt(draft))",
      by: "if (draft.tx.status === 'aborting' || draft.at < timeoutAt(draft))",
    },
    'lets a branch join after submit': {
      file: 'core/dist/modes/second-phase.js',
      replace: `if (draft.tx.status !== 'prepared')
        return 'wrong_status';
    const known`,
      by: `if (draft.tx.status !== 'prepared' && draft.tx.status !== 'submitted')
        return 'wrong_status';
    const known`,
    },
    'forgets the branch that was registered first when it cancels': {
      file: 'core/dist/modes/second-phase.js',
      replace: 'place < branches.length;',
      by: "place < branches.length - (way === 'backward' && lastFirst && branches.length > 1 ? 1 : 0);",
    },
    'takes a second submit for the end': {
      file: 'core/dist/modes/second-phase.js',
      replace: `if (status === 'submitted')
                return 'repeated';`,
      by: `if (status === 'submitted') {
                note(draft, { kind: 'submitted' });
                finish(draft, 'succeed');
                return 'taken';
            }`,
    },
  },
  xa: {
    'commits in reverse': {
      file: 'core/dist/modes/xa.js',
      replace: 'lastFirst: false',
      by: 'lastFirst: true',
    },
    'cancels, as tcc does, where it must roll back': {
      file: 'core/dist/modes/xa.js',
      replace: "backward: 'rollback'",
      by: "backward: 'cancel'",
    },
    'lets a late submit revive what is being rolled back': {
      file: 'core/dist/modes/second-phase.js',
      replace: `if (status !== 'prepared')
                return 'wrong_status';
            note(draft, { kind: 'submitted' });`,
      by: `if (status !== 'prepared' && status !== 'aborting')
                return 'wrong_status';
            note(draft, { kind: 'submitted' });`,
    },
    'takes a refused commit for a verdict': {
      file: 'core/dist/modes/second-phase.js',
      replace: 'mayBeRefused: () => false,',
      by: 'mayBeRefused: () => true,',
    },
    'registers a branch again when it says something else': {
      file: 'core/dist/modes/second-phase.js',
      replace: "return sameBranch(known, branch) ? 'repeated' : 'different';",
      by: "return sameBranch(known, branch) ? 'repeated' : join(draft, branch);",
    },
  },
  workflow: {
    'lets a second result replace the first': {
      file: 'core/dist/modes/workflow.js',
      replace: "return sameBranch(known, branch) ? 'repeated' : 'different';",
      by: "if (sameBranch(known, branch)) return 'repeated'; return draft.tx.status === 'prepared' ? join(draft, branch) : 'different';",
    },
    'drops what a step has recorded': {
      file: 'core/dist/modes/registration.js',
      replace: "keepRecord(draft, { kind: 'branch', index, branch });",
      by: "if (branch.kind === 'participant') keepRecord(draft, { kind: 'branch', index, branch });",
    },
    'never has the function run again': {
      file: 'core/dist/modes/workflow.js',
      replace: "wakeAt: (draft) => (draft.given.spec.resume === '' ? null : nextAttemptAt(draft, 'forward')),",
      by: 'wakeAt: () => null,',
    },
    'lets a second conclusion change the first': {
      file: 'core/dist/modes/workflow.js',
      replace: `if (draft.tx.status !== 'prepared')
        return concludeAgain(draft, conclusion);`,
      by: `if (draft.tx.status === status)
        return concludeAgain(draft, conclusion);
    draft.tx.status = 'prepared';`,
    },
    'takes no recorded step for a sign of life': {
      file: 'core/dist/modes/workflow.js',
      replace: `if (verdict === 'taken')
        waitAgain(draft);`,
      by: '',
    },
    'records after the end': {
      file: 'core/dist/modes/workflow.js',
      replace: `if (draft.tx.status !== 'prepared')
        return 'wrong_status';
    const verdict`,
      by: 'const verdict',
    },
  },
};
