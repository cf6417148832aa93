/**
 * The triggers that write the change log, and the check of a file's triggers.
 *
 * They run in the SQLite of every writer, which may be an old version, so their
 * SQL is simple. They have no `ON CONFLICT` clauses, because that of the outer
 * statement would override them (https://sqlite.org/lang_createtrigger.html).
 *
 * @module
 */
import { loggedValue } from "./large_values.ts";

const NEW_ROW = "kind = NEW.kind AND key = NEW.key";
/**
 * The new row, if a condition on the written values holds. If it does not,
 * SQLite looks for no row, so the store's own writes do not pay for it.
 */
const newRowIf = (condition: string) =>
  `kind = CASE WHEN ${condition} THEN NEW.kind END AND key = NEW.key`;
const SAME_KEY = "OLD.kind IS NEW.kind AND OLD.key IS NEW.key";
const OTHER_KEY = "(OLD.kind IS NOT NEW.kind OR OLD.key IS NOT NEW.key)";
// Plain SQL may store text where the store stores bytes.
const OLD_VALUE = "CAST(OLD.value AS BLOB)";
const NEW_VALUE = "CAST(NEW.value AS BLOB)";
const VALUE = "CAST(value AS BLOB)";
const OTHER_VALUE = `${OLD_VALUE} IS NOT ${NEW_VALUE}`;
const OTHER_EXPIRY = "OLD.expires_at IS NOT NEW.expires_at";

const LOG = `INSERT INTO zestor_changes (kind, key, type, version, value,
    previous, time, mark, expires_at,
    previous_revision, previous_time, previous_expires_at)`;
// Inside a trigger, this is the row that the trigger inserted last, even if
// triggers of others inserted rows for it.
const LOGGED = "last_insert_rowid()";
const NEWEST = "(SELECT max(revision) FROM zestor_changes)";
// Only a store sets the revision correctly.
const IS_NEXT = `NEW.revision IS coalesce(${NEWEST}, 0) + 1`;
const INSERTED_VALUE = loggedValue("NEW.value", NEW_VALUE, IS_NEXT);
const UPDATED_VALUE = loggedValue(
  "NEW.value",
  NEW_VALUE,
  `NEW.revision IS NOT OLD.revision AND ${IS_NEXT}`,
);
/** 48 random bits. */
const MARK = "random() & 281474976710655";
// Reading the clock takes a tenth of the time of an insert. So a change gets
// the time that its writer gave the entry, unless the entry had that time
// before. A store gives the same time twice within a ms.
const NOW = "STRFTIME('%Y-%m-%dT%H:%M:%fZ','now')";
const TIME = `CASE WHEN NEW.updated_at IS OLD.updated_at
    AND NOT (NEW.revision IS NOT OLD.revision AND ${IS_NEXT})
    THEN ${NOW} ELSE NEW.updated_at END`;
const NOW_IN_MS =
  "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)";

// A writer that does not know expiry does not set it. The written value must
// not vanish, so the entry then has no expiry. A writer that knows expiry sets
// the revision.
const LEAVES_EXPIRY = `OLD.expires_at IS NOT NULL AND NOT ${OTHER_EXPIRY}
    AND OLD.revision IS NEW.revision AND ${OTHER_VALUE}`;
const NEW_EXPIRY =
  `CASE WHEN ${LEAVES_EXPIRY} THEN NULL ELSE NEW.expires_at END`;
const CLEAR_EXPIRY = `UPDATE zestor_kv SET expires_at = NULL WHERE ${
  newRowIf(LEAVES_EXPIRY)
};`;
// Removing the expiry is itself an update, which the trigger of updates sees.
// The log has it already if its newest change left the entry in this state.
const IS_CLEARED = `(OLD.expires_at IS NOT NULL AND NEW.expires_at IS NULL
    AND EXISTS (SELECT 1 FROM zestor_changes WHERE revision = ${NEWEST}
      AND revision = NEW.revision AND ${NEW_ROW}
      AND CASE typeof(value) WHEN 'integer' THEN ${OLD_VALUE} ELSE value END
        IS ${NEW_VALUE}
      AND expires_at IS NULL))`;

