/**
 * The options of the contract's operations, with their readers and defaults.
 * `limit` and `reverse` have no defaults here: reads treat an absent `limit` as
 * `Infinity`, and an absent `reverse` as `false`.
 *
 * @module
 */
import type {
  AtomicCheck,
  AtomicUpdateOptions,
  DeleteOptions,
  ExpiryOptions,
  ExportOptions,
  ImportOptions,
  ImportResult,
  KeyRangeOptions,
  OperationOptions,
  RangeOptions,
  RefusedLine,
  SetAllOptions,
  SetOptions,
  SnapshotOptions,
  StoreExportOptions,
  UnreadableOptions,
  UpdateOptions,
  WriteCondition,
} from "../contract/mod.ts";
import type { EntryCondition } from "../contract/errors.ts";
import { describe, quoteText } from "../base/messages.ts";
import {
  boolean,
  func,
  integerFrom,
  isRecord,
  type OptionsRead,
  type OptionsSpec,
  type Reader,
  readOptions,
  setOf,
  signal,
  unchecked,
} from "../base/options.ts";
import type { Check } from "../engine/write.ts";
import { compareKeys } from "../keys/key_order.ts";
import {
  ALL_KEYS,
  intersect,
  type KeyRange,
  prefixRange,
} from "../keys/key_range.ts";
import { assertEntryName, assertName, assertText } from "../keys/names.ts";
import type { ImportPlan } from "./transfer/import.ts";
import type { LineParts } from "./transfer/line.ts";

// Readers.

/** A version, a revision, or a number of things. */
export const zeroOrMore: Reader<number> = integerFrom(0);

const kindName: Reader<string> = (_action, _name, kind) => {
  assertName("kind", kind);
  return kind;
};

/** A part of a key, or a bound of keys. */
export const keyText: Reader<string> = (_action, name, text) => {
  assertText(name, text);
  return text;
};

/** A limit: a number of things, or `Infinity`. */
export const limit: Reader<number> = (action, name, value) =>
  value === Infinity ? value : zeroOrMore(action, name, value);

/** The last time that all engines, and a line of an export, can express. */
const LAST_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * How long an entry lasts. The result is the time at which it expires, in ms
 * since 1970.
 */
const expireIn: Reader<number> = (action, name, value) => {
  if (typeof value === "number" && value > 0) {
    const expiresAt = Date.now() + Math.ceil(value);
    if (expiresAt <= LAST_TIME) return expiresAt;
  }
  throw new RangeError(
    `Cannot ${action}: "${name}" must be a number of milliseconds above 0, up to the year 9999, received ${
      describe(value)
    }; leave it out if the entry does not expire`,
  );
};

/** A function that is called for each value that cannot be read. */
export const onUnreadable = func<
  NonNullable<UnreadableOptions["onUnreadable"]>
>();

// Reads and writes.

/** The options of an operation that has only a `signal`. */
export const OPERATION = { signal } satisfies OptionsSpec<OperationOptions>;

const CONDITION = {
  ifVersion: zeroOrMore,
  ifRevision: zeroOrMore,
} satisfies OptionsSpec<WriteCondition>;

/** The options of `delete`. */
export const DELETE = {
  ...CONDITION,
  signal,
} satisfies OptionsSpec<DeleteOptions>;

/** The options of a write of an atomic operation. */
export const EXPIRY = { expireIn } satisfies OptionsSpec<ExpiryOptions>;

/** The options of `set`. */
export const SET = {
  ...DELETE,
  ...EXPIRY,
} satisfies OptionsSpec<SetOptions>;

/** The options of `setAll`. */
export const SET_ALL = {
  ...EXPIRY,
  signal,
} satisfies OptionsSpec<SetAllOptions>;

/** The options of an atomic operation's `update`. */
export const ATOMIC_UPDATE = {
  initial: unchecked<unknown>(),
  ...EXPIRY,
} satisfies OptionsSpec<AtomicUpdateOptions>;

/** The options of `update`. */
export const UPDATE = {
  ...ATOMIC_UPDATE,
  ...DELETE,
} satisfies OptionsSpec<UpdateOptions>;

/** The options of `snapshot`. */
export const SNAPSHOT = {
  at: zeroOrMore,
  signal,
} satisfies OptionsSpec<SnapshotOptions>;

/** The condition in a write's options. Throws if there are two. */
export function conditionOf(
  action: string,
  { ifVersion, ifRevision }: OptionsRead<typeof CONDITION>,
): EntryCondition | undefined {
  if (ifVersion !== undefined && ifRevision !== undefined) {
    throw new TypeError(
      `Cannot ${action}: "ifVersion" and "ifRevision" exclude each other; give one of them`,
    );
  }
  if (ifVersion !== undefined) return { version: ifVersion };
  return ifRevision === undefined ? undefined : { revision: ifRevision };
}

const CHECK = {
  kind: unchecked<unknown>(),
  key: unchecked<unknown>(),
  version: zeroOrMore,
  revision: zeroOrMore,
  exists: boolean,
} satisfies OptionsSpec<Record<keyof AtomicCheck, unknown>>;

