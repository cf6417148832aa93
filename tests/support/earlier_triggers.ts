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