// REPLACE deletes a row between the BEFORE and the AFTER trigger of the row
// that displaces it. So the BEFORE trigger notes the existing row, and removes
// all other notes. The AFTER trigger finds a note of its key only if it
// displaced a row.
//
// With PRAGMA recursive_triggers, REPLACE also runs the delete trigger. That
// trigger logs a deletion, because it cannot know why the row goes. It writes
// the revision of this change into the note, in place of the value. The AFTER
// trigger then converts this change into the one that it would have logged
// itself. It does so only if the change is still the newest, because a trigger
// of others may have added some.
const NOTE_REPLACED = `DELETE FROM zestor_replaced;
  INSERT INTO zestor_replaced
    (kind, key, version, value, revision, updated_at, expires_at)
    SELECT kind, key, version, ${VALUE}, revision, updated_at, expires_at
    FROM zestor_kv WHERE ${NEW_ROW};`;
const HAS_ROW_OR_NOTE = `(EXISTS (SELECT 1 FROM zestor_kv WHERE ${NEW_ROW})
  OR EXISTS (SELECT 1 FROM zestor_replaced))`;
const IS_NOTED =
  "EXISTS (SELECT 1 FROM zestor_replaced WHERE kind IS NEW.kind AND key IS NEW.key)";
const NOTE = "rowid < NEW.rowid";
const IS_OVERTAKEN = `typeof(value) = 'integer' AND value < ${NEWEST}`;
// If a trigger logs more in between, such a note first gets 0 as its value.
const SETTLE_NOTE =
  `UPDATE zestor_replaced SET value = 0 WHERE ${IS_OVERTAKEN};`;
// The previous value. A value of bytes is not a revision.
const REPLACED_VALUE = `coalesce((SELECT c.previous FROM zestor_changes AS c
      WHERE c.revision = zestor_replaced.value), value)`;
const REPLACED = "revision, updated_at, expires_at";
const IS_REPLACED_BY_OTHER = `(value IS NOT NEW.value
      OR expires_at IS NOT NEW.expires_at)`;
const IS_RENAMED_OVER_BY_OTHER = `(${REPLACED_VALUE} IS NOT ${NEW_VALUE}
      OR expires_at IS NOT (${NEW_EXPIRY}) OR (${LEAVES_EXPIRY}))`;

// After its expiry an entry is gone, so its deletion says that it had expired.
const REMOVAL = `CASE WHEN OLD.expires_at IS NOT NULL
    AND OLD.expires_at <= ${NOW_IN_MS} THEN 'expire' ELSE 'delete' END`;
const REMOVED = `OLD.kind, OLD.key, ${REMOVAL}, OLD.version, NULL,
    ${OLD_VALUE}, ${NOW}, ${MARK}, NULL,
    OLD.revision, OLD.updated_at, OLD.expires_at`;
const created = (
  version: string,
  value: string,
  time: string,
  expiry: string,
) =>
  `NEW.kind, NEW.key, 'create', ${version}, ${value},
    NULL, ${time}, ${MARK}, ${expiry}, NULL, NULL, NULL`;
const INSERTED = "NEW.updated_at";

