/** What the contract needs of a store under test, and how a topic of the contract declares its tests. */
import type { Gid, HistoryEntry } from '@amends/core';
import { afterEach, expect, type TestContext, test } from 'vitest';
import type { AnyChange, CommitAnswer, Store, StoredTransaction } from '../store.ts';

/** A freshly opened, empty store. */
export interface StoreUnderTest {
  readonly store: Store;
  /**
   * Opens another one on what the first one left behind, after that was closed. Required when the store is durable.
   * @param wallClockMovedMs how far the host's wall clock has been moved meanwhile
   */
  readonly reopen?: (wallClockMovedMs: number) => Promise<Store>;
  /** Lets time pass for the store; absent where a test cannot. Milliseconds. */
  readonly passTime?: (ms: number) => void;
  /** Removes what it leaves behind; called after the test, when every store is closed. */
  readonly cleanUp?: () => Promise<void>;
}

/** Opens a store for one test. */
export type OpenStore = () => Promise<StoreUnderTest>;

/** Tests that this store is excused from, by name. */
export interface SkippedTests {
  readonly reason: string;
  readonly tests: readonly string[];
}

/** Declares one test of the contract; the store is opened before and closed after it. */
export type StoreTest = (name: string, body: (subject: Subject, context: TestContext) => Promise<void>) => void;

/** A store under test with the few steps that most tests take. */
export interface Subject extends StoreUnderTest {
  /** Commits one change. */
  commitOne(change: AnyChange): Promise<CommitAnswer>;
  /** Commits all, which must be applied. */
  applied(...changes: readonly AnyChange[]): Promise<void>;
  /** Loads what must be there. */
  loadOne(gid: Gid): Promise<StoredTransaction>;
  /** Loads the whole history. */
  historyOf(gid: Gid): Promise<readonly HistoryEntry[]>;
  /** Closes the store and opens it again. */
  reopened(wallClockMovedMs?: number): Promise<Subject>;
}

/** Makes the `StoreTest` of a store. */
export function storeTests(open: OpenStore, skip: readonly SkippedTests[]): StoreTest {
  const opened: StoreUnderTest[] = [];
  afterEach(async () => {
    for (const one of opened.toReversed()) await one.store.close();
    for (const one of opened.splice(0)) await one.cleanUp?.();
  });
  return (name, body) => {
    const excuse = skip.find((skipped) => skipped.tests.includes(name))?.reason;
    if (excuse !== undefined) return void test.skip(`${name} (skipped: ${excuse})`);
    test(name, async (context) => {
      opened.push(await open());
      await body(makeSubject(opened[0]!, opened), context);
    });
  };
}

function makeSubject(under: StoreUnderTest, opened: StoreUnderTest[]): Subject {
  const { store } = under;
  const commitOne = async (change: AnyChange) => (await store.commit([change]))[0]!;
  return {
    ...under,
    commitOne,
    async applied(...changes) {
      expect(await store.commit(changes)).toEqual(changes.map(() => ({ fate: 'applied' })));
    },
    async loadOne(gid) {
      const [transaction] = await store.load([gid]);
      expect(transaction, `transaction ${gid}`).not.toBeNull();
      return transaction!;
    },
    historyOf: (gid) => store.history(gid, { afterSeq: 0, limit: 5_000 }),
    async reopened(wallClockMovedMs = 0) {
      await store.close();
      const again = { store: await under.reopen!(wallClockMovedMs), reopen: under.reopen! };
      opened.push(again);
      return makeSubject({ ...again, ...(under.passTime && { passTime: under.passTime }) }, opened);
    },
  };
}
