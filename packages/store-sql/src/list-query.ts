/**
 * Lists of transactions. A page is merged from runs of the index `tx_list`, one for each mode, status and hold that match: each
 * begins where the page begins and ends after as many rows as the page has. So the cost of a page goes by its length, however
 * few rows of the table match.
 */
import { isFinished, modes, type Status, statuses } from '@amends/core';
import type { ListQuery } from '@amends/store';
import type { SqlQuery } from './sql-session.ts';
import { type SqlValue, txNames } from './tables.ts';

const tx = txNames.join(', ');
const newestFirst = 'ORDER BY created_at DESC, gid DESC';

/** One page of a list; asks for one row more than the page has, to know whether there is a next one. */
export function listQuery(query: ListQuery): SqlQuery {
  return mergeRuns(listRuns(query), boundStretch(query), query.limit + 1);
}

/** Conditions on the order of lists. */
interface Stretch {
  readonly conditions: readonly string[];
  readonly parameters: readonly SqlValue[];
}

/** Of two upper ends the nearer one alone, because an index is entered at one. */
function boundStretch({ createdFrom, createdBefore, after }: ListQuery): Stretch {
  const conditions: string[] = [];
  const parameters: SqlValue[] = [];
  if (createdFrom !== undefined) {
    conditions.push('created_at >= ?');
    parameters.push(createdFrom);
  }
  if (after !== undefined && (createdBefore === undefined || after.createdAt < createdBefore)) {
    conditions.push('(created_at, gid) < (?, ?)');
    parameters.push(after.createdAt, after.gid);
  } else if (createdBefore !== undefined) {
    conditions.push('created_at < ?');
    parameters.push(createdBefore);
  }
  return { conditions, parameters };
}

/** What the rows of one run of the index have in common. */
type Run = readonly [mode: string, status: Status, held: 0 | 1];

/** What is finished is never on hold. */
function listRuns({ mode, status, held }: ListQuery): readonly Run[] {
  const holds = ([0, 1] as const).filter((hold) => held === undefined || held === (hold === 1));
  return (mode === undefined ? modes : [mode]).flatMap((oneMode) =>
    (status === undefined ? statuses : [status]).flatMap((oneStatus) =>
      holds.filter((hold) => hold === 0 || !isFinished({ status: oneStatus })).map((hold): Run => [oneMode, oneStatus, hold]),
    ),
  );
}

function mergeRuns(runs: readonly Run[], { conditions, parameters }: Stretch, rows: number): SqlQuery {
  const where = ['mode = ?', 'status = ?', '(hold IS NOT NULL) = ?', ...conditions].join(' AND ');
  const run = `SELECT * FROM (SELECT id, created_at, gid FROM tx WHERE ${where} ${newestFirst} LIMIT ?)`;
  const ids = runs.length === 0 ? 'NULL' : `SELECT id FROM (${runs.map(() => run).join(' UNION ALL ')}) ${newestFirst} LIMIT ?`;
  return {
    sql: `SELECT ${tx} FROM tx WHERE id IN (${ids}) ${newestFirst}`,
    parameters: [...runs.flatMap((one) => [...one, ...parameters, rows]), ...(runs.length === 0 ? [] : [rows])],
  };
}