// Triggers of one event run in no defined order. The ones below exclude each
// other by conditions that none of them changes.
const TRIGGERS = {
  zestor_before_insert: `BEFORE INSERT ON zestor_kv
WHEN ${HAS_ROW_OR_NOTE}
BEGIN
  ${NOTE_REPLACED}
END`,
  zestor_insert: `AFTER INSERT ON zestor_kv
WHEN NOT ${IS_NOTED}
BEGIN
  ${LOG}
    VALUES (${
    created("NEW.version", INSERTED_VALUE, INSERTED, "NEW.expires_at")
  });
  UPDATE zestor_kv SET revision = ${LOGGED}
    WHERE ${newRowIf(`NEW.revision IS NOT ${LOGGED}`)};
END`,
  // The trigger below does the work, and leaves version and revision in the
  // note. Each insert pays for the length of its triggers, even if their
  // conditions do not hold, so this one is short.
  zestor_replace: `AFTER INSERT ON zestor_kv
WHEN ${IS_NOTED}
BEGIN
  INSERT INTO zestor_replaced
    (kind, key, version, value, revision, updated_at, expires_at)
    VALUES (NEW.kind, NEW.key, NEW.version, ${NEW_VALUE},
      NEW.revision, NEW.updated_at, NEW.expires_at);
  UPDATE zestor_kv SET version = (SELECT version FROM zestor_replaced),
      revision = (SELECT revision FROM zestor_replaced)
    WHERE ${NEW_ROW};
END`,
  // It finds the new row beside the note of the old row. A given revision
  // cannot be taken back: replacing a row by the same value is an update if its
  // deletion was logged, else it is no change. The trigger does not name
  // zestor_kv, because otherwise nobody could rename a table while zestor_kv is
  // missing.
  zestor_displace: `AFTER INSERT ON zestor_replaced
WHEN EXISTS (SELECT 1 FROM zestor_replaced WHERE ${NOTE})
BEGIN
  ${LOG}
    SELECT kind, key, 'update', version + 1, NEW.value,
    value, ${INSERTED}, ${MARK}, NEW.expires_at, ${REPLACED}
    FROM zestor_replaced
    WHERE ${NOTE} AND typeof(value) = 'blob' AND ${IS_REPLACED_BY_OTHER};
  UPDATE zestor_changes
    SET type = 'update', version = version + 1, value = NEW.value,
      time = ${INSERTED}, expires_at = NEW.expires_at
    WHERE revision = (SELECT value FROM zestor_replaced WHERE ${NOTE})
    AND revision = ${NEWEST};
  ${LOG}
    SELECT ${created("NEW.version", "NEW.value", INSERTED, "NEW.expires_at")}
    FROM zestor_replaced WHERE ${NOTE} AND ${IS_OVERTAKEN};
  UPDATE zestor_replaced
    SET version = CASE WHEN ${IS_OVERTAKEN} THEN NEW.version
      ELSE version + ${IS_REPLACED_BY_OTHER} END,
      revision = CASE WHEN ${IS_OVERTAKEN} THEN ${LOGGED}
      WHEN typeof(value) = 'integer' THEN value
      WHEN ${IS_REPLACED_BY_OTHER} THEN ${LOGGED} ELSE revision END
    WHERE ${NOTE};
  DELETE FROM zestor_replaced WHERE rowid = NEW.rowid;
END`,
  // If the writer did not set version and revision, or set them arbitrarily,
  // they are corrected.
  zestor_update: `AFTER UPDATE OF kind, key, value, expires_at ON zestor_kv
WHEN ${SAME_KEY} AND (${OTHER_EXPIRY} OR ${OTHER_VALUE}) AND NOT ${IS_CLEARED}
BEGIN
  ${LOG}
    VALUES (NEW.kind, NEW.key, 'update', OLD.version + 1, ${UPDATED_VALUE},
    ${OLD_VALUE}, ${TIME}, ${MARK}, ${NEW_EXPIRY},
    OLD.revision, OLD.updated_at, OLD.expires_at);
  UPDATE zestor_kv SET version = OLD.version + 1, revision = ${LOGGED}
    WHERE ${
    newRowIf(
      `NEW.version IS NOT OLD.version + 1 OR NEW.revision IS NOT ${LOGGED}`,
    )
  };
  ${CLEAR_EXPIRY}
END`,
  zestor_keep: `AFTER UPDATE OF kind, key, value, expires_at ON zestor_kv
WHEN (OLD.version IS NOT NEW.version OR OLD.revision IS NOT NEW.revision)
  AND ${SAME_KEY} AND NOT (${OTHER_EXPIRY} OR ${OTHER_VALUE})
BEGIN
  UPDATE zestor_kv SET version = OLD.version, revision = OLD.revision
    WHERE ${NEW_ROW};
END`,
  zestor_delete: `AFTER DELETE ON zestor_kv
BEGIN
  ${LOG}
    VALUES (${REMOVED});
  UPDATE zestor_replaced SET value = ${NEWEST}
    WHERE kind IS OLD.kind AND key IS OLD.key;
END`,
  zestor_before_rename: `BEFORE UPDATE OF kind, key ON zestor_kv
WHEN ${OTHER_KEY} AND ${HAS_ROW_OR_NOTE}
BEGIN
  ${NOTE_REPLACED}
END`,
  zestor_rename: `AFTER UPDATE OF kind, key ON zestor_kv
WHEN ${OTHER_KEY} AND NOT ${IS_NOTED}
BEGIN
  ${LOG}
    VALUES (${REMOVED});
  ${LOG}
    VALUES (${created("1", NEW_VALUE, TIME, NEW_EXPIRY)});
  UPDATE zestor_kv SET version = 1, revision = ${LOGGED} WHERE ${NEW_ROW};
  ${CLEAR_EXPIRY}
END`,
  // Of two changes, the logged one becomes the first.
  zestor_rename_over: `AFTER UPDATE OF kind, key ON zestor_kv
WHEN ${OTHER_KEY} AND ${IS_NOTED}
BEGIN
  ${SETTLE_NOTE}
  ${LOG}
    SELECT ${REMOVED}
    FROM zestor_replaced WHERE typeof(value) = 'blob' OR value = 0;
  ${LOG}
    SELECT NEW.kind, NEW.key, 'update', version + 1, ${NEW_VALUE},
    ${REPLACED_VALUE}, ${TIME}, ${MARK}, ${NEW_EXPIRY}, ${REPLACED}
    FROM zestor_replaced WHERE value <> 0 AND ${IS_RENAMED_OVER_BY_OTHER};
  ${LOG}
    SELECT ${created("1", NEW_VALUE, TIME, NEW_EXPIRY)}
    FROM zestor_replaced WHERE value = 0;
  UPDATE zestor_kv
    SET version = (SELECT CASE WHEN value = 0 THEN 1
      ELSE version + ${IS_RENAMED_OVER_BY_OTHER} END FROM zestor_replaced),
      revision = (SELECT CASE WHEN value = 0 OR ${IS_RENAMED_OVER_BY_OTHER}
      THEN ${LOGGED} ELSE revision END FROM zestor_replaced)
    WHERE ${NEW_ROW};
  ${CLEAR_EXPIRY}
  UPDATE zestor_changes
    SET kind = OLD.kind, key = OLD.key, type = ${REMOVAL}, version = OLD.version,
      previous = ${OLD_VALUE}, previous_revision = OLD.revision,
      previous_time = OLD.updated_at, previous_expires_at = OLD.expires_at
    WHERE revision = (SELECT value FROM zestor_replaced);
END`,
};

