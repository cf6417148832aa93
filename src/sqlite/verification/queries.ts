/**
 * What a verification reads: names and versions by their bytes, with what they are, so
 * that nothing a binding cannot express is taken for something else.
 *
 * @module
 */
import type { SqlValue } from "../driver/driver.ts";
import { VALUE } from "../format/columns.ts";

const raw = (name: "kind" | "key") =>
  `CAST(${name} AS BLOB) AS ${name}, typeof(${name}) AS ${name}Type`;
const rawNumber = (column: string, name = column) =>
  `CAST(${column} AS TEXT) AS ${name}, typeof(${column}) AS ${name}Type`;
const RAW_VERSION = rawNumber("version");

/** Where a verification goes on: from the start; past an entry, in its kind; or past a kind. */
export type Position = "start" | "key" | "kind";

/**
 * The next entries for a verification, by kind and key. Parameters: none from the
 * start, past a key its kind and the key, past a kind that, each as it was
 * read, in a row for which `types` are those of its kind and its key; the limit.
 */
export function selectFoundEntries(
  position: Position,
  types?: { readonly kindType: SqlValue; readonly keyType: SqlValue },
): string {
  const kind = parameter(types?.kindType);
  const key = parameter(types?.keyType);
  const where = {
    start: "",
    key: `WHERE kind = ${kind} AND key > ${key}`,
    kind: `WHERE kind > ${kind}`,
  };
  return `SELECT ${raw("kind")}, ${
    raw("key")
  }, ${VALUE}, ${RAW_VERSION}, updated_at, ${rawNumber("revision")}, ${
    rawNumber("expires_at", "expiresAt")
  }
FROM zestor_kv ${
    where[position]
  } ORDER BY zestor_kv.kind, zestor_kv.key LIMIT ?`;
}

function parameter(type: SqlValue | undefined): string {
  return type === "text" ? "CAST(? AS TEXT)" : "?";
}

/** The next changes for a verification. Parameters: after this revision, the limit. */
export const LIST_FOUND_CHANGES = `SELECT revision, ${raw("kind")}, ${
  raw("key")
}, type, ${RAW_VERSION}, value, previous
FROM zestor_changes WHERE revision > ? ORDER BY revision LIMIT ?`;

/** The value that a change wrote. Parameters: its revision. */
export const GET_CHANGED_VALUE =
  "SELECT value FROM zestor_changes WHERE revision = ?";
