/**
 * The first schema. Released: never edit, add a migration instead.
 *
 * Rows beside a transaction are keyed by its `id`, which grows by one: what belongs to recent transactions lies on few
 * pages, whatever their gids look like, so a batch writes few pages.
 */
export const sql = `
CREATE TABLE tx (
  id           INTEGER NOT NULL PRIMARY KEY,
  gid          TEXT    NOT NULL UNIQUE CHECK (length(gid) BETWEEN 1 AND 128),
  mode         TEXT    NOT NULL,
  created_at   INTEGER NOT NULL CHECK (created_at >= 0),
  finished_at  INTEGER,
  status       TEXT    NOT NULL CHECK (status IN ('prepared', 'submitted', 'aborting', 'succeed', 'failed')),
  hold         TEXT,
  due_at       INTEGER,
  owner        TEXT,
  epoch        INTEGER NOT NULL CHECK (epoch >= 0),
  updated_at   INTEGER NOT NULL CHECK (updated_at >= 0),
  waits_for    TEXT    NOT NULL,
  error_print  TEXT    NOT NULL,
  reason       TEXT    NOT NULL,
  format       INTEGER NOT NULL CHECK (format >= 0),
  state        TEXT    NOT NULL,
  version      INTEGER NOT NULL CHECK (version >= 1),
  CHECK ((finished_at IS NOT NULL) = (status IN ('succeed', 'failed'))),
  CHECK (finished_at IS NULL OR (due_at IS NULL AND hold IS NULL))
) STRICT;

CREATE INDEX tx_due ON tx (due_at, owner) WHERE due_at IS NOT NULL;
CREATE INDEX tx_created ON tx (created_at, gid);
CREATE INDEX tx_status ON tx (status, created_at, gid) WHERE status <> 'succeed';
CREATE INDEX tx_held ON tx (created_at, gid) WHERE hold IS NOT NULL;

CREATE TABLE spec (
  tx_id         INTEGER NOT NULL PRIMARY KEY,
  format        INTEGER NOT NULL CHECK (format >= 0),
  plan          TEXT    NOT NULL,
  presentation  TEXT    NOT NULL,
  payloads      BLOB    NOT NULL,
  digest        TEXT    NOT NULL CHECK (length(digest) = 64)
) STRICT;

CREATE TABLE history (
  tx_id        INTEGER NOT NULL,
  seq          INTEGER NOT NULL CHECK (seq >= 1),
  at           INTEGER NOT NULL,
  kind         TEXT    NOT NULL,
  status       TEXT    NOT NULL,
  branch_id    TEXT,
  op           TEXT,
  attempt      INTEGER,
  outcome      TEXT,
  code         TEXT,
  duration_ms  REAL,
  detail       TEXT,
  actor        TEXT,
  trace_id     TEXT,
  PRIMARY KEY (tx_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE record (
  tx_id    INTEGER NOT NULL,
  kind     TEXT    NOT NULL,
  key      TEXT    NOT NULL,
  content  BLOB    NOT NULL,
  PRIMARY KEY (tx_id, kind, key)
) STRICT;

CREATE TABLE document (
  kind     TEXT    NOT NULL,
  key      TEXT    NOT NULL,
  version  INTEGER NOT NULL CHECK (version >= 1),
  content  TEXT    NOT NULL,
  PRIMARY KEY (kind, key)
) STRICT;

CREATE TABLE audit (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  at      INTEGER NOT NULL,
  gid     TEXT    NOT NULL,
  actor   TEXT    NOT NULL,
  verb    TEXT    NOT NULL,
  reason  TEXT    NOT NULL,
  detail  TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_gid ON audit (gid, id);

CREATE TABLE node (
  node         TEXT    NOT NULL PRIMARY KEY,
  name         TEXT    NOT NULL,
  started_at   INTEGER NOT NULL,
  alive_until  INTEGER NOT NULL
) STRICT;

CREATE TABLE clock (
  one            INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  high_water_ms  INTEGER NOT NULL
) STRICT;

INSERT INTO clock (one, high_water_ms) VALUES (1, 0);
`;
