/**
 * The options of `watch` and `history`, with their readers.
 *
 * @module
 */
import {
  boolean,
  integerFrom,
  oneOf,
  type OptionsRead,
  type OptionsSpec,
  type Reader,
  readOptions,
  setOf,
  signal,
} from "../base/options.ts";
import { describe } from "../base/messages.ts";
import type {
  ChangeType,
  HistoryOptions,
  UnreadableOptions,
  WatchOptions,
} from "../contract/mod.ts";
import { type Cursor, readCursor } from "../engine/cursor.ts";
import {
  ALL_KEYS,
  type KeyRange,
  prefixRange,
  singleKey,
} from "../keys/key_range.ts";
import { assertName } from "../keys/names.ts";
import { keyText, limit, onUnreadable, zeroOrMore } from "./options.ts";

/** A key. */
export const keyName: Reader<string> = (_action, _name, key) => {
  assertName("key", key);
  return key;
};

const cursor: Reader<Cursor> = (action, name, value) => {
  const read = readCursor(action, name, value);
  zeroOrMore(action, name, read.revision);
  return read;
};

/** The given kinds, each once. Throws unless they are an array of names. */
export function watchedKinds(kinds: unknown): readonly string[] {
  if (!Array.isArray(kinds)) {
    assertName("kind", kinds);
    return [kinds];
  }
  if (kinds.length === 0) {
    throw new TypeError(
      "Cannot watch: expected kinds, received an empty array; watch all kinds by watchAll",
    );
  }
  for (const kind of kinds) assertName("kind", kind);
  return [...new Set<string>(kinds)];
}

// Watches.

const CHANGE_TYPES: readonly ChangeType[] = ["create", "update", "delete"];

const WATCH = {
  initial: boolean,
  types: setOf(oneOf(...CHANGE_TYPES)),
  key: keyName,
  prefix: keyText,
  after: cursor,
  previous: boolean,
  bufferSize: integerFrom(1),
  bookmarks: boolean,
  persistent: boolean,
  onUnreadable,
  signal,
} satisfies OptionsSpec<WatchOptions>;

/** The settings of a watch. */
export interface WatchSettings extends UnreadableOptions {
  readonly initial: boolean;
  readonly types: ReadonlySet<ChangeType>;
  readonly keys: KeyRange;
  /** Absent: events from now on. */
  readonly after?: Cursor;
  readonly previous: boolean;
  readonly bufferSize: number;
  readonly bookmarks: boolean;
  readonly persistent: boolean;
  readonly signal?: AbortSignal;
}

/** Reads the options of a watch. Throws if they are invalid. */
export function watchSettingsOf(
  options: WatchOptions | undefined,
): WatchSettings {
  const given = readOptions("watch", options, WATCH);
  const { initial = false, after } = given;
  if (initial && after !== undefined) {
    throw new TypeError(
      `Cannot watch: "initial" begins anew and "after" resumes; give one of them`,
    );
  }
  return {
    initial,
    types: given.types ?? new Set(CHANGE_TYPES),
    keys: watchedKeys("watch", given),
    after,
    previous: given.previous ?? false,
    bufferSize: given.bufferSize ?? 128,
    bookmarks: given.bookmarks ?? false,
    persistent: given.persistent ?? true,
    onUnreadable: given.onUnreadable,
    signal: given.signal,
  };
}

/** The range of a key or a prefix; all keys if there is neither. */
export function watchedKeys(
  action: string,
  { key, prefix }: Pick<OptionsRead<typeof WATCH>, "key" | "prefix">,
): KeyRange {
  if (key !== undefined && prefix !== undefined) {
    throw new TypeError(
      `Cannot ${action}: "key" and "prefix" exclude each other; give one of them`,
    );
  }
  if (key !== undefined) return singleKey(key);
  return prefix === undefined ? ALL_KEYS : prefixRange(prefix);
}

// The past.

const HISTORY = {
  prefix: keyText,
  after: cursor,
  limit,
  reverse: boolean,
  onUnreadable,
  signal,
} satisfies OptionsSpec<HistoryOptions>;

/** The changes to report. */
export interface HistorySettings extends UnreadableOptions {
  readonly kind: string;
  readonly keys: KeyRange;
  /** Absent: all changes in the log. */
  readonly after?: Cursor;
  readonly limit: number;
  readonly reverse: boolean;
  readonly signal?: AbortSignal;
}

/** Reads the options of `history`. Throws if they are invalid. */
export function historySettingsOf(
  kind: unknown,
  key: unknown,
  options: HistoryOptions | undefined,
): HistorySettings {
  assertName("kind", kind);
  if (key !== undefined && typeof key !== "string") {
    throw new TypeError(
      `Cannot read the history: the key is a string, received ${describe(key)}`,
    );
  }
  if (key !== undefined) assertName("key", key);
  const { prefix, limit = Infinity, reverse = false, ...given } = readOptions(
    "history",
    options,
    HISTORY,
  );
  if (key !== undefined && prefix !== undefined) {
    throw new TypeError(
      `Cannot read the history: a key and "prefix" exclude each other; give one of them`,
    );
  }
  const keys = key !== undefined
    ? singleKey(key)
    : prefix === undefined
    ? ALL_KEYS
    : prefixRange(prefix);
  return { ...given, kind, keys, limit, reverse };
}