/** Copies a check of an atomic operation. Throws if it is invalid. */
export function readCheck(check: AtomicCheck): Check {
  if (!isRecord(check, ["kind", "key"])) {
    throw new TypeError(
      `Cannot check: expected an object, received ${describe(check)}`,
    );
  }
  const { kind, key, ...given } = readOptions("check", check, CHECK);
  assertEntryName(kind, key);
  const conditions = Object.keys(given);
  if (conditions.length !== 1) {
    throw new TypeError(
      `Cannot check ${
        quoteText(String(key))
      }: expected one of "version", "revision" and "exists", received ${
        conditions.length === 0
          ? "none"
          : conditions.map((name) => `"${name}"`).join(" and ")
      }`,
    );
  }
  return { kind, key, ...given } as Check;
}

// Ranges.

const KEY_RANGE = {
  prefix: keyText,
  start: keyText,
  startAfter: keyText,
  end: keyText,
  signal,
} satisfies OptionsSpec<KeyRangeOptions>;

const RANGE = {
  ...KEY_RANGE,
  limit,
  reverse: boolean,
  where: func<NonNullable<RangeOptions["where"]>>(),
  onUnreadable,
} satisfies OptionsSpec<RangeOptions>;

/** The entries to read of a kind: checked options. */
export interface Selection<T> extends
  Pick<
    RangeOptions<T>,
    "limit" | "reverse" | "where" | "onUnreadable" | "signal"
  > {
  readonly keys: KeyRange;
}

/** Reads the options of a range. Throws if they are invalid. */
export function selectionOf<T>(
  action: string,
  options: RangeOptions<T> | undefined,
): Selection<T> {
  const { prefix, start, startAfter, end, ...rest } = readOptions(
    action,
    options,
    RANGE,
  );
  return { ...rest, keys: keysOf(action, { prefix, start, startAfter, end }) };
}

/**
 * The range of keys that `deleteAll` deletes. Throws if the options are
 * invalid.
 */
export function deletedKeysOf(
  options: KeyRangeOptions | undefined,
): { readonly keys: KeyRange; readonly signal?: AbortSignal } {
  const action = "deleteAll";
  const { signal, ...bounds } = readOptions(action, options, KEY_RANGE);
  return { keys: keysOf(action, bounds), signal };
}

function keysOf(
  action: string,
  { prefix = "", start, startAfter, end }: Omit<KeyRangeOptions, "signal">,
): KeyRange {
  if (start !== undefined && startAfter !== undefined) {
    throw new TypeError(
      `Cannot ${action}: "start" and "startAfter" exclude each other; give one of them`,
    );
  }
  const first = start ?? startAfter ?? "";
  if (end !== undefined && compareKeys(first, end) > 0) {
    throw new RangeError(
      `Cannot ${action}: "${
        startAfter === undefined ? "start" : "startAfter"
      }" ${quoteText(first)} is after "end" ${quoteText(end)}`,
    );
  }
  return intersect(prefixRange(prefix), {
    lower: { key: first, inclusive: startAfter === undefined },
    upper: end === undefined ? undefined : { key: end, inclusive: false },
  });
}

// Exports and imports.

const LINES = {
  kinds: setOf(kindName),
  versions: boolean,
  times: boolean,
  signal,
};

const EXPORT = {
  ...LINES,
  prefix: keyText,
} satisfies OptionsSpec<ExportOptions>;

const STORE_EXPORT = {
  ...EXPORT,
  at: zeroOrMore,
} satisfies OptionsSpec<StoreExportOptions>;

const IMPORT = {
  ...LINES,
  onProgress: func<(soFar: ImportResult) => void>(),
  onRefused: func<(refused: RefusedLine) => void>(),
} satisfies OptionsSpec<ImportOptions>;

/** The entries to export or import, and their parts. */
interface Choice extends LineParts, OperationOptions {
  /** The kinds. Absent: all kinds. */
  readonly kinds?: ReadonlySet<string>;
}

/** The settings of an export. */
export interface ExportChoice extends Choice {
  readonly keys: KeyRange;
  /** The revision to export. Absent: the newest. */
  readonly at?: number;
}

/** Reads the options of a snapshot's export. Throws if they are invalid. */
export function exportChoiceOf(
  options: ExportOptions | undefined,
): ExportChoice {
  return exportedOf(readOptions("export", options, EXPORT));
}

/** Reads the options of a store's export. Throws if they are invalid. */
export function storeExportChoiceOf(
  options: StoreExportOptions | undefined,
): ExportChoice {
  return exportedOf(readOptions("export", options, STORE_EXPORT));
}

function exportedOf(
  { prefix, at, ...given }: OptionsRead<typeof STORE_EXPORT>,
): ExportChoice {
  const keys = prefix === undefined ? ALL_KEYS : prefixRange(prefix);
  return { ...choiceOf(given), keys, at };
}

/** Reads the options of an import. Throws if they are invalid. */
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
  { kinds, versions = true, times = true, signal }: OptionsRead<typeof LINES>,
): Choice {
  return { kinds, versions, times, signal };
}
