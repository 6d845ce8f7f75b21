/** Every statement on the tables, by name, with explicit columns. Parameters are positional. */
import type { AuditQuery } from '@amends/store';
import type { Dialect } from './dialect.ts';
import type { SqlQuery } from './sql-session.ts';
import {
  auditColumns,
  documentColumns,
  historyColumns,
  type NamedColumns,
  nodeColumns,
  recordColumns,
  type SqlValue,
  specColumns,
  txAlways,
  txIndexed,
  txNames,
} from './tables.ts';

const tx = txNames.join(', ');
const document = documentColumns.names.join(', ');
const node = nodeColumns.names.join(', ');

function insert(table: string, columns: readonly string[]): string {
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
}

/** Parameters: the id of the transaction, then the columns. */
function insertBeside(table: string, { names }: NamedColumns): string {
  return insert(table, ['tx_id', ...names]);
}

/** Columns of a table beside `tx`, joined to it. */
export function selectBeside(table: string, { names }: NamedColumns): string {
  return `SELECT tx.gid, ${names.map((name) => `${table}.${name}`).join(', ')} FROM tx JOIN ${table} ON ${table}.tx_id = tx.id`;
}

function assign({ names }: NamedColumns): string {
  return names.map((name) => `${name} = ?`).join(', ');
}

function equal({ names }: NamedColumns): string {
  return names.map((name) => `${name} IS ?`).join(' AND ');
}

/** What a commit runs, row by row. Each changes one row, or none when its expectation does not hold. */
export const commitStatements = {
  insertTx: `${insert('tx', txNames)} ON CONFLICT (gid) DO NOTHING`,
  /** The comparison of compare-and-swap. Parameters: gid, expected version. */
  findTx: 'SELECT id FROM tx WHERE gid = ? AND version = ?',
  /**
   * Where the columns that indexes know stay as they are, as in the middle of most transactions. They are not assigned, so no
   * index is looked at; should they differ, no row is changed and `updateTx` follows.
   */
  updateTxSteadily: `UPDATE tx SET ${assign(txAlways)} WHERE id = ? AND ${equal(txIndexed)}`,
  updateTx: `UPDATE tx SET ${assign(txIndexed)}, ${assign(txAlways)} WHERE id = ?`,
  insertSpec: insertBeside('spec', specColumns),
  insertHistory: insertBeside('history', historyColumns),
  insertRecord: `${insertBeside('record', recordColumns)} ON CONFLICT (tx_id, kind, key) DO NOTHING`,
  createDocument: `${insert('document', documentColumns.names)} ON CONFLICT (kind, key) DO NOTHING`,
  replaceDocument: 'UPDATE document SET version = ?, content = ? WHERE kind = ? AND key = ? AND version = ?',
  deleteDocument: 'DELETE FROM document WHERE kind = ? AND key = ? AND version = ?',
  insertAudit: insert('audit', auditColumns.names),
} as const;

/** Everything outside of commits. */
export function makeStatements(dialect: Dialect) {
  const some = dialect.gidIn('tx.gid');
  const beside = `tx_id IN (SELECT id FROM tx WHERE ${some})`;
  const due = `due_at IS NOT NULL AND due_at <= ? AND format <= ?
      AND (owner IS NULL
        OR (owner <> ? AND owner NOT IN (SELECT node FROM node WHERE alive_until > ?))
        OR (owner = ? AND NOT (${dialect.gidIn('gid')})))`;
  const isReadable = 'NOT EXISTS (SELECT 1 FROM spec WHERE spec.tx_id = tx.id AND spec.format > ?)';
  const candidates = (condition: string) => `SELECT gid FROM tx WHERE ${condition} ORDER BY due_at LIMIT ?`;
  const claim = (condition: string) =>
    `UPDATE tx SET owner = ?, epoch = epoch + 1, version = version + 1 WHERE ${some} AND ${condition} RETURNING ${tx}`;
  return {
    txs: `SELECT ${tx} FROM tx WHERE ${some}`,
    specs: `${selectBeside('spec', specColumns)} WHERE ${some}`,
    records: `${selectBeside('record', recordColumns)} WHERE ${some} ORDER BY tx.gid, record.kind, record.key`,
    /** Parameters: due before, row format, node, now, node when it gets its own too, gids that it keeps, spec format, limit. */
    claimable: candidates(`${due} AND ${isReadable}`),
    /** Parameters: new owner, gids, then as `claimable` without limit. */
    claim: claim(`${due} AND ${isReadable}`),
    /** Where a page of specs is damaged: without a look at them, and without the parameter for their format. */
    claimableUnseen: candidates(due),
    claimUnseen: claim(due),
    history: `SELECT ${historyColumns.names.map((name) => `history.${name}`).join(', ')} FROM tx JOIN history ON history.tx_id = tx.id
      WHERE tx.gid = ? AND history.seq > ? ORDER BY history.seq LIMIT ?`,
    markTime: 'UPDATE clock SET high_water_ms = ? WHERE high_water_ms < ?',
    /** Parameters: node, name, now, alive until. */
    beat: `${insert('node', nodeColumns.names)}
      ON CONFLICT (node) DO UPDATE SET name = excluded.name, alive_until = excluded.alive_until`,
    forgetDeadNodes: 'DELETE FROM node WHERE alive_until < ?',
    nodes: `SELECT ${node} FROM node WHERE alive_until > ? ORDER BY node`,
    documents: `SELECT ${document} FROM document WHERE kind = ? ORDER BY key`,
    document: `SELECT ${document} FROM document WHERE kind = ? AND key = ?`,
    purgeSpecs: `DELETE FROM spec WHERE ${beside}`,
    purgeRecords: `DELETE FROM record WHERE ${beside}`,
    /** Parameters: gids, how many. */
    purgeHistory: `DELETE FROM history WHERE (tx_id, seq) IN
      (SELECT tx_id, seq FROM history WHERE ${beside} LIMIT ?) RETURNING seq`,
    /** When nothing lies beside it any more. */
    purgeTxs: `DELETE FROM tx WHERE ${some} RETURNING gid`,
  } as const;
}

/** One page of audit rows. */
export function auditQuery(query: AuditQuery): SqlQuery {
  const conditions: string[] = [];
  const parameters: SqlValue[] = [];
  if (query.gid !== undefined) {
    conditions.push('gid = ?');
    parameters.push(query.gid);
  }
  if (query.beforeId !== undefined) {
    conditions.push('id < ?');
    parameters.push(query.beforeId);
  }
  const filter = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const sql = `SELECT id, ${auditColumns.names.join(', ')} FROM audit ${filter} ORDER BY id DESC LIMIT ?`;
  return { sql, parameters: [...parameters, query.limit] };
}
