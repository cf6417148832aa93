/**
 * Files of format 2, whose change log has large values, too.
 *
 * @module
 */
import type { Connection } from "../../src/sqlite/driver/driver.ts";
import { TABLES } from "../../src/sqlite/format/tables.ts";
import { connect, fileAt } from "./connect.ts";
import type { TestDriver } from "./drivers.ts";

/** Makes an empty file of format 2, and gives a connection to it. */
export async function createFormat2File(
  driver: TestDriver,
  path: string,
): Promise<Connection & Disposable> {
  const db = await connect(driver, fileAt(path));
  // The tables are the same.
  for (const sql of Object.values(TABLES)) db.exec(sql);
  db.exec(FORMAT_2);
  return db;
}

/** The triggers of format 2, its index, and what it notes. */
const FORMAT_2 = `
CREATE INDEX zestor_expiry ON zestor_kv (expires_at) WHERE expires_at IS NOT NULL;
INSERT INTO zestor_meta VALUES
  ('format', '2'), ('begin', '0'), ('mark', '12345'), ('codec', 'json');
INSERT INTO sqlite_sequence VALUES ('zestor_changes', 0);
CREATE TRIGGER zestor_before_insert BEFORE INSERT ON zestor_kv
WHEN (EXISTS (SELECT 1 FROM zestor_kv WHERE kind = NEW.kind AND key = NEW.key)
  OR EXISTS (SELECT 1 FROM zestor_replaced))
BEGIN
  DELETE FROM zestor_replaced;
  INSERT INTO zestor_replaced
    (kind, key, version, value, revision, updated_at, expires_at)
    SELECT kind, key, version, CAST(value AS BLOB), revision, updated_at, expires_at
    FROM zestor_kv WHERE kind = NEW.kind AND key = NEW.key;
END;
CREATE TRIGGER zestor_insert AFTER INSERT ON zestor_kv
WHEN NOT EXISTS (SELECT 1 FROM zestor_replaced WHERE kind IS NEW.kind AND key IS NEW.key)
BEGIN
  INSERT INTO zestor_changes (kind, key, type, version, value,
    previous, time, mark, expires_at,
    previous_revision, previous_time, previous_expires_at)
    VALUES (NEW.kind, NEW.key, 'create', NEW.version, CAST(NEW.value AS BLOB),
    NULL, NEW.updated_at, random() & 281474976710655, NEW.expires_at, NULL, NULL, NULL);
  UPDATE zestor_kv SET revision = last_insert_rowid()
    WHERE kind = CASE WHEN NEW.revision IS NOT last_insert_rowid() THEN NEW.kind END AND key = NEW.key;
END;
CREATE TRIGGER zestor_replace AFTER INSERT ON zestor_kv
WHEN EXISTS (SELECT 1 FROM zestor_replaced WHERE kind IS NEW.kind AND key IS NEW.key)
BEGIN
  INSERT INTO zestor_replaced
    (kind, key, version, value, revision, updated_at, expires_at)
    VALUES (NEW.kind, NEW.key, NEW.version, CAST(NEW.value AS BLOB),
      NEW.revision, NEW.updated_at, NEW.expires_at);
  UPDATE zestor_kv SET version = (SELECT version FROM zestor_replaced),
      revision = (SELECT revision FROM zestor_replaced)
    WHERE kind = NEW.kind AND key = NEW.key;
END;
CREATE TRIGGER zestor_displace AFTER INSERT ON zestor_replaced
WHEN EXISTS (SELECT 1 FROM zestor_replaced WHERE rowid < NEW.rowid)
BEGIN
  INSERT INTO zestor_changes (kind, key, type, version, value,
    previous, time, mark, expires_at,
    previous_revision, previous_time, previous_expires_at)
    SELECT kind, key, 'update', version + 1, NEW.value,
    value, NEW.updated_at, random() & 281474976710655, NEW.expires_at, revision, updated_at, expires_at
    FROM zestor_replaced
    WHERE rowid < NEW.rowid AND typeof(value) = 'blob' AND (value IS NOT NEW.value
      OR expires_at IS NOT NEW.expires_at);
  UPDATE zestor_changes
    SET type = 'update', version = version + 1, value = NEW.value,
      time = NEW.updated_at, expires_at = NEW.expires_at
    WHERE revision = (SELECT value FROM zestor_replaced WHERE rowid < NEW.rowid)
    AND revision = (SELECT max(revision) FROM zestor_changes);
  INSERT INTO zestor_changes (kind, key, type, version, value,
    previous, time, mark, expires_at,
    previous_revision, previous_time, previous_expires_at)
    SELECT NEW.kind, NEW.key, 'create', NEW.version, NEW.value,
    NULL, NEW.updated_at, random() & 281474976710655, NEW.expires_at, NULL, NULL, NULL
    FROM zestor_replaced WHERE rowid < NEW.rowid AND typeof(value) = 'integer' AND value < (SELECT max(revision) FROM zestor_changes);
  UPDATE zestor_replaced
    SET version = CASE WHEN typeof(value) = 'integer' AND value < (SELECT max(revision) FROM zestor_changes) THEN NEW.version
      ELSE version + (value IS NOT NEW.value
      OR expires_at IS NOT NEW.expires_at) END,
      revision = CASE WHEN typeof(value) = 'integer' AND value < (SELECT max(revision) FROM zestor_changes) THEN last_insert_rowid()
      WHEN typeof(value) = 'integer' THEN value
      WHEN (value IS NOT NEW.value
      OR expires_at IS NOT NEW.expires_at) THEN last_insert_rowid() ELSE revision END
    WHERE rowid < NEW.rowid;
  DELETE FROM zestor_replaced WHERE rowid = NEW.rowid;
END;
CREATE TRIGGER zestor_update AFTER UPDATE OF kind, key, value, expires_at ON zestor_kv
WHEN OLD.kind IS NEW.kind AND OLD.key IS NEW.key AND (OLD.expires_at IS NOT NEW.expires_at OR CAST(OLD.value AS BLOB) IS NOT CAST(NEW.value AS BLOB)) AND NOT (OLD.expires_at IS NOT NULL AND NEW.expires_at IS NULL
    AND EXISTS (SELECT 1 FROM zestor_changes WHERE revision = (SELECT max(revision) FROM zestor_changes)
      AND revision = NEW.revision AND kind = NEW.kind AND key = NEW.key
      AND value IS CAST(NEW.value AS BLOB) AND expires_at IS NULL))
BEGIN
  INSERT INTO zestor_changes (kind, key, type, version, value,
    previous, time, mark, expires_at,
    previous_revision, previous_time, previous_expires_at)
    VALUES (NEW.kind, NEW.key, 'update', OLD.version + 1, CAST(NEW.value AS BLOB),
    CAST(OLD.value AS BLOB), CASE WHEN NEW.updated_at IS OLD.updated_at THEN STRFTIME('%Y-%m-%dT%H:%M:%fZ','now') ELSE NEW.updated_at END, random() & 281474976710655, CASE WHEN OLD.expires_at IS NOT NULL AND NOT OLD.expires_at IS NOT NEW.expires_at
    AND OLD.revision IS NEW.revision AND CAST(OLD.value AS BLOB) IS NOT CAST(NEW.value AS BLOB) THEN NULL ELSE NEW.expires_at END,
    OLD.revision, OLD.updated_at, OLD.expires_at);
  UPDATE zestor_kv SET version = OLD.version + 1, revision = last_insert_rowid()
    WHERE kind = CASE WHEN NEW.version IS NOT OLD.version + 1 OR NEW.revision IS NOT last_insert_rowid() THEN NEW.kind END AND key = NEW.key;
  UPDATE zestor_kv SET expires_at = NULL WHERE kind = CASE WHEN OLD.expires_at IS NOT NULL AND NOT OLD.expires_at IS NOT NEW.expires_at
    AND OLD.revision IS NEW.revision AND CAST(OLD.value AS BLOB) IS NOT CAST(NEW.value AS BLOB) THEN NEW.kind END AND key = NEW.key;
END;
CREATE TRIGGER zestor_keep AFTER UPDATE OF kind, key, value, expires_at ON zestor_kv
WHEN (OLD.version IS NOT NEW.version OR OLD.revision IS NOT NEW.revision)
  AND OLD.kind IS NEW.kind AND OLD.key IS NEW.key AND NOT (OLD.expires_at IS NOT NEW.expires_at OR CAST(OLD.value AS BLOB) IS NOT CAST(NEW.value AS BLOB))
BEGIN
  UPDATE zestor_kv SET version = OLD.version, revision = OLD.revision
    WHERE kind = NEW.kind AND key = NEW.key;
END;
CREATE TRIGGER zestor_delete AFTER DELETE ON zestor_kv
BEGIN
  INSERT INTO zestor_changes (kind, key, type, version, value,
    previous, time, mark, expires_at,
    previous_revision, previous_time, previous_expires_at)
    VALUES (OLD.kind, OLD.key, CASE WHEN OLD.expires_at IS NOT NULL
    AND OLD.expires_at <= CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER) THEN 'expire' ELSE 'delete' END, OLD.version, NULL,
    CAST(OLD.value AS BLOB), STRFTIME('%Y-%m-%dT%H:%M:%fZ','now'), random() & 281474976710655, NULL,
    OLD.revision, OLD.updated_at, OLD.expires_at);
  UPDATE zestor_replaced SET value = (SELECT max(revision) FROM zestor_changes)
    WHERE kind IS OLD.kind AND key IS OLD.key;
END;
CREATE TRIGGER zestor_before_rename BEFORE UPDATE OF kind, key ON zestor_kv
WHEN (OLD.kind IS NOT NEW.kind OR OLD.key IS NOT NEW.key) AND (EXISTS (SELECT 1 FROM zestor_kv WHERE kind = NEW.kind AND key = NEW.key)
  OR EXISTS (SELECT 1 FROM zestor_replaced))
BEGIN
  DELETE FROM zestor_replaced;
  INSERT INTO zestor_replaced
    (kind, key, version, value, revision, updated_at, expires_at)
    SELECT kind, key, version, CAST(value AS BLOB), revision, updated_at, expires_at
    FROM zestor_kv WHERE kind = NEW.kind AND key = NEW.key;
END;
CREATE TRIGGER zestor_rename AFTER UPDATE OF kind, key ON zestor_kv
WHEN (OLD.kind IS NOT NEW.kind OR OLD.key IS NOT NEW.key) AND NOT EXISTS (SELECT 1 FROM zestor_replaced WHERE kind IS NEW.kind AND key IS NEW.key)
BEGIN
  INSERT INTO zestor_changes (kind, key, type, version, value,
    previous, time, mark, expires_at,
    previous_revision, previous_time, previous_expires_at)
    VALUES (OLD.kind, OLD.key, CASE WHEN OLD.expires_at IS NOT NULL
    AND OLD.expires_at <= CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER) THEN 'expire' ELSE 'delete' END, OLD.version, NULL,
    CAST(OLD.value AS BLOB), STRFTIME('%Y-%m-%dT%H:%M:%fZ','now'), random() & 281474976710655, NULL,
    OLD.revision, OLD.updated_at, OLD.expires_at);
  INSERT INTO zestor_changes (kind, key, type, version, value,
    previous, time, mark, expires_at,
    previous_revision, previous_time, previous_expires_at)
    VALUES (NEW.kind, NEW.key, 'create', 1, CAST(NEW.value AS BLOB),
    NULL, CASE WHEN NEW.updated_at IS OLD.updated_at THEN STRFTIME('%Y-%m-%dT%H:%M:%fZ','now') ELSE NEW.updated_at END, random() & 281474976710655, CASE WHEN OLD.expires_at IS NOT NULL AND NOT OLD.expires_at IS NOT NEW.expires_at
    AND OLD.revision IS NEW.revision AND CAST(OLD.value AS BLOB) IS NOT CAST(NEW.value AS BLOB) THEN NULL ELSE NEW.expires_at END, NULL, NULL, NULL);
  UPDATE zestor_kv SET version = 1, revision = last_insert_rowid() WHERE kind = NEW.kind AND key = NEW.key;
  UPDATE zestor_kv SET expires_at = NULL WHERE kind = CASE WHEN OLD.expires_at IS NOT NULL AND NOT OLD.expires_at IS NOT NEW.expires_at
    AND OLD.revision IS NEW.revision AND CAST(OLD.value AS BLOB) IS NOT CAST(NEW.value AS BLOB) THEN NEW.kind END AND key = NEW.key;
END;
CREATE TRIGGER zestor_rename_over AFTER UPDATE OF kind, key ON zestor_kv
WHEN (OLD.kind IS NOT NEW.kind OR OLD.key IS NOT NEW.key) AND EXISTS (SELECT 1 FROM zestor_replaced WHERE kind IS NEW.kind AND key IS NEW.key)
BEGIN
  UPDATE zestor_replaced SET value = 0 WHERE typeof(value) = 'integer' AND value < (SELECT max(revision) FROM zestor_changes);
  INSERT INTO zestor_changes (kind, key, type, version, value,
    previous, time, mark, expires_at,
    previous_revision, previous_time, previous_expires_at)
    SELECT OLD.kind, OLD.key, CASE WHEN OLD.expires_at IS NOT NULL
    AND OLD.expires_at <= CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER) THEN 'expire' ELSE 'delete' END, OLD.version, NULL,
    CAST(OLD.value AS BLOB), STRFTIME('%Y-%m-%dT%H:%M:%fZ','now'), random() & 281474976710655, NULL,
    OLD.revision, OLD.updated_at, OLD.expires_at
    FROM zestor_replaced WHERE typeof(value) = 'blob' OR value = 0;
  INSERT INTO zestor_changes (kind, key, type, version, value,
    previous, time, mark, expires_at,
    previous_revision, previous_time, previous_expires_at)
    SELECT NEW.kind, NEW.key, 'update', version + 1, CAST(NEW.value AS BLOB),
    coalesce((SELECT c.previous FROM zestor_changes AS c
      WHERE c.revision = zestor_replaced.value), value), CASE WHEN NEW.updated_at IS OLD.updated_at THEN STRFTIME('%Y-%m-%dT%H:%M:%fZ','now') ELSE NEW.updated_at END, random() & 281474976710655, CASE WHEN OLD.expires_at IS NOT NULL AND NOT OLD.expires_at IS NOT NEW.expires_at
    AND OLD.revision IS NEW.revision AND CAST(OLD.value AS BLOB) IS NOT CAST(NEW.value AS BLOB) THEN NULL ELSE NEW.expires_at END, revision, updated_at, expires_at
    FROM zestor_replaced WHERE value <> 0 AND (coalesce((SELECT c.previous FROM zestor_changes AS c
      WHERE c.revision = zestor_replaced.value), value) IS NOT CAST(NEW.value AS BLOB)
      OR expires_at IS NOT (CASE WHEN OLD.expires_at IS NOT NULL AND NOT OLD.expires_at IS NOT NEW.expires_at
    AND OLD.revision IS NEW.revision AND CAST(OLD.value AS BLOB) IS NOT CAST(NEW.value AS BLOB) THEN NULL ELSE NEW.expires_at END) OR (OLD.expires_at IS NOT NULL AND NOT OLD.expires_at IS NOT NEW.expires_at
    AND OLD.revision IS NEW.revision AND CAST(OLD.value AS BLOB) IS NOT CAST(NEW.value AS BLOB)));
  INSERT INTO zestor_changes (kind, key, type, version, value,
    previous, time, mark, expires_at,
    previous_revision, previous_time, previous_expires_at)
    SELECT NEW.kind, NEW.key, 'create', 1, CAST(NEW.value AS BLOB),
    NULL, CASE WHEN NEW.updated_at IS OLD.updated_at THEN STRFTIME('%Y-%m-%dT%H:%M:%fZ','now') ELSE NEW.updated_at END, random() & 281474976710655, CASE WHEN OLD.expires_at IS NOT NULL AND NOT OLD.expires_at IS NOT NEW.expires_at
    AND OLD.revision IS NEW.revision AND CAST(OLD.value AS BLOB) IS NOT CAST(NEW.value AS BLOB) THEN NULL ELSE NEW.expires_at END, NULL, NULL, NULL
    FROM zestor_replaced WHERE value = 0;
  UPDATE zestor_kv
    SET version = (SELECT CASE WHEN value = 0 THEN 1
      ELSE version + (coalesce((SELECT c.previous FROM zestor_changes AS c
      WHERE c.revision = zestor_replaced.value), value) IS NOT CAST(NEW.value AS BLOB)
      OR expires_at IS NOT (CASE WHEN OLD.expires_at IS NOT NULL AND NOT OLD.expires_at IS NOT NEW.expires_at
    AND OLD.revision IS NEW.revision AND CAST(OLD.value AS BLOB) IS NOT CAST(NEW.value AS BLOB) THEN NULL ELSE NEW.expires_at END) OR (OLD.expires_at IS NOT NULL AND NOT OLD.expires_at IS NOT NEW.expires_at
    AND OLD.revision IS NEW.revision AND CAST(OLD.value AS BLOB) IS NOT CAST(NEW.value AS BLOB))) END FROM zestor_replaced),
      revision = (SELECT CASE WHEN value = 0 OR (coalesce((SELECT c.previous FROM zestor_changes AS c
      WHERE c.revision = zestor_replaced.value), value) IS NOT CAST(NEW.value AS BLOB)
      OR expires_at IS NOT (CASE WHEN OLD.expires_at IS NOT NULL AND NOT OLD.expires_at IS NOT NEW.expires_at
    AND OLD.revision IS NEW.revision AND CAST(OLD.value AS BLOB) IS NOT CAST(NEW.value AS BLOB) THEN NULL ELSE NEW.expires_at END) OR (OLD.expires_at IS NOT NULL AND NOT OLD.expires_at IS NOT NEW.expires_at
    AND OLD.revision IS NEW.revision AND CAST(OLD.value AS BLOB) IS NOT CAST(NEW.value AS BLOB)))
      THEN last_insert_rowid() ELSE revision END FROM zestor_replaced)
    WHERE kind = NEW.kind AND key = NEW.key;
  UPDATE zestor_kv SET expires_at = NULL WHERE kind = CASE WHEN OLD.expires_at IS NOT NULL AND NOT OLD.expires_at IS NOT NEW.expires_at
    AND OLD.revision IS NEW.revision AND CAST(OLD.value AS BLOB) IS NOT CAST(NEW.value AS BLOB) THEN NEW.kind END AND key = NEW.key;
  UPDATE zestor_changes
    SET kind = OLD.kind, key = OLD.key, type = CASE WHEN OLD.expires_at IS NOT NULL
    AND OLD.expires_at <= CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER) THEN 'expire' ELSE 'delete' END, version = OLD.version,
      previous = CAST(OLD.value AS BLOB), previous_revision = OLD.revision,
      previous_time = OLD.updated_at, previous_expires_at = OLD.expires_at
    WHERE revision = (SELECT value FROM zestor_replaced);
END;`;
