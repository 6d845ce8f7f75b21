/** Participants with a database in MongoDB, by the driver `mongodb`. Transactions need a replica set. */
import type { ClientSession, Collection, MongoClient } from 'mongodb';
import type { BranchRef } from '../../participants/call.ts';
import {
  type BranchKey,
  checkCall,
  checkCommitted,
  entrance,
  type FoundRow,
  givingUp,
  resultOf,
  stillUnderWay,
  type TableBarrier,
  type Writing,
} from '../barrier-rows.ts';

/** Where the barrier's documents are. */
export interface MongoBarrierOptions {
  /** Default `dtm_barrier`, as in DTM's clients. */
  readonly database?: string;
  /** Default `barrier`. That of the results has the same name with `_result` at its end. */
  readonly collection?: string;
}

/** A row of the barrier as it is stored. */
interface BarrierDocument {
  readonly trans_type: string;
  readonly gid: string;
  readonly branch_id: string;
  readonly op: string;
  readonly barrier_id: string;
  readonly reason: string;
}

/** What our own collection says of the work of a row. */
interface ResultDocument {
  readonly _id: Key;
  /** JSON; null: the work has begun; empty: it is done and has returned nothing. */
  readonly result: string | null;
  readonly create_time: Date;
}

type Key = Omit<BarrierDocument, 'trans_type' | 'reason'>;

/**
 * The barrier in MongoDB. Work gets the session of its transaction and must pass it to every operation: what is done without
 * stands outside. `createTable` makes the unique index on which the barrier rests.
 */
export function mongoBarrier(
  client: MongoClient,
  { database = 'dtm_barrier', collection = 'barrier' }: MongoBarrierOptions = {},
): TableBarrier<ClientSession> {
  const documents = client.db(database).collection<BarrierDocument>(collection);
  const results = client.db(database).collection<ResultDocument>(`${collection}_result`);
  const write = writing(documents, results);
  return {
    async run<Result>(call: BranchRef, work: (session: ClientSession) => Result | Promise<Result>, { barrierId = '01' } = {}) {
      checkCall(call, { barrierId });
      const answer = await transaction(client, async (session) => {
        const rows = entrance(call, barrierId);
        let step = rows.next();
        while (step.done !== true) step = rows.next(await write(session, step.value));
        if (step.value.row === null) return step.value.answer;
        const { json, result } = resultOf(await inOne(session, work), step.value.row);
        await results.updateOne({ _id: keyOf(step.value.row) }, { $set: { result: json } }, { session });
        return result;
      });
      return answer as Result | undefined;
    },
    async queryPrepared(call) {
      checkCall(call);
      const row = givingUp(call);
      const found = await transaction(client, (session) => write(session, { row, begins: false })).catch((error: unknown) => {
        throw isConflict(error) ? stillUnderWay(row.gid, error) : error;
      });
      checkCommitted(row, found);
    },
    async createTable() {
      if (!(await hasIndex(documents))) await documents.createIndex(index, { unique: true });
    },
  };
}

/** Runs work in the transaction that has begun. @throws Error when the work has ended it by itself */
async function inOne<Result>(
  session: ClientSession,
  work: (session: ClientSession) => Result | Promise<Result>,
): Promise<Result> {
  const { txnNumber } = session.serverSession;
  const result = await work(session);
  if (session.inTransaction() && session.serverSession.txnNumber === txnNumber) return result;
  throw new Error('the transaction behind the barrier was ended before its time: by a commit or abort of the work itself');
}

const index = { gid: 1, branch_id: 1, op: 1, barrier_id: 1 } as const;

/** NamespaceNotFound: there is no such collection yet. */
const namespaceNotFound = 26;

async function hasIndex(documents: Collection<BarrierDocument>): Promise<boolean> {
  try {
    return (await documents.indexes()).some(
      ({ key, unique }) => unique === true && JSON.stringify(key) === JSON.stringify(index),
    );
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === namespaceNotFound) return false;
    throw error;
  }
}

/** WriteConflict, DuplicateKey: another transaction has written the document meanwhile; MongoDB does not wait for its end. */
function isConflict(error: unknown): boolean {
  return [112, 11_000].includes((error as { readonly code?: number }).code ?? 0);
}

/** The driver's own `withTransaction` would run the work several times. */
async function transaction<Result>(client: MongoClient, work: (session: ClientSession) => Promise<Result>): Promise<Result> {
  const session = client.startSession();
  try {
    session.startTransaction({ readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } });
    const result = await work(session);
    await session.commitTransaction();
    return result;
  } finally {
    // Aborts what is not committed.
    await session.endSession();
  }
}

/** An error inside a transaction ends it, so the row is looked for first; the unique index decides between two at once. */
function writing(documents: Collection<BarrierDocument>, results: Collection<ResultDocument>) {
  return async (session: ClientSession, { row, begins }: Writing): Promise<FoundRow | null> => {
    const found = await documents.findOne(keyOf(row), { session });
    const own = { _id: keyOf(row) };
    if (found !== null) return foundRow(found, await results.findOne(own, { session }));
    await documents.insertOne({ trans_type: row.transType, ...keyOf(row), reason: row.reason }, { session });
    const begun = { result: null, create_time: new Date() };
    if (begins) await results.replaceOne(own, begun, { session, upsert: true });
    return null;
  };
}

function foundRow(found: BarrierDocument, result: ResultDocument | null): FoundRow {
  const { gid, branch_id: branchId, op, barrier_id: barrierId, reason } = found;
  const done = result?.result == null ? 'begun' : { result: result.result };
  return { gid, branchId, op, barrierId, reason, work: result === null ? 'unknown' : done };
}

/** Fields in this order: the key of a result is a document, and those are compared with the order of their fields. */
function keyOf({ gid, branchId, op, barrierId }: BranchKey): Key {
  return { gid, branch_id: branchId, op, barrier_id: barrierId };
}
