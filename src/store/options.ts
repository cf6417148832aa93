/**
 * The options of the contract's operations: how each is read, and what they
 * come to. The defaults are here too. `limit` and `reverse` have none: reads
 * treat an absent `limit` as `Infinity`, and an absent `reverse` as `false`.
 *
 * @module
 */
import type {
  AtomicCheck,
  ChangeType,
  ExportOptions,
  ImportOptions,
  ImportResult,
  OperationOptions,
  RangeOptions,
  RefusedLine,
  UpdateOptions,
  WatchOptions,
  WriteOptions,
} from "../contract/mod.ts";
import { describe, quoteText } from "../base/messages.ts";
import {
  boolean,
  func,
  integerFrom,
  oneOf,
  type OptionsRead,
  type OptionsSpec,
  type Reader,
  readOptions,
  setOf,
  signal,
  unchecked,
} from "../base/options.ts";
import { compareKeys } from "../keys/key_order.ts";
import {
  ALL_KEYS,
  intersect,
  type KeyRange,
  prefixRange,
  singleKey,
} from "../keys/key_range.ts";
import { assertEntryName, assertName, assertText } from "../keys/names.ts";
import type { ImportPlan } from "./transfer/import.ts";
import type { LineParts } from "./transfer/line.ts";

// Readers.

const zeroOrMore = integerFrom(0);

const kindName: Reader<string> = (_action, _name, kind) => {
  assertName("kind", kind);
  return kind;
};

const keyName: Reader<string> = (_action, _name, key) => {
  assertName("key", key);
  return key;
};

/** A part of a key, or a bound of keys. */
const keyText: Reader<string> = (_action, name, text) => {
  assertText(name, text);
  return text;
};

const limit: Reader<number> = (action, name, value) =>
  value === Infinity ? value : zeroOrMore(action, name, value);

// Reads and writes.

/** The options of an operation that can only be cancelled. */
export const OPERATION = { signal } satisfies OptionsSpec<OperationOptions>;

/** The options of `set` and `delete`. */
export const WRITE = {
  ifVersion: zeroOrMore,
  signal,
} satisfies OptionsSpec<WriteOptions>;

/** The options of `update`. */
export const UPDATE = {
  initial: unchecked<unknown>(),
  signal,
} satisfies OptionsSpec<UpdateOptions>;

/** An atomic operation's check as it is at the call; throws unless it is one. */
export function readCheck({ kind, key, version }: AtomicCheck): AtomicCheck {
  assertEntryName(kind, key);
  if (version === undefined) {
    throw new TypeError(
      `Cannot check ${quoteText(key)}: "version" is missing`,
    );
  }
  return { kind, key, version: zeroOrMore("check", "version", version) };
}

// Ranges.

const RANGE = {
  prefix: keyText,
  start: keyText,
  end: keyText,
  limit,
  reverse: boolean,
  where: func<NonNullable<RangeOptions["where"]>>(),
  signal,
} satisfies OptionsSpec<RangeOptions>;

/** What to read of a kind: its options, as they were given. */
export interface Selection<T>
  extends Pick<RangeOptions<T>, "limit" | "reverse" | "where" | "signal"> {
  readonly keys: KeyRange;
}

/** The selection that `options` make; throws on options that make none. */
export function selectionOf<T>(
  action: string,
  options: RangeOptions<T> | undefined,
): Selection<T> {
  const { prefix = "", start = "", end, ...rest } = readOptions(
    action,
    options,
    RANGE,
  );
  if (end !== undefined && compareKeys(start, end) > 0) {
    throw new RangeError(
      `Cannot ${action}: "start" ${quoteText(start)} is after "end" ${
        quoteText(end)
      }`,
    );
  }
  return { ...rest, keys: intersect(prefixRange(prefix), start, end) };
}

// Watches.

const CHANGE_TYPES: readonly ChangeType[] = ["create", "update", "delete"];

const WATCH = {
  initial: boolean,
  types: setOf(oneOf(...CHANGE_TYPES)),
  key: keyName,
  prefix: keyText,
  after: zeroOrMore,
  bufferSize: integerFrom(1),
  bookmarks: boolean,
  persistent: boolean,
  signal,
} satisfies OptionsSpec<WatchOptions>;

/** What a watch is to emit, and how. */
export interface WatchSettings {
  readonly initial: boolean;
  readonly types: ReadonlySet<ChangeType>;
  readonly keys: KeyRange;
  /** Events from now on, if it is absent. */
  readonly after?: number;
  readonly bufferSize: number;
  readonly bookmarks: boolean;
  readonly persistent: boolean;
  readonly signal?: AbortSignal;
}

/** What a watch's options come to; throws on options that make no watch. */
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
    keys: watchedKeys(given),
    after,
    bufferSize: given.bufferSize ?? 128,
    bookmarks: given.bookmarks ?? false,
    persistent: given.persistent ?? true,
    signal: given.signal,
  };
}

function watchedKeys({ key, prefix }: OptionsRead<typeof WATCH>): KeyRange {
  if (key !== undefined && prefix !== undefined) {
    throw new TypeError(
      `Cannot watch: "key" and "prefix" exclude each other; give one of them`,
    );
  }
  if (key !== undefined) return singleKey(key);
  return prefix === undefined ? ALL_KEYS : prefixRange(prefix);
}

// Exports and imports.

const CHOICE = {
  kinds: setOf(kindName),
  versions: boolean,
  times: boolean,
  signal,
} satisfies OptionsSpec<Omit<ExportOptions, "prefix">>;

const EXPORT = {
  ...CHOICE,
  prefix: keyText,
} satisfies OptionsSpec<ExportOptions>;

const IMPORT = {
  ...CHOICE,
  onProgress: func<(soFar: ImportResult) => void>(),
  onRefused: func<(refused: RefusedLine) => void>(),
} satisfies OptionsSpec<ImportOptions>;

/** Which kinds, and which parts of their entries. */
interface Choice extends LineParts, OperationOptions {
  /** All kinds, if it is absent. */
  readonly kinds?: ReadonlySet<string>;
}

/** What an export's options come to; throws on options that make none. */
export function exportPlanOf(
  options: ExportOptions | undefined,
): Choice & { readonly keys: KeyRange } {
  const { prefix = "", ...choice } = readOptions("export", options, EXPORT);
  return { ...choiceOf(choice), keys: prefixRange(prefix) };
}

/** What an import is given; throws if it cannot be imported. */
export function importPlanOf(
  lines: unknown,
  options: ImportOptions | undefined,
): ImportPlan {
  const action = "import";
  if (!(lines instanceof ReadableStream)) {
    throw new TypeError(
      `Cannot ${action}: expected a ReadableStream, received ${
        describe(lines)
      }`,
    );
  }
  const given = readOptions(action, options, IMPORT);
  const { onProgress, onRefused } = given;
  return { ...choiceOf(given), onProgress, onRefused };
}

function choiceOf(
  { kinds, versions = true, times = true, signal }: OptionsRead<typeof CHOICE>,
): Choice {
  return { kinds, versions, times, signal };
}
