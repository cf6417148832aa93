/**
 * Errors of writes and of values.
 *
 * @module
 */
import { quote } from "../../base/messages.ts";
import { StoreError } from "./store_error.ts";

/**
 * The store sent a write to be committed, and got no answer. So nobody knows
 * whether the write took effect. The store does not retry it, because it could
 * then take effect twice. Read the entries that it was to change, then decide.
 *
 * @example
 * ```ts
 * import { openStore, UnknownOutcomeError } from "@zestor/store";
 * import { assertEquals } from "@std/assert";
 *
 * await using store = await openStore({ path: ":memory:" });
 * const key = crypto.randomUUID();
 * try {
 *   await store.set("orders", key, "tea", { ifVersion: 0 });
 * } catch (error) {
 *   if (!(error instanceof UnknownOutcomeError)) throw error;
 *   const isThere = await store.has("orders", key);
 *   if (!isThere) await store.set("orders", key, "tea", { ifVersion: 0 });
 * }
 * assertEquals(await store.get("orders", key), "tea");
 * ```
 */
export class UnknownOutcomeError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("UNKNOWN_OUTCOME", message, options);
  }
}

/**
 * A kind, a key, a value, or the number of changes in one write exceeds a limit
 * of the store. The message gives the size and the limit. Nothing of the call
 * was written. A retry does not help: write less at once.
 *
 * @example
 * ```ts
 * import { StoreTooLargeError } from "@zestor/store";
 * import { assertEquals } from "@std/assert";
 *
 * function statusOf(error: unknown): number {
 *   return error instanceof StoreTooLargeError ? 413 : 500;
 * }
 * const error = new StoreTooLargeError("Cannot set: the value is too large");
 * assertEquals(statusOf(error), 413);
 * ```
 */
export class StoreTooLargeError extends StoreError {
  /** Makes the error; `options.cause` is the error behind it, if any. */
  constructor(message: string, options?: ErrorOptions) {
    super("TOO_LARGE", message, options);
  }
}

/**
 * `update` found no entry, and was given no `initial`.
 *
 * @example
 * ```ts
 * import { openStore, KeyNotFoundError } from "@zestor/store";
 * import { assertRejects } from "@std/assert";
 *
 * await using store = await openStore<{ hits: number }>({ path: ":memory:" });
 * await assertRejects(
 *   () => store.update("hits", "home", (n) => n + 1),
 *   KeyNotFoundError,
 * );
 * ```
 */
export class KeyNotFoundError extends StoreError {
  /** The kind. */
  readonly kind: string;
  /** The key, which has no entry. */
  readonly key: string;

  /** Makes the error for a kind and a key. */
  constructor(kind: string, key: string, options?: ErrorOptions) {
    super(
      "KEY_NOT_FOUND",
      `Cannot update ${
        quote(kind, key)
      }: there is no value; set one first, or give "initial"`,
      options,
    );
    this.kind = kind;
    this.key = key;
  }
}

/** The condition on an entry: its version, its revision, or whether it exists. */
export type EntryCondition =
  | { readonly version: number }
  | { readonly revision: number }
  | { readonly exists: boolean };

/** The state of an entry that did not meet a condition. */
export interface FoundEntryState {
  /** The entry's version. */
  readonly version: number;
  /** The revision of its last change. */
  readonly revision: number;
}

/**
 * The entry did not meet the condition of the write. Nothing was written.
 *
 * @example
 * ```ts
 * import { openStore, VersionConflictError } from "@zestor/store";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using store = await openStore({ path: ":memory:" });
 * await store.set("users", "al", "Alice");
 *
 * const error = await assertRejects(
 *   () => store.set("users", "al", "Alicia", { ifVersion: 2 }),
 *   VersionConflictError,
 * );
 * assertEquals([error.expected, error.actual], [2, 1]);
 * ```
 */
export class VersionConflictError extends StoreError {
  /** The entry's kind. */
  readonly kind: string;
  /** The entry's key. */
  readonly key: string;
  /** The property that the condition tested. */
  readonly condition: "version" | "revision" | "exists";
  /** The version or revision asked for, 0 for "must not exist"; or whether it had to exist. */
  readonly expected: number | boolean;
  /** The version or revision found, 0 if the key does not exist; or whether it exists. */
  readonly actual: number | boolean;
  /** The version and revision found; absent if the key does not exist. */
  readonly found?: FoundEntryState;

