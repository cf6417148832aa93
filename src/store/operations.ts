/**
 * Each write as data: what its engine is to do, and what its caller is told.
 *
 * @module
 */
import { isPromise, type MaybePromise } from "../base/promises.ts";
import type {
  AtomicResult,
  Entry,
  SetAllResult,
  SetResult,
  SetStatus,
  UpdateResult,
} from "../contract/mod.ts";
import { quote, quoteText } from "../base/messages.ts";
import {
  CodecError,
  KeyNotFoundError,
  VersionConflictError,
} from "../contract/errors.ts";
import type { Operation } from "../engine/operation.ts";
import type {
  Change,
  Check,
  Decide,
  Effect,
  Found,
  Next,
  Origin,
} from "../engine/write.ts";
import type { Eventual, Prepared, Settled, Values } from "../values/values.ts";
import type { AtomicPlan, AtomicWrite } from "./atomic.ts";
import type { PreparedEntry } from "./entries_input.ts";

const NO_CHECKS: readonly Check[] = [];

/** What happens to an entry that is set to a value: nothing, if `equals` says so. */
export function nextOf(
  values: Values,
  kind: string,
  key: string,
  value: Uint8Array,
  origin?: Origin,
): Next | Decide {
  const put = { value, origin };
  if (!values.areCompared) return put;
  return (seen) =>
    seen && values.areEqual(kind, key, seen, value) ? "keep" : put;
}

/** What a write of one entry has in common with others. */
abstract class EntryOperation<T> implements Operation<T> {
  readonly checks: readonly Check[];
  protected readonly values: Values;
  protected readonly kind: string;
  protected readonly key: string;

  /** Takes what encodes, the entry's name, and the version that it must have. */
  constructor(
    values: Values,
    kind: string,
    key: string,
    ifVersion: number | undefined,
  ) {
    this.values = values;
    this.kind = kind;
    this.key = key;
    this.checks = ifVersion === undefined
      ? NO_CHECKS
      : [{ kind, key, version: ifVersion }];
  }

  abstract readonly action: string;
  protected abstract change(): Change;
  abstract done(effects: readonly Effect[], revision: number): T;

  size(): number {
    return 1;
  }

  changes(): Iterable<Change> {
    return [this.change()];
  }

  refused(check: Check, found: Found | undefined): never {
    throw conflictOf(check, found);
  }
}

/** `set`. */
export class SetOperation extends EntryOperation<SetResult> {
  readonly #value: Eventual<Prepared>;

  /** Takes what encodes, the entry's name, the value, and the version it must have. */
  constructor(
    values: Values,
    kind: string,
    key: string,
    value: Eventual<Prepared>,
    ifVersion: number | undefined,
  ) {
    super(values, kind, key, ifVersion);
    this.#value = value;
  }

  get action(): string {
    return `set ${quote(this.kind, this.key)}`;
  }

  get ready(): Promise<unknown> | undefined {
    return this.#value.ready;
  }

  protected change(): Change {
    const { kind, key } = this;
    const { bytes } = this.#value.value;
    return { kind, key, next: nextOf(this.values, kind, key, bytes) };
  }

  done([effect]: readonly Effect[], revision: number): SetResult {
    return setResultOf(effect, revision);
  }
}

/** `update`. */
export class UpdateOperation<Value, Input>
  extends EntryOperation<UpdateResult<Value>> {
  readonly #fn: (value: Value) => Input;
  readonly #initial: Uint8Array | undefined;
  /** What the function returned last. */
  #result: unknown;

  /** Takes what encodes, the entry's name, the function, and what it starts from, encoded. */
  constructor(
    values: Values,
    kind: string,
    key: string,
    fn: (value: Value) => Input,
    initial: Uint8Array | undefined,
  ) {
    super(values, kind, key, undefined);
    this.#fn = fn;
    this.#initial = initial;
  }

  get action(): string {
    return `update ${quote(this.kind, this.key)}`;
  }

  protected change(): Change {
    const { kind, key } = this;
    return { kind, key, next: (seen) => this.#decide(seen) };
  }

  #decide(seen: Uint8Array | undefined): Next {
    const { kind, key, values } = this;
    // A copy each time: a codec may give it away.
    const previous = seen ?? this.#initial?.slice();
    if (!previous) throw new KeyNotFoundError(kind, key);
    const stored = seen && values.areCompared ? seen.slice() : undefined;
    const result = this.#fn(values.decode(kind, key, previous) as Value);
    assertSynchronous("the function", kind, key, result);
    const next = this.#prepare(result);
    assertSynchronous("the schema", kind, key, next);
    this.#result = next.value;
    const decided = nextOf(values, kind, key, next.bytes);
    return typeof decided === "function" ? decided(stored) : decided;
  }

  #prepare(value: unknown): MaybePromise<Prepared> {
    try {
      return this.values.prepare(this.kind, this.key, value);
    } catch (cause) {
      if (value !== undefined || !(cause instanceof CodecError)) throw cause;
      throw new CodecError(
        `Cannot update ${
          quote(this.kind, this.key)
        }: the function returned undefined; return the new value`,
        { cause },
      );
    }
  }

  done([effect]: readonly Effect[], revision: number): UpdateResult<Value> {
    return { ...setResultOf(effect, revision), value: this.#result as Value };
  }
}