/** The SQL text of each trigger by name, as SQLite stores it, in the order of creation. */
export const TRIGGER_SQL: ReadonlyMap<string, string> = new Map(
  Object.entries(TRIGGERS).map((
    [name, body],
  ) => [name, `CREATE TRIGGER ${name} ${body}`]),
);

/** A set of triggers of an earlier version, which also logs every change. */
interface EarlierTriggers {
  /** The names, in the order of creation. */
  readonly names: readonly string[];
  /** The SHA-256 of their SQL texts, with a line feed between them, in hex. */
  readonly hash: string;
}

/**
 * The earlier sets that files may have. A file with one of them gets the
 * current triggers, and keeps its log. If you change a trigger, add the
 * replaced set here.
 */
const EARLIER: readonly EarlierTriggers[] = [
  {
    // The triggers of format 2: the log had large values, too.
    names: [
      "zestor_before_insert",
      "zestor_insert",
      "zestor_replace",
      "zestor_displace",
      "zestor_update",
      "zestor_keep",
      "zestor_delete",
      "zestor_before_rename",
      "zestor_rename",
      "zestor_rename_over",
    ],
    hash: "a0a048a1ad80d0b619d1d71b3b26feabb5e94e66e18a40b066f96b46c147568c",
  },
  {
    // The triggers of format 1: without revisions in entries, marks and expiry.
    names: [
      "zestor_before_insert",
      "zestor_insert",
      "zestor_replace",
      "zestor_displace",
      "zestor_update",
      "zestor_delete",
      "zestor_before_rename",
      "zestor_rename",
      "zestor_rename_over",
    ],
    hash: "31b0a3625b801899cc651438549c78bdc2dfc46459d1d29b44985fbbdd859a6f",
  },
  {
    // With PRAGMA recursive_triggers, a replace was a deletion and a creation.
    names: [
      "zestor_before_insert",
      "zestor_insert",
      "zestor_replace",
      "zestor_update",
      "zestor_before_rename",
      "zestor_rename",
      "zestor_rename_over",
      "zestor_delete",
    ],
    hash: "4261ed6f9ac9926c60ad137f376b55914e8b77df17f2b1958e002d117d2de94b",
  },
];

/** The names of the earlier version's triggers, in order, if a file has them. */
export function earlierTriggers(
  triggers: ReadonlyMap<string, { readonly sql: string }>,
): readonly string[] | undefined {
  return EARLIER.find(({ names, hash }) =>
    names.every((name) => triggers.has(name)) &&
    hashOf(names.map((name) => triggers.get(name)!.sql)) === hash
  )?.names;
}

function hashOf(texts: readonly string[]): string {
  // Importing the module would cost every program 20 ms at its start.
  const { createHash } = globalThis.process.getBuiltinModule("node:crypto");
  return createHash("sha256").update(texts.join("\n")).digest("hex");
}

/** All names that a trigger of a store has or had. */
export const TRIGGER_NAMES: ReadonlySet<string> = new Set([
  ...TRIGGER_SQL.keys(),
  ...EARLIER.flatMap(({ names }) => names),
]);
