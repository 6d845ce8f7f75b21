/** Database files with many transactions in them, written through the Store port as a coordinator would have left them. */

import { createHash } from 'node:crypto';
import {
  type CallEffect,
  type Decided,
  decide,
  type EpochMs,
  encodeSpec,
  epochMs,
  type Gid,
  givenAtFirst,
  isFinished,
  nodeId,
  type Outcome,
  type StoredSpec,
  type Transaction,
  type TransactionEvent,
  toRow,
} from '@amends/core';
import type { Change } from '@amends/store';
import { openSqliteStore } from '@amends/store-sql';
import { makeDtmSpec, parseDtmTransaction } from '@amends/wire/dtm';
import { type BranchUrls, type GidOrder, gidMaker, sagaBody } from '../load/saga-request.ts';

/** What to write. */
export interface Stored {
  readonly count: number;
  /** `finished`: succeeded; `in-flight`: as a coordinator leaves it that died while it called the first branch. */
  readonly as: 'finished' | 'in-flight';
  readonly branchUrls: BranchUrls;
  readonly gidOrder: GidOrder;
}

const batchSize = 1_000;
/** The coordinator that wrote them; it never beats, so it counts as dead. */
const author = nodeId('bench');
const context = {
  defaults: { requestTimeoutMs: 3_000, retryIntervalMs: 10_000, timeoutToFailMs: 35_000, runAhead: true },
  subscribersOf: () => undefined,
};
const agreed: Outcome = { class: 'success', code: 'http_200', detail: '', exchange: 'answered', durationMs: 1 };

/** Writes a database file. @param onProgress hears how many have been written */
export async function writeStored(file: string, stored: Stored, onProgress: (count: number) => void): Promise<void> {
  const store = await openSqliteStore({ path: file });
  const nextGid = gidMaker(stored.gidOrder);
  try {
    for (let written = 0; written < stored.count; ) {
      const size = Math.min(batchSize, stored.count - written);
      const answers = await store.commit(Array.from({ length: size }, () => changeOf(nextGid() as Gid, stored)));
      const refused = answers.find(({ fate }) => fate !== 'applied');
      if (refused !== undefined) throw new Error(`the store did not take a prepared transaction: ${JSON.stringify(refused)}`);
      written += size;
      onProgress(written);
    }
  } finally {
    await store.close();
  }
}

/** The whole life so far in one commit. */
function changeOf(gid: Gid, { as, branchUrls }: Stored): Change {
  const spec = makeDtmSpec(parseDtmTransaction({ fields: sagaBody(gid, branchUrls) }), context);
  const given = givenAtFirst(spec);
  const at = epochMs(Date.now());
  const begun = decide(null, given, [{ type: 'submitted', gid, owner: author, at, jitter: 0 }]);
  const lived = as === 'finished' ? toTheEnd(begun, (before, events) => decide(before, given, events), at) : begun;
  const next = { ...lived.next, owner: isFinished(lived.next) ? null : author, epoch: 1, version: 1 };
  const row = toRow(next, { dueAt: isFinished(next) ? null : at, waitsFor: '', errorPrint: '' });
  return { expectedVersion: 0, row, spec: packSpec(spec), history: lived.history, records: [], documents: [], audit: [] };
}

type Step = (before: Transaction, events: readonly TransactionEvent[]) => Decided;

/** All calls are made and agreed to. */
function toTheEnd(decided: Decided, step: Step, at: EpochMs): Decided {
  if (decided.effects.length === 0) return decided;
  const agree = ({ branch, way, attempt }: CallEffect): TransactionEvent => ({
    type: 'answered',
    branch,
    way,
    attempt,
    outcome: agreed,
    at,
    jitter: 0,
  });
  const next = step(decided.next, decided.effects.map(agree));
  return toTheEnd({ ...next, history: [...decided.history, ...next.history] }, step, at);
}

function packSpec(spec: Parameters<typeof encodeSpec>[0]): StoredSpec {
  const encoded = encodeSpec(spec);
  return { ...encoded, digest: createHash('sha256').update(encoded.plan).update(encoded.payloads).digest('hex') };
}