/** `delete`. */
export class DeleteOperation<Value>
  extends EntryOperation<Entry<Value> | undefined> {
  /** The value that was there last. */
  #value: unknown;

  get action(): string {
    return `delete ${quote(this.kind, this.key)}`;
  }

  protected change(): Change {
    const { kind, key } = this;
    const next: Decide = (seen) => this.#decide(seen);
    return { kind, key, next, mayRemove: true };
  }

  #decide(seen: Uint8Array | undefined): Next {
    if (!seen) return "keep";
    // First, so that what cannot be told is not lost.
    this.#value = this.values.decode(this.kind, this.key, seen);
    return "remove";
  }

  done(
    [{ version, updatedAt }]: readonly Effect[],
  ): Entry<Value> | undefined {
    if (!updatedAt) return undefined;
    return { key: this.key, value: this.#value as Value, version, updatedAt };
  }
}

/** `setAll`. */
export class SetAllOperation implements Operation<SetAllResult> {
  readonly checks = NO_CHECKS;
  readonly #values: Values;
  readonly #kind: string;
  readonly #entries: Eventual<readonly Settled<PreparedEntry>[]>;

  /** Takes what compares, the kind, and the entries in key order. */
  constructor(
    values: Values,
    kind: string,
    entries: Eventual<readonly Settled<PreparedEntry>[]>,
  ) {
    this.#values = values;
    this.#kind = kind;
    this.#entries = entries;
  }

  get action(): string {
    return `setAll of kind ${quoteText(this.#kind)}`;
  }

  get ready(): Promise<unknown> | undefined {
    return this.#entries.ready;
  }

  size(): number {
    return this.#entries.value.length;
  }

  *changes(): Iterable<Change> {
    const kind = this.#kind;
    for (const { key, value: { bytes } } of this.#entries.value) {
      yield { kind, key, next: nextOf(this.#values, kind, key, bytes) };
    }
  }

  done(effects: readonly Effect[]): SetAllResult {
    const counts = { created: 0, updated: 0, unchanged: 0 };
    for (const { status } of effects) counts[status as SetStatus]++;
    return counts;
  }

  refused(check: Check, found: Found | undefined): never {
    throw conflictOf(check, found);
  }
}

/** The `commit` of an atomic operation. */
export class CommitOperation implements Operation<AtomicResult> {
  readonly action = "commit";
  readonly checks: readonly Check[];
  readonly #values: Values;
  readonly #writes: Eventual<readonly Settled<AtomicWrite>[]>;

  /** Takes what compares, the plan, and its writes. */
  constructor(
    values: Values,
    { checks }: AtomicPlan,
    writes: Eventual<readonly Settled<AtomicWrite>[]>,
  ) {
    this.#values = values;
    this.checks = checks;
    this.#writes = writes;
  }

  get ready(): Promise<unknown> | undefined {
    return this.#writes.ready;
  }

  size(): number {
    return this.#writes.value.length;
  }

  *changes(): Iterable<Change> {
    for (const { kind, key, value } of this.#writes.value) {
      yield {
        kind,
        key,
        next: value ? nextOf(this.#values, kind, key, value.bytes) : "remove",
      };
    }
  }

  done(_effects: readonly Effect[], revision: number): AtomicResult {
    return { ok: true, revision };
  }

  refused(check: Check, found: Found | undefined): AtomicResult {
    return { ok: false, conflict: conflictOf(check, found) };
  }
}

function setResultOf(effect: Effect, revision: number): SetResult {
  return {
    status: effect.status as SetStatus,
    version: effect.version,
    revision: effect.revision ?? revision,
  };
}

function conflictOf(
  { kind, key, version }: Check,
  found: Found | undefined,
): VersionConflictError {
  return new VersionConflictError(kind, key, version, found?.version ?? 0);
}

/** Throws a `TypeError` for a promise, inside a transaction. */
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
