/** The simulator finds what it is there to find: each mutant has a fault that a careless change could bring. */
import { describe, expect, test } from 'vitest';
import { runCampaign } from '../running/campaign.ts';
import { loadMutant } from './mutant.ts';
import { mutants } from './mutants.ts';

/** The slowest is found by some four thousand; production passes all of these. */
const seedsMax = 10_000;

describe.each(Object.entries(mutants))('%s', (_where, faults) => {
  test.each(Object.entries(faults))('finds a coordinator that %s', async (name, mutation) => {
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
});

test('a mutant that does not apply any more is an error', async () => {
  const outdated = { file: 'core/dist/modes/saga.js', replace: 'this text is nowhere', by: '' };
  await expect(loadMutant(outdated)).rejects.toThrow('does not apply any more');
});
