/**
 * The history of one commit is one row, whose entries only the code reads (`history-code.ts`). Released: never edit, add a
 * migration instead.
 *
 * `seq` is that of the last entry. What was written before has a row for each entry.
 */
export const sql = `
CREATE TABLE history_part (
  tx_id    INTEGER NOT NULL,
  seq      INTEGER NOT NULL CHECK (seq >= 1),
  entries  TEXT    NOT NULL,
  PRIMARY KEY (tx_id, seq)
) STRICT, WITHOUT ROWID;

INSERT INTO history_part (tx_id, seq, entries)
  SELECT tx_id, seq, json_array(1, json_array(seq, at, kind, status, branch_id, op, attempt, outcome, code, duration_ms, detail, actor, trace_id))
  FROM history ORDER BY tx_id, seq;

DROP TABLE history;
ALTER TABLE history_part RENAME TO history;
`;
