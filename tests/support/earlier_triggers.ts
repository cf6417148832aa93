/**
 * The triggers of earlier versions, as files have them.
 *
 * @module
 */

/** Those under which a replace with recursive triggers was a delete and a create. */
export const SPLIT_REPLACES =
  `CREATE TRIGGER zestor_before_insert BEFORE INSERT ON zestor_kv
WHEN EXISTS (SELECT 1 FROM zestor_kv WHERE kind = NEW.kind AND key = NEW.key)
BEGIN
  DELETE FROM zestor_replaced;
  INSERT INTO zestor_replaced (kind, key, version, value)
    SELECT kind, key, version, CAST(value AS BLOB) FROM zestor_kv WHERE kind = NEW.kind AND key = NEW.key;
END;
CREATE TRIGGER zestor_insert AFTER INSERT ON zestor_kv
WHEN NOT EXISTS (SELECT 1 FROM zestor_replaced WHERE kind IS NEW.kind AND key IS NEW.key)
BEGIN
  INSERT INTO zestor_changes (kind, key, type, version, value, previous)
    VALUES (NEW.kind, NEW.key, 'create', NEW.version, CAST(NEW.value AS BLOB), NULL);
END;
CREATE TRIGGER zestor_replace AFTER INSERT ON zestor_kv
WHEN EXISTS (SELECT 1 FROM zestor_replaced WHERE kind IS NEW.kind AND key IS NEW.key)
BEGIN
  INSERT INTO zestor_changes (kind, key, type, version, value, previous)
    SELECT NEW.kind, NEW.key, 'update', version + 1, CAST(NEW.value AS BLOB), value
    FROM zestor_replaced WHERE value IS NOT CAST(NEW.value AS BLOB);
  UPDATE zestor_kv
    SET version = (SELECT version + (value IS NOT CAST(NEW.value AS BLOB)) FROM zestor_replaced)
    WHERE kind = NEW.kind AND key = NEW.key;
END;
CREATE TRIGGER zestor_update AFTER UPDATE OF kind, key, value ON zestor_kv
WHEN OLD.kind IS NEW.kind AND OLD.key IS NEW.key
  AND (CAST(OLD.value AS BLOB) IS NOT CAST(NEW.value AS BLOB) OR OLD.version IS NOT NEW.version)
BEGIN
  INSERT INTO zestor_changes (kind, key, type, version, value, previous)
    SELECT NEW.kind, NEW.key, 'update', OLD.version + 1, CAST(NEW.value AS BLOB), CAST(OLD.value AS BLOB)
    WHERE CAST(OLD.value AS BLOB) IS NOT CAST(NEW.value AS BLOB);
  UPDATE zestor_kv SET version = OLD.version + (CAST(OLD.value AS BLOB) IS NOT CAST(NEW.value AS BLOB))
    WHERE kind = NEW.kind AND key = NEW.key
    AND version IS NOT OLD.version + (CAST(OLD.value AS BLOB) IS NOT CAST(NEW.value AS BLOB));
END;
CREATE TRIGGER zestor_before_rename BEFORE UPDATE OF kind, key ON zestor_kv
WHEN (OLD.kind IS NOT NEW.kind OR OLD.key IS NOT NEW.key) AND EXISTS (SELECT 1 FROM zestor_kv WHERE kind = NEW.kind AND key = NEW.key)
BEGIN
  DELETE FROM zestor_replaced;
  INSERT INTO zestor_replaced (kind, key, version, value)
    SELECT kind, key, version, CAST(value AS BLOB) FROM zestor_kv WHERE kind = NEW.kind AND key = NEW.key;
END;
CREATE TRIGGER zestor_rename AFTER UPDATE OF kind, key ON zestor_kv
WHEN (OLD.kind IS NOT NEW.kind OR OLD.key IS NOT NEW.key) AND NOT EXISTS (SELECT 1 FROM zestor_replaced WHERE kind IS NEW.kind AND key IS NEW.key)
BEGIN
  INSERT INTO zestor_changes (kind, key, type, version, value, previous)
    VALUES (OLD.kind, OLD.key, 'delete', OLD.version, NULL, CAST(OLD.value AS BLOB));
  DELETE FROM zestor_replaced WHERE kind IS OLD.kind AND key IS OLD.key;
  INSERT INTO zestor_changes (kind, key, type, version, value, previous)
    VALUES (NEW.kind, NEW.key, 'create', 1, CAST(NEW.value AS BLOB), NULL);
  UPDATE zestor_kv SET version = 1 WHERE kind = NEW.kind AND key = NEW.key;
END;
CREATE TRIGGER zestor_rename_over AFTER UPDATE OF kind, key ON zestor_kv
WHEN (OLD.kind IS NOT NEW.kind OR OLD.key IS NOT NEW.key) AND EXISTS (SELECT 1 FROM zestor_replaced WHERE kind IS NEW.kind AND key IS NEW.key)
BEGIN
  INSERT INTO zestor_changes (kind, key, type, version, value, previous)
    VALUES (OLD.kind, OLD.key, 'delete', OLD.version, NULL, CAST(OLD.value AS BLOB));
  DELETE FROM zestor_replaced WHERE kind IS OLD.kind AND key IS OLD.key;
  INSERT INTO zestor_changes (kind, key, type, version, value, previous)
    SELECT NEW.kind, NEW.key, 'update', version + 1, CAST(NEW.value AS BLOB), value
    FROM zestor_replaced WHERE value IS NOT CAST(NEW.value AS BLOB);
  UPDATE zestor_kv
    SET version = (SELECT version + (value IS NOT CAST(NEW.value AS BLOB)) FROM zestor_replaced)
    WHERE kind = NEW.kind AND key = NEW.key;
END;
CREATE TRIGGER zestor_delete AFTER DELETE ON zestor_kv
BEGIN
  INSERT INTO zestor_changes (kind, key, type, version, value, previous)
    VALUES (OLD.kind, OLD.key, 'delete', OLD.version, NULL, CAST(OLD.value AS BLOB));
  DELETE FROM zestor_replaced WHERE kind IS OLD.kind AND key IS OLD.key;
END;`;