  /** Makes the error from a kind, a key, the expected state, and the found one. */
  constructor(
    kind: string,
    key: string,
    expected: EntryCondition,
    found: FoundEntryState | undefined,
    options?: ErrorOptions,
  ) {
    const [condition, value, actual] = compared(expected, found);
    super(
      "VERSION_CONFLICT",
      `Cannot write ${quote(kind, key)}: expected ${
        describeState(condition, value)
      }, found ${
        describeState(condition, actual)
      }; read the entry again and retry`,
      options,
    );
    this.kind = kind;
    this.key = key;
    this.condition = condition;
    this.expected = value;
    this.actual = actual;
    if (found) this.found = found;
  }
}

/** One fault that a schema found in a value. */
export interface ValidationIssue {
  /** What is wrong. */
  readonly message: string;
  /** The place in the value: property names and indexes, outermost first. */
  readonly path?: ReadonlyArray<PropertyKey>;
}

/**
 * The kind's schema refused a value. If a write raises this error, nothing of
 * the call was written.
 *
 * @example
 * ```ts
 * import { openStore, ValidationError } from "@zestor/store";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using store = await openStore({
 *   path: ":memory:",
 *   schemas: { ages: (age: number) => age >= 0 },
 * });
 * const error = await assertRejects(
 *   () => store.set("ages", "al", -1),
 *   ValidationError,
 * );
 * assertEquals(error.key, "al");
 * ```
 */
export class ValidationError extends StoreError {
  /** The kind of the value. */
  readonly kind: string;
  /** The key of the value. */
  readonly key: string;
  /** All faults that the schema found. */
  readonly issues: ReadonlyArray<ValidationIssue>;

  /** Makes the error from a schema's issues. */
  constructor(
    kind: string,
    key: string,
    issues: ReadonlyArray<ValidationIssue>,
    options?: ErrorOptions,
  ) {
    super(
      "VALIDATION",
      `Cannot accept the value of ${quote(kind, key)}: ${
        issues.map(describeIssue).join("; ")
      }`,
      options,
    );
    this.kind = kind;
    this.key = key;
    this.issues = issues;
  }
}

/** The entry that a {@linkcode CodecError} concerns. */
export interface CodecErrorOptions extends ErrorOptions {
  /** The entry's kind. */
  kind?: string;
  /** The entry's key. */
  key?: string;
  /** The revision of the change that has the value. */
  revision?: number;
}

/**
 * The kind's codec cannot encode a value, or cannot decode stored bytes.
 *
 * @example
 * ```ts
 * import { openStore, CodecError } from "@zestor/store";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using store = await openStore({ path: ":memory:" });
 * const error = await assertRejects(
 *   () => store.set("sizes", "al", 10n),
 *   CodecError,
 * );
 * assertEquals([error.kind, error.key], ["sizes", "al"]);
 * ```
 */
export class CodecError extends StoreError {
  /** The entry's kind, if the error concerns an entry. */
  readonly kind?: string;
  /** The entry's key, if the error concerns an entry. */
  readonly key?: string;
  /** The revision of the change whose value cannot be read, if that is known. */
  readonly revision?: number;

  /** Makes the error. `options.cause` is the error of the codec. */
  constructor(message: string, options?: CodecErrorOptions) {
    super("CODEC", message, options);
    this.kind = options?.kind;
    this.key = options?.key;
    this.revision = options?.revision;
  }
}

type Compared = [
  condition: VersionConflictError["condition"],
  expected: number | boolean,
  actual: number | boolean,
];

function compared(
  expected: EntryCondition,
  found: FoundEntryState | undefined,
): Compared {
  if ("version" in expected) {
    return ["version", expected.version, found?.version ?? 0];
  }
  return "revision" in expected
    ? ["revision", expected.revision, found?.revision ?? 0]
    : ["exists", expected.exists, found !== undefined];
}

function describeState(condition: string, state: number | boolean): string {
  if (!state) return "no entry";
  return state === true ? "an entry" : `${condition} ${state}`;
}

function describeIssue({ message, path = [] }: ValidationIssue): string {
  const where = path.map(String).join(".");
  return where === "" ? message : `${where}: ${message}`;
}
