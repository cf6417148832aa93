/**
 * Writes of one entry as data, with the results for their callers.
 *
 * @module
 */
import { isPromise, type MaybePromise } from "../base/promises.ts";
import type {
  DeletedEntry,
  SetResult,
  SetStatus,
  UpdateResult,
} from "../contract/mod.ts";
import { quote } from "../base/messages.ts";
import {
  CodecError,
  type EntryCondition,
  KeyNotFoundError,
  VersionConflictError,
} from "../contract/errors.ts";
import type { Operation } from "../engine/operation.ts";
import type {
  Check,
  Decide,
  Effect,
  EntryChange,
  Found,
  Next,
  Put,
} from "../engine/write.ts";
import type { Eventual, Prepared, Values } from "../values/values.ts";

/** The checks of a write without conditions. */
export const NO_CHECKS: readonly Check[] = [];

/** How to store a value. */
export type PutOptions = Pick<Put, "expiresAt" | "origin">;

/**
 * The new state of an entry that is set to a value. If `equals` says that the
 * entry has the value already, the value stays, and only the expiry is set.
 */
export function nextOf(
  values: Values,
  kind: string,
  key: string,
  value: Uint8Array,
  options?: PutOptions,
): Next | Decide {
  const put: Put = {
    value,
    expiresAt: options?.expiresAt,
    origin: options?.origin,
  };
  if (!values.areCompared) return put;
  return (seen) => {
    if (!seen) return put;
    // A copy, because a codec may give its bytes away.
    const isSame = values.areEqual(kind, key, seen.slice(), value);
    return isSame ? { ...put, value: seen } : put;
  };
}

/** The entry to write, and the condition on it. */
export interface EntryTarget {
  readonly kind: string;
  readonly key: string;
  readonly condition?: EntryCondition;
}

/** The common part of all writes of one entry. */
abstract class EntryOperation<T> implements Operation<T> {
  readonly checks: readonly Check[];
  protected readonly values: Values;
  protected readonly kind: string;
  protected readonly key: string;

  /** Takes the codecs, and the entry. */
  constructor(values: Values, { kind, key, condition }: EntryTarget) {
    this.values = values;
    this.kind = kind;
    this.key = key;
    this.checks = condition ? [{ kind, key, ...condition }] : NO_CHECKS;
  }

  abstract readonly action: string;
  protected abstract change(): EntryChange;
  abstract done(effects: readonly Effect[], revision: number): T;

  size(): number {
    return 1;
  }

  changes(): Iterable<EntryChange> {
    return [this.change()];
  }

  refused(check: Check, found: Found | undefined): never {
    throw conflictOf(check, found);
  }
}

/** `set`. */
export class SetOperation extends EntryOperation<SetResult> {
  readonly #value: Eventual<Prepared>;
  readonly #options: PutOptions;

  /** Takes the codecs, the entry, its value, and how to store it. */
  constructor(
    values: Values,
    target: EntryTarget,
    value: Eventual<Prepared>,
    options: PutOptions,
  ) {
    super(values, target);
    this.#value = value;
    this.#options = options;
  }

  get action(): string {
    return `set ${quote(this.kind, this.key)}`;
  }

  get ready(): Promise<unknown> | undefined {
    return this.#value.ready;
  }

