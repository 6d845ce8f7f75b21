/** Every statement on the tables, by name, with explicit columns. Parameters are positional. */
import type { AuditQuery } from '@amends/store';
import { auditColumns, historyColumns, recordColumns, type SqlValue, specColumns, txColumns } from './columns.ts';
import type { Dialect } from './dialect.ts';
import type { SqlQuery } from './sql-session.ts';

const [insertedOnly, updatedFully, updatedAlways] = txColumns;
const tx = txColumns.flat().join(', ');

function insert(table: string, columns: readonly string[]): string {
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
}

/** Parameters: gid, then the columns. */
function insertBeside(table: string, columns: readonly string[]): string {
  const values = ['(SELECT id FROM tx WHERE gid = ?)', ...columns.map(() => '?')];
  return `INSERT INTO ${table} (${['tx_id', ...columns].join(', ')}) VALUES (${values.join(', ')})`;
}

function selectBeside(table: string, columns: readonly string[]): string {
  return `SELECT tx.gid, ${columns.map((column) => `${table}.${column}`).join(', ')} FROM tx JOIN ${table} ON ${table}.tx_id = tx.id`;
}

function assign(columns: readonly string[]): string {
  return columns.map((column) => `${column} = ?`).join(', ');
}

/** What a commit runs, row by row. Each changes one row, or none when its expectation does not hold. */
export const commitStatements = {
  insertTx: `${insert('tx', [...insertedOnly, ...updatedFully, ...updatedAlways])} ON CONFLICT (gid) DO NOTHING`,
  /**
   * Where status, hold, due time and owner stay as they are, as in the middle of most transactions. They are not
   * assigned, so no index is looked at; should they differ, no row is changed and `updateTx` follows.
   */
  updateTxSteadily: `UPDATE tx SET ${assign(updatedAlways)}
    WHERE gid = ? AND version = ? AND status = ? AND hold IS ? AND due_at IS ? AND owner IS ?`,
  updateTx: `UPDATE tx SET ${assign([...updatedFully, ...updatedAlways])} WHERE gid = ? AND version = ?`,
  insertSpec: insertBeside('spec', specColumns),
  insertHistory: insertBeside('history', historyColumns),
  insertRecord: `${insertBeside('record', recordColumns)} ON CONFLICT (tx_id, kind, key) DO NOTHING`,
  createDocument: `${insert('document', ['kind', 'key', 'version', 'content'])} ON CONFLICT (kind, key) DO NOTHING`,
  replaceDocument: 'UPDATE document SET version = ?, content = ? WHERE kind = ? AND key = ? AND version = ?',
  deleteDocument: 'DELETE FROM document WHERE kind = ? AND key = ? AND version = ?',
  insertAudit: insert('audit', auditColumns),
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
    history: `${selectBeside('history', historyColumns)} WHERE tx.gid = ? AND history.seq > ? ORDER BY history.seq LIMIT ?`,
    markTime: 'UPDATE clock SET high_water_ms = ? WHERE high_water_ms < ?',
    /** Parameters: node, name, now, alive until. */
    beat: `${insert('node', ['node', 'name', 'started_at', 'alive_until'])}
      ON CONFLICT (node) DO UPDATE SET name = excluded.name, alive_until = excluded.alive_until`,
    forgetDeadNodes: 'DELETE FROM node WHERE alive_until < ?',
    nodes: 'SELECT node, name, started_at, alive_until FROM node WHERE alive_until > ? ORDER BY node',
    documents: 'SELECT kind, key, version, content FROM document WHERE kind = ? ORDER BY key',
    document: 'SELECT kind, key, version, content FROM document WHERE kind = ? AND key = ?',
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
  const sql = `SELECT id, ${auditColumns.join(', ')} FROM audit ${filter} ORDER BY id DESC LIMIT ?`;
  return { sql, parameters: [...parameters, query.limit] };
}
