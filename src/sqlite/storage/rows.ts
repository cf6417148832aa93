/**
 * The contents of rows of entries and changes. A row that is damaged, or
 * wrongly written by plain SQL, throws `StoreCorruptError`, so that it is not
 * mistaken for another.
 *
 * @module
 */
import type { ChangeType } from "../../contract/watch.ts";
import { StoreCorruptError } from "../../contract/errors.ts";
import { isInRange, type KeyRange, rangePast } from "../../keys/key_range.ts";
import type {
  EntryState,
  StoredChange,
  StoredEntry,
  StoredValue,
  UnreadableChange,
} from "../../engine/entries.ts";
import type { Row, SqlValue } from "../driver/driver.ts";
import { toDate } from "../format/time.ts";

/** An entry. */
export function toEntry(row: Row): StoredEntry {
  return { key: nameOf(row.key), value: valueOf(row), ...toRest(row) };
}

/** The properties of an entry, besides its key and its value. */
export function toRest(row: Row): Omit<StoredEntry, "key" | "value"> {
  return {
    ...toState(row),
    updatedAt: toDate(row.updated_at),
    expiresAt: expiryOf(row),
  };
}

/** An entry's version and revision. */
export function toState(row: Row): EntryState {
  return { version: versionOf(row), revision: revisionOf(row) };
}

/** A key with its value. */
export function toValue(row: Row): StoredValue {
  return { key: nameOf(row.key), value: valueOf(row) };
}

/**
 * A change, or the reason why it cannot be read. `fileMark` replaces a mark
 * that the log does not have.
 */
export function toChange(
  row: Row,
  fileMark: () => number,
): StoredChange | UnreadableChange {
  const revision = revisionOf(row);
  try {
    return {
      revision,
      mark: row.mark === null ? fileMark() : integerOf("mark", row.mark),
      kind: nameOf(row.kind),
      type: typeOf(row),
      isExpiry: row.type === "expire",
      ...toValue(row),
      version: versionOf(row),
      previous: row.previous instanceof Uint8Array ? row.previous : undefined,
      expiresAt: expiryOf(row),
      time: timeOf(row),
    };
  } catch (error) {
    if (!(error instanceof StoreCorruptError)) throw error;
    return { revision, problem: error };
  }
}

/** The time of a change, if the log has it. */
export function timeOf({ time }: Row): Date | undefined {
  const date = typeof time === "string" ? toDate(time) : undefined;
  return date && !Number.isNaN(date.getTime()) ? date : undefined;
}

/** The last time of a `Date`, in ms since 1970. */
const LAST_TIME = 8.64e15;

/**
 * The column `expires_at`. It is `undefined` if the column is NULL, or later
 * than any `Date`, as plain SQL may write it: then the entry never expires.
 */
export function expiryOf({ expires_at }: Row): number | undefined {
  if (expires_at === null) return undefined;
  const at = integerOf("time of expiry", expires_at);
  return at > LAST_TIME ? undefined : at;
}

/** The type of a change. The log has two types of removals. */
export function typeOf({ type }: Row): ChangeType {
  if (type === "expire") return "delete";
  if (type === "create" || type === "update" || type === "delete") return type;
  throw unreadable(`a change has the type ${type}`);
}

/** A kind or a key. */
export function nameOf(name: SqlValue): string {
  if (typeof name === "string") return name;
  throw unreadable("a kind or a key is no text, or holds a NUL");
}

/** The column `value`. */
export function valueOf(row: Row): Uint8Array {
  return blobOf(row.value);
}

/** A value's bytes. */
export function blobOf(value: SqlValue): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw unreadable("a value is missing");
}

/** The column `revision`. */
export function revisionOf({ revision }: Row): number {
  return integerOf("revision", revision);
}

/** The column `version`. */
export function versionOf({ version }: Row): number {
  return integerOf("version", version);
}

/** A safe integer. `what` is its name in the error. */
export function integerOf(what: string, value: SqlValue): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw unreadable(`a ${what} is ${value}, not a safe integer`);
}

// A page begins after the last row of the previous page. In a damaged tree,
// that row may lead back, and reading would never end.

/** The part of a range after a key that was read in it. */
export function restPast(
  range: KeyRange,
  key: string,
  reverse: boolean,
): KeyRange {
  if (!isInRange(range, key)) throw unreadable("the keys are not in order");
  return rangePast(range, key, reverse);
}

/** Throws unless the changes come in the order of their revisions, after `after`. */
export function assertAscending(
  after: number,
  changes: readonly { readonly revision: number }[],
): void {
  let before = after;
  for (const { revision } of changes) {
    if (revision <= before) throw unreadable("the changes are not in order");
    before = revision;
  }
}

function unreadable(problem: string): StoreCorruptError {
  return new StoreCorruptError(
    `Cannot read what is stored: ${problem}, as plain SQL or damage can make it; find it by verify(), and mend it by SQL`,
  );
}
