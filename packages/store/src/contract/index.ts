/**
 * The contract suite: what every store must do, whatever database is behind it. Call `exerciseStore` in a test file of
 * the store; it declares the tests (vitest).
 */
import { describe } from 'vitest';
import { claimContract } from './claim-contract.ts';
import { commitContract } from './commit-contract.ts';
import { documentContract } from './document-contract.ts';
import { type OpenStore, type SkippedTests, storeTests } from './harness.ts';
import { lifeCycleContract } from './life-cycle-contract.ts';
import { listContract } from './list-contract.ts';
import { purgeContract } from './purge-contract.ts';
import { valueContract } from './value-contract.ts';

export type { OpenStore, SkippedTests, StoreUnderTest } from './harness.ts';
export * from './samples.ts';

const topics = {
  commit: commitContract,
  documents: documentContract,
  values: valueContract,
  claim: claimContract,
  list: listContract,
  purge: purgeContract,
  'life cycle': lifeCycleContract,
};

/**
 * Declares the whole contract for one store.
 * @param name shown in reports
 * @param open opens an empty store, called once per test
 * @param options `skip`: tests that this store is excused from, with the reason
 */
export function exerciseStore(name: string, open: OpenStore, options: { readonly skip?: readonly SkippedTests[] } = {}): void {
  describe(`contract of stores: ${name}`, () => {
    const test = storeTests(open, options.skip ?? []);
    for (const [topic, declare] of Object.entries(topics)) describe(topic, () => declare(test));
  });
}
