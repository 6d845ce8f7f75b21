/** Participants with a database in MongoDB, by the driver `mongodb`. Transactions need a replica set. */
import type { ClientSession, Collection, MongoClient } from 'mongodb';
import { type BarrierRow, checkCall, checkCommitted, entrance, givingUp, type TableBarrier } from './barrier-rows.ts';

/** Where the barrier's documents are. */
export interface MongoBarrierOptions {
  /** Default `dtm_barrier`, as in DTM's clients. */
  readonly database?: string;
  /** Default `barrier`. */
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

/**
 * The barrier in MongoDB. Work gets the session of its transaction and must pass it to every operation: what is done without
 * stands outside. `createTable` makes the unique index on which the barrier rests.
 */
export function mongoBarrier(
  client: MongoClient,
  { database = 'dtm_barrier', collection = 'barrier' }: MongoBarrierOptions = {},
): TableBarrier<ClientSession> {
  const documents = client.db(database).collection<BarrierDocument>(collection);
  return {
    async run(call, work, { barrierId = '01' } = {}) {
      checkCall(call, { barrierId });
      return transaction(client, async (session) => {
        const rows = entrance(call, barrierId);
        let step = rows.next();
        while (step.done !== true) step = rows.next(await insert(documents, session, step.value));
        return step.value ? await work(session) : undefined;
      });
    },
    async queryPrepared(call) {
      checkCall(call);
      const row = documentOf(givingUp(call));
      const reason = await transaction(client, async (session) => {
        await insert(documents, session, givingUp(call));
        return (await documents.findOne(keyOf(row), { session }))?.reason ?? null;
      });
      checkCommitted(call.gid, reason);
    },
    async createTable() {
      await documents.createIndex({ gid: 1, branch_id: 1, op: 1, barrier_id: 1 }, { unique: true });
    },
  };
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
async function insert(documents: Collection<BarrierDocument>, session: ClientSession, row: BarrierRow): Promise<boolean> {
  const document = documentOf(row);
  if ((await documents.findOne(keyOf(document), { session })) !== null) return false;
  await documents.insertOne(document, { session });
  return true;
}

function keyOf({ gid, branch_id, op, barrier_id }: BarrierDocument): Omit<BarrierDocument, 'trans_type' | 'reason'> {
  return { gid, branch_id, op, barrier_id };
}

function documentOf({ transType, gid, branchId, op, barrierId, reason }: BarrierRow): BarrierDocument {
  return { trans_type: transType, gid, branch_id: branchId, op, barrier_id: barrierId, reason };
}
