/** The barrier in an SQL database that is reached over a network; Postgres and MySQL differ in a few statements. */
import {
  type Barrier,
  type BarrierRow,
  checkCall,
  checkCommitted,
  entrance,
  givingUp,
  type TableBarrier,
} from './barrier-rows.ts';
import type { BranchRef } from './call.ts';

/** What is particular to a database and its driver. */
export interface SqlDialect<Tx> {
  /**
   * Runs work in one transaction on one connection: committed when it returns, rolled back when it throws. A connection
   * whose state is unknown is not given back.
   */
  transaction<Result>(work: (tx: Tx) => Promise<Result>): Promise<Result>;
  /** Writes a row where there is none of its key. @returns true: it was written */
  insert(tx: Tx, row: BarrierRow): Promise<boolean>;
  /** The reason in the row of the same key; null: there is none. */
  reasonOf(tx: Tx, row: BarrierRow): Promise<string | null>;
  /** Creates the table as DTM has it, where it is missing. */
  createTable(): Promise<void>;
}

/** Where the barrier's table is. */
export interface TableOptions {
  /** The table's name, with its schema or database. Default `dtm_barrier.barrier`, as in DTM's clients. */
  readonly table?: string;
}

/** A table's name that can stand in a statement. @throws TypeError */
export function tableNameOf({ table = 'dtm_barrier.barrier' }: TableOptions): string {
  if (/^[a-z_]\w*(\.[a-z_]\w*)?$/i.test(table)) return table;
  throw new TypeError(`table is ${JSON.stringify(table)}; must be a name such as dtm_barrier.barrier`);
}

/** The barrier by a dialect. */
export function sqlBarrier<Tx>(dialect: SqlDialect<Tx>): TableBarrier<Tx> {
  const run: Barrier<Tx>['run'] = async (call, work, { barrierId = '01' } = {}) => {
    checkCall(call, { barrierId });
    return dialect.transaction(async (tx) => ((await enter(dialect, tx, { call, barrierId })) ? await work(tx) : undefined));
  };
  return {
    run,
    async queryPrepared(call) {
      checkCall(call);
      const row = givingUp(call);
      const reason = await dialect.transaction(async (tx) => {
        await dialect.insert(tx, row);
        return dialect.reasonOf(tx, row);
      });
      checkCommitted(call.gid, reason);
    },
    createTable: () => dialect.createTable(),
  };
}

async function enter<Tx>(
  dialect: SqlDialect<Tx>,
  tx: Tx,
  { call, barrierId }: { readonly call: BranchRef; readonly barrierId: string },
): Promise<boolean> {
  const rows = entrance(call, barrierId);
  let step = rows.next();
  while (step.done !== true) step = rows.next(await dialect.insert(tx, step.value));
  return step.value;
}

/** A row as the values of a statement, in the order of the columns. */
export function valuesOf({ transType, gid, branchId, op, barrierId, reason }: BarrierRow): string[] {
  return [transType, gid, branchId, op, barrierId, reason];
}

/** The key of a row, in the order of the columns. */
export function keyOf({ gid, branchId, op, barrierId }: BarrierRow): string[] {
  return [gid, branchId, op, barrierId];
}