  protected change(): EntryChange {
    const { kind, key, values } = this;
    const { bytes } = this.#value.value;
    return { kind, key, next: nextOf(values, kind, key, bytes, this.#options) };
  }

  done([effect]: readonly Effect[]): SetResult {
    return setResultOf(effect);
  }
}

/** The effect of `update` on a value, each time the engine asks. */
export class Updating {
  readonly #values: Values;
  readonly #kind: string;
  readonly #key: string;
  readonly #fn: (value: never) => unknown;
  readonly #initial: Uint8Array | undefined;
  readonly #options: PutOptions;
  /** The last result of the function. */
  #result: unknown;

  /**
   * Takes the codecs, the entry's name, the function, the initial value
   * (encoded), and the expiry of the entry.
   */
  constructor(
    values: Values,
    { kind, key }: EntryTarget,
    fn: (value: never) => unknown,
    initial: Uint8Array | undefined,
    expiresAt: number | undefined,
  ) {
    this.#values = values;
    this.#kind = kind;
    this.#key = key;
    this.#fn = fn;
    this.#initial = initial;
    this.#options = { expiresAt: expiresAt ?? "keep" };
  }

  /** The function's result, as it was written. */
  get result(): unknown {
    return this.#result;
  }

  /** The change. */
  get change(): EntryChange {
    const kind = this.#kind;
    const key = this.#key;
    return { kind, key, next: (seen) => this.#decide(seen) };
  }

  #decide(seen: Uint8Array | undefined): Next {
    const values = this.#values;
    const kind = this.#kind;
    const key = this.#key;
    // A copy each time, because a codec may give its bytes away.
    const previous = seen ?? this.#initial?.slice();
    if (!previous) throw new KeyNotFoundError(kind, key);
    const stored = seen && values.areCompared ? seen.slice() : undefined;
    const result = this.#fn(values.decode(kind, key, previous) as never);
    assertSynchronous("the function", kind, key, result);
    const next = this.#prepare(result);
    assertSynchronous("the schema", kind, key, next);
    this.#result = next.value;
    const decided = nextOf(values, kind, key, next.bytes, this.#options);
    return typeof decided === "function" ? decided(stored) : decided;
  }

  #prepare(value: unknown): MaybePromise<Prepared> {
    const kind = this.#kind;
    const key = this.#key;
    try {
      return this.#values.prepare(kind, key, value);
    } catch (cause) {
      if (value !== undefined || !(cause instanceof CodecError)) throw cause;
      throw new CodecError(
        `Cannot update ${
          quote(kind, key)
        }: the function returned undefined; return the new value`,
        { cause, kind, key },
      );
    }
  }
}

/** `update`. */
export class UpdateOperation<Value>
  extends EntryOperation<UpdateResult<Value>> {
  readonly #updating: Updating;

  /** Takes the codecs, the entry, and the function for its value. */
  constructor(values: Values, target: EntryTarget, updating: Updating) {
    super(values, target);
    this.#updating = updating;
  }

  get action(): string {
    return `update ${quote(this.kind, this.key)}`;
  }

  protected change(): EntryChange {
    return this.#updating.change;
  }

  done([effect]: readonly Effect[]): UpdateResult<Value> {
    return { ...setResultOf(effect), value: this.#updating.result as Value };
  }
}

/** `delete`. */
export class DeleteOperation<Value>
  extends EntryOperation<DeletedEntry<Value> | undefined> {
  /** The last value that was there. */
  #value: unknown;

  get action(): string {
    return `delete ${quote(this.kind, this.key)}`;
  }

  protected change(): EntryChange {
    const { kind, key } = this;
    const next: Decide = (seen) => this.#decide(seen);
    return { kind, key, next, mayRemove: true };
  }

  #decide(seen: Uint8Array | undefined): Next {
    if (!seen) return "keep";
    // It decodes first, so that a value that cannot be returned is not deleted.
    this.#value = this.values.decode(this.kind, this.key, seen);
    return "remove";
  }

  done([effect]: readonly Effect[]): DeletedEntry<Value> | undefined {
    const { version, removed, revision: deleteRevision } = effect;
    if (!removed) return undefined;
    const { revision, updatedAt, expiresAt } = removed;
    const entry: DeletedEntry<Value> = {
      key: this.key,
      value: this.#value as Value,
      version,
      revision,
      updatedAt,
      deleteRevision,
    };
    if (expiresAt !== undefined) entry.expiresAt = new Date(expiresAt);
    return entry;
  }
}

function setResultOf({ status, version, revision }: Effect): SetResult {
  return { status: status as SetStatus, version, revision };
}

/** The error of a condition that did not hold. */
export function conflictOf(
  { kind, key, ...expected }: Check,
  found: Found | undefined,
): VersionConflictError {
  return new VersionConflictError(kind, key, expected, found);
}

/**
 * Throws a `TypeError` if a function inside a transaction returned a promise.
 */
function assertSynchronous<T>(
  what: string,
  kind: string,
  key: string,
  value: MaybePromise<T>,
): asserts value is T {
  if (!isPromise(value)) return;
  throw new TypeError(
    `Cannot update ${
      quote(kind, key)
    }: ${what} returned a promise, and a transaction cannot wait for it; read the entry, then set with ifVersion`,
  );
}
