/**
 * Group commit: changes of many transactions that are ready at the same time go to the store as one batch. While
 * batches are under way, up to the store's number of connections, new changes gather for the next one, and so do those
 * that are ready in the same turn of the event loop; so the busier, the larger the batches, and an idle coordinator adds
 * no delay.
 */
import type { Change, CommitAnswer, Store } from '@amends/store';
import type { Log, Timers } from '../ports/ports.ts';

/** What became of a change: the store's answer, or the error when nothing of its batch was applied. */
export type CommitResult = CommitAnswer | { readonly fate: 'failed'; readonly error: unknown };

export interface GroupCommit {
  /** Queues one change; `done` is called once, never before this returns. */
  commit(change: Change, done: (result: CommitResult) => void): void;
  /** Changes queued or under way. */
  pending(): number;
}

interface Queued {
  readonly change: Change;
  readonly done: (result: CommitResult) => void;
}

/** Gathers commits for `store`. */
export function createGroupCommit(store: Store, { timers, log }: { timers: Timers; log: Log }): GroupCommit {
  const { commitsInFlightMax, changesPerCommitMax } = store.capabilities;
  let queue: Queued[] = [];
  let batchesInFlight = 0;
  let changesInFlight = 0;
  let flushScheduled = false;

  function schedule(): void {
    if (flushScheduled || queue.length === 0 || batchesInFlight >= commitsInFlightMax) return;
    flushScheduled = true;
    timers.soon(flush);
  }

  function flush(): void {
    flushScheduled = false;
    const batch = queue.length > changesPerCommitMax ? queue.splice(0, changesPerCommitMax) : queue;
    if (batch === queue) queue = [];
    batchesInFlight += 1;
    changesInFlight += batch.length;
    store.commit(batch.map((queued) => queued.change)).then(
      (answers) => end(batch, (index) => answers[index] ?? { fate: 'unknown' }),
      (error: unknown) => end(batch, () => ({ fate: 'failed', error })),
    );
    schedule();
  }

  function end(batch: readonly Queued[], resultOf: (index: number) => CommitResult): void {
    batchesInFlight -= 1;
    changesInFlight -= batch.length;
    batch.forEach((queued, index) => {
      tell(queued, resultOf(index));
    });
    schedule();
  }

  /** What goes wrong with one change must not keep the others of its batch from being heard of. */
  function tell({ change, done }: Queued, result: CommitResult): void {
    try {
      done(result);
    } catch (error) {
      log.error({ gid: change.row.gid, err: error }, 'what follows from a commit failed');
    }
  }

  return {
    commit(change, done) {
      queue.push({ change, done });
      schedule();
    },
    pending: () => queue.length + changesInFlight,
  };
}