/** Those of format 1, which know neither revisions of entries, nor marks, nor expiry. */
export const FORMAT_1 =
  `CREATE TRIGGER zestor_before_insert BEFORE INSERT ON zestor_kv
WHEN (EXISTS (SELECT 1 FROM zestor_kv WHERE kind = NEW.kind AND key = NEW.key)
  OR EXISTS (SELECT 1 FROM zestor_replaced))
BEGIN
  DELETE FROM zestor_replaced;
  INSERT INTO zestor_replaced (kind, key, version, value)
    SELECT kind, key, version, CAST(value AS BLOB) FROM zestor_kv WHERE kind = NEW.kind AND key = NEW.key;
END;
CREATE TRIGGER zestor_insert AFTER INSERT ON zestor_kv
WHEN NOT EXISTS (SELECT 1 FROM zestor_replaced WHERE kind IS NEW.kind AND key IS NEW.key)
BEGIN
  INSERT INTO zestor_changes (kind, key, type, version, value, previous)
    VALUES (NEW.kind, NEW.key, 'create', NEW.version, CAST(NEW.value AS BLOB), NULL);
END;
CREATE TRIGGER zestor_replace AFTER INSERT ON zestor_kv
WHEN EXISTS (SELECT 1 FROM zestor_replaced WHERE kind IS NEW.kind AND key IS NEW.key)
BEGIN
  INSERT INTO zestor_replaced (kind, key, version, value)
    VALUES (NEW.kind, NEW.key, NEW.version, CAST(NEW.value AS BLOB));
  UPDATE zestor_kv SET version = (SELECT version FROM zestor_replaced)
    WHERE kind = NEW.kind AND key = NEW.key;
END;
CREATE TRIGGER zestor_displace AFTER INSERT ON zestor_replaced
WHEN EXISTS (SELECT 1 FROM zestor_replaced WHERE rowid < NEW.rowid)
BEGIN
  INSERT INTO zestor_changes (kind, key, type, version, value, previous)
    SELECT kind, key, 'update', version + 1, NEW.value, value
    FROM zestor_replaced
    WHERE rowid < NEW.rowid AND typeof(value) = 'blob' AND value IS NOT NEW.value;
  UPDATE zestor_changes
    SET type = 'update', version = version + 1, value = NEW.value
    WHERE revision = (SELECT value FROM zestor_replaced WHERE rowid < NEW.rowid)
    AND revision = (SELECT max(revision) FROM zestor_changes);
  INSERT INTO zestor_changes (kind, key, type, version, value, previous)
    SELECT kind, key, 'create', NEW.version, NEW.value, NULL
    FROM zestor_replaced WHERE rowid < NEW.rowid AND typeof(value) = 'integer' AND value < (SELECT max(revision) FROM zestor_changes);
  UPDATE zestor_replaced
    SET version = CASE WHEN typeof(value) = 'integer' AND value < (SELECT max(revision) FROM zestor_changes) THEN NEW.version
      ELSE version + (value IS NOT NEW.value) END
    WHERE rowid < NEW.rowid;
  DELETE FROM zestor_replaced WHERE rowid = NEW.rowid;
END;
CREATE TRIGGER zestor_update AFTER UPDATE OF kind, key, value ON zestor_kv
WHEN OLD.kind IS NEW.kind AND OLD.key IS NEW.key
  AND (CAST(OLD.value AS BLOB) IS NOT CAST(NEW.value AS BLOB) OR OLD.version IS NOT NEW.version)
BEGIN
  INSERT INTO zestor_changes (kind, key, type, version, value, previous)
    SELECT NEW.kind, NEW.key, 'update', OLD.version + 1, CAST(NEW.value AS BLOB), CAST(OLD.value AS BLOB)
    WHERE CAST(OLD.value AS BLOB) IS NOT CAST(NEW.value AS BLOB);
  UPDATE zestor_kv SET version = OLD.version + (CAST(OLD.value AS BLOB) IS NOT CAST(NEW.value AS BLOB))
    WHERE kind = NEW.kind AND key = NEW.key
    AND version IS NOT OLD.version + (CAST(OLD.value AS BLOB) IS NOT CAST(NEW.value AS BLOB));
END;
CREATE TRIGGER zestor_delete AFTER DELETE ON zestor_kv
BEGIN
  INSERT INTO zestor_changes (kind, key, type, version, value, previous)
    VALUES (OLD.kind, OLD.key, 'delete', OLD.version, NULL, CAST(OLD.value AS BLOB));
  UPDATE zestor_replaced SET value = (SELECT max(revision) FROM zestor_changes)
    WHERE kind IS OLD.kind AND key IS OLD.key;
END;
CREATE TRIGGER zestor_before_rename BEFORE UPDATE OF kind, key ON zestor_kv
WHEN (OLD.kind IS NOT NEW.kind OR OLD.key IS NOT NEW.key) AND (EXISTS (SELECT 1 FROM zestor_kv WHERE kind = NEW.kind AND key = NEW.key)
  OR EXISTS (SELECT 1 FROM zestor_replaced))
BEGIN
  DELETE FROM zestor_replaced;
  INSERT INTO zestor_replaced (kind, key, version, value)
    SELECT kind, key, version, CAST(value AS BLOB) FROM zestor_kv WHERE kind = NEW.kind AND key = NEW.key;
END;
CREATE TRIGGER zestor_rename AFTER UPDATE OF kind, key ON zestor_kv
WHEN (OLD.kind IS NOT NEW.kind OR OLD.key IS NOT NEW.key) AND NOT EXISTS (SELECT 1 FROM zestor_replaced WHERE kind IS NEW.kind AND key IS NEW.key)
BEGIN
  INSERT INTO zestor_changes (kind, key, type, version, value, previous)
    VALUES (OLD.kind, OLD.key, 'delete', OLD.version, NULL, CAST(OLD.value AS BLOB));
  INSERT INTO zestor_changes (kind, key, type, version, value, previous)
    VALUES (NEW.kind, NEW.key, 'create', 1, CAST(NEW.value AS BLOB), NULL);
  UPDATE zestor_kv SET version = 1 WHERE kind = NEW.kind AND key = NEW.key;
END;
CREATE TRIGGER zestor_rename_over AFTER UPDATE OF kind, key ON zestor_kv
WHEN (OLD.kind IS NOT NEW.kind OR OLD.key IS NOT NEW.key) AND EXISTS (SELECT 1 FROM zestor_replaced WHERE kind IS NEW.kind AND key IS NEW.key)
BEGIN
  UPDATE zestor_replaced SET value = 0 WHERE typeof(value) = 'integer' AND value < (SELECT max(revision) FROM zestor_changes);
  INSERT INTO zestor_changes (kind, key, type, version, value, previous)
    SELECT OLD.kind, OLD.key, 'delete', OLD.version, NULL, CAST(OLD.value AS BLOB)
    FROM zestor_replaced WHERE typeof(value) = 'blob' OR value = 0;
  INSERT INTO zestor_changes (kind, key, type, version, value, previous)
    SELECT NEW.kind, NEW.key, 'update', version + 1, CAST(NEW.value AS BLOB), coalesce((SELECT c.previous FROM zestor_changes AS c
      WHERE c.revision = zestor_replaced.value), value)
    FROM zestor_replaced
    WHERE value <> 0 AND coalesce((SELECT c.previous FROM zestor_changes AS c
      WHERE c.revision = zestor_replaced.value), value) IS NOT CAST(NEW.value AS BLOB);
  INSERT INTO zestor_changes (kind, key, type, version, value, previous)
    SELECT NEW.kind, NEW.key, 'create', 1, CAST(NEW.value AS BLOB), NULL
    FROM zestor_replaced WHERE value = 0;
  UPDATE zestor_kv
    SET version = (SELECT CASE WHEN value = 0 THEN 1
      ELSE version + (coalesce((SELECT c.previous FROM zestor_changes AS c
      WHERE c.revision = zestor_replaced.value), value) IS NOT CAST(NEW.value AS BLOB)) END
      FROM zestor_replaced)
    WHERE kind = NEW.kind AND key = NEW.key;
  UPDATE zestor_changes
    SET kind = OLD.kind, key = OLD.key, version = OLD.version, previous = CAST(OLD.value AS BLOB)
    WHERE revision = (SELECT value FROM zestor_replaced);
END;`;
