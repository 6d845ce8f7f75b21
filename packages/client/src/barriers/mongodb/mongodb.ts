/** Participants with a database in MongoDB, by the driver `mongodb`. Transactions need a replica set. */
import type { ClientSession, Collection, MongoClient } from 'mongodb';
import type { BranchRef } from '../../participants/call.ts';
import {
  type BranchKey,
  checkCall,
  checkCommitted,
  decideEntrance,
  type FoundRow,
  givenUpRow,
  serializeResult,
  type TableBarrier,
  underWayError,
  type Writing,
} from '../barrier-rows.ts';
import { driverCodeOf } from '../driver-error.ts';

/** Where the barrier's documents are. */
export interface MongoBarrierOptions {
  /** Default `dtm_barrier`, as in DTM's clients. */
  readonly database?: string;
  /** Default `barrier`. The collection of results has the same name with `_result` at its end. */
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

/** A document of our own collection: what became of the work of a row. */
interface ResultDocument {
  readonly _id: Key;
  /** JSON; null: the work has begun; empty: it is done and has returned nothing. */
  readonly result: string | null;
  readonly create_time: Date;
}

type Key = Omit<BarrierDocument, 'trans_type' | 'reason'>;

/**
 * The barrier in MongoDB. The work gets the session of its transaction and must pass it to every operation; an operation without
 * it stands outside. `createTable` makes the unique index that the barrier needs.
 */
export function mongoBarrier(
  client: MongoClient,
  { database = 'dtm_barrier', collection = 'barrier' }: MongoBarrierOptions = {},
): TableBarrier<ClientSession> {
  const documents = client.db(database).collection<BarrierDocument>(collection);
  const results = client.db(database).collection<ResultDocument>(`${collection}_result`);
  const write = rowWriter(documents, results);
  return {
    async run<Result>(call: BranchRef, work: (session: ClientSession) => Result | Promise<Result>, { barrierId = '01' } = {}) {
      checkCall(call, { barrierId });
      const answer = await runMongoTransaction(client, async (session) => {
        const rows = decideEntrance(call, barrierId);
        let step = rows.next();
        while (step.done !== true) step = rows.next(await write(session, step.value));
        if (step.value.row === null) return step.value.answer;
        const { json, result } = serializeResult(await runInside(session, work), step.value.row);
        await results.updateOne({ _id: documentKey(step.value.row) }, { $set: { result: json } }, { session });
        return result;
      });
      return answer as Result | undefined;
    },
    async queryPrepared(call) {
      checkCall(call);
      const row = givenUpRow(call);
      const found = await runMongoTransaction(client, (session) => write(session, { row, begins: false })).catch(
        (error: unknown) => {
          throw isConflict(error) ? underWayError(row.gid, error) : error;
        },
      );
      checkCommitted(row, found);
    },
    async createTable() {
      if (!(await hasIndex(documents))) await documents.createIndex(index, { unique: true });
    },
  };
}

/** Runs work in the transaction that has begun. @throws Error when the work has ended it by itself */
async function runInside<Result>(
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
    if (driverCodeOf(error) === namespaceNotFound) return false;
    throw error;
  }
}

/** WriteConflict, DuplicateKey: MongoDB does not wait for the end of another transaction that has written the document. */
const conflicts: ReadonlySet<unknown> = new Set([112, 11_000]);

function isConflict(error: unknown): boolean {
  return conflicts.has(driverCodeOf(error));
}

/** Runs work in a transaction, once; the driver's own `withTransaction` may run it several times. */
async function runMongoTransaction<Result>(
  client: MongoClient,
  work: (session: ClientSession) => Promise<Result>,
): Promise<Result> {
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

/**
 * Makes the function that writes a row. It looks for the row first, because an error inside a transaction ends it; between two at
 * once the unique index decides.
 */
function rowWriter(documents: Collection<BarrierDocument>, results: Collection<ResultDocument>) {
  return async (session: ClientSession, { row, begins }: Writing): Promise<FoundRow | null> => {
    const found = await documents.findOne(documentKey(row), { session });
    const own = { _id: documentKey(row) };
    if (found !== null) return toFoundRow(found, await results.findOne(own, { session }));
    await documents.insertOne({ trans_type: row.transType, ...documentKey(row), reason: row.reason }, { session });
    const begun = { result: null, create_time: new Date() };
    if (begins) await results.replaceOne(own, begun, { session, upsert: true });
    return null;
  };
}

function toFoundRow(found: BarrierDocument, result: ResultDocument | null): FoundRow {
  const { gid, branch_id: branchId, op, barrier_id: barrierId, reason } = found;
  const done = result?.result == null ? 'begun' : { result: result.result };
  return { gid, branchId, op, barrierId, reason, work: result === null ? 'unknown' : done };
}

/** The key as a document. The order of its fields matters, because MongoDB compares documents with it. */
function documentKey({ gid, branchId, op, barrierId }: BranchKey): Key {
  return { gid, branch_id: branchId, op, barrier_id: barrierId };
}
