/** The simulator finds what it is there to find: each mutant has a fault that a careless change could bring. */
import { expect, test } from 'vitest';
import { runCampaign } from './campaign.ts';
import { loadMutant, type Mutation } from './mutant.ts';

const commit = 'this.#commit(change, { decided, next, row });';

const mutants: Readonly<Record<string, Mutation>> = {
  'acts before the commit': {
    file: 'coordinator/dist/mailbox.js',
    replace: commit,
    by: `const early = this.tx === null ? [] : decided.effects;
         for (const effect of early) this.#host.call(this, effect);
         this.#commit(change, { decided: early.length > 0 ? { ...decided, effects: [] } : decided, next, row });`,
  },
  'replies before the commit': {
    file: 'coordinator/dist/mailbox.js',
    replace: commit,
    by: `this.#answer(letters, decided.verdicts); ${commit}`,
  },
  'ignores a conflict': {
    file: 'coordinator/dist/mailbox.js',
    replace: 'return this.#readAgain(step, () => again(uncertain));',
    by: 'return this.#applied(step);',
  },
  'drops an event that comes during a commit': {
    file: 'coordinator/dist/mailbox.js',
    replace: 'this.#letters.push({ event, reply });',
    by: 'if (this.#committing) return; this.#letters.push({ event, reply });',
  },
  'forgets a branch that may have started': {
    file: 'core/dist/saga.js',
    replace: "return branch.forward.at === 'idle' || step.kind",
    by: "return branch.forward.at === 'idle' || branch.forward.at === 'waiting' || step.kind",
  },
  'compensates forwards': {
    file: 'core/dist/saga.js',
    replace: 'return quiet && dependents.every(',
    by: 'return quiet && steps[index].after.every(',
  },
  'undoes after the pivot': {
    file: 'core/dist/saga.js',
    replace: `if (draft.tx.decision !== null)
        return false;
    const pivot`,
    by: `return draft.tx.decision?.direction !== 'roll-back';
    const pivot`,
  },
  'undoes before the action has settled': {
    file: 'core/dist/saga.js',
    replace: '&& forward.settledAt <= draft.at;',
    by: ';',
  },
  'gives a call its whole time although the commit before it was slow': {
    file: 'coordinator/dist/outbound.js',
    replace: 'const deadlineInMs = startedAt(mailbox, effect) + timeoutMs - this.#clock.now();',
    by: 'const deadlineInMs = timeoutMs;',
  },
  'does not store attempts': {
    file: 'core/dist/row.js',
    replace: 'return [opCode.running, op.attempts, ',
    by: 'return [opCode.running, 0, ',
  },
  'forgets that the alarm has been raised': {
    file: 'core/dist/row.js',
    replace: 'overdueSince ?? 0',
    by: '0',
  },
  'claims the work of the living': {
    file: 'store/dist/memory-store.js',
    replace: 'owner === null || !alive.has(owner)',
    by: 'true',
  },
  'begins a second mailbox for a transaction that it is at work on': {
    file: 'coordinator/dist/takeovers.js',
    replace: 'atWork.takeUp(stored, () => this.adopt(stored));',
    by: 'this.#begin(mailboxes.takeIn(host, stored));',
  },
  'never asks for what a claim without an answer has taken': {
    file: 'coordinator/dist/membership.js',
    replace: 'this.#lossUntil = this.#around.clock.now() + lateEffectMs;',
    by: '',
  },
  'thinks no more of a lost claim once another has been answered': {
    file: 'coordinator/dist/membership.js',
    replace: 'now >= this.#lossUntil && !this.#moreIsThere',
    by: 'true',
  },
};

/** The slowest is found by some four thousand; production passes all of these. */
const seedsMax = 10_000;

test.each(Object.entries(mutants))('finds a coordinator that %s', async (name, mutation) => {
  const { production, remove } = await loadMutant(mutation);
  try {
    const { failed } = await runCampaign({ production, first: 1, count: seedsMax });
    const found = failed?.violations[0];
    console.info(`${name}: seed ${failed?.seed}, ${found?.checker}: ${found?.message}`);
    expect(found).toBeDefined();
  } finally {
    remove();
  }
});

test('a mutant that does not apply any more is an error', async () => {
  const outdated = { file: 'core/dist/saga.js', replace: 'this text is nowhere', by: '' };
  await expect(loadMutant(outdated)).rejects.toThrow('does not apply any more');
});
