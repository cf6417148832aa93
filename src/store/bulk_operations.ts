/**
 * Writes of several entries as data, with the results for their callers.
 *
 * @module
 */
import type {
  AtomicResult,
  AtomicWriteResult,
  DeleteAllResult,
  SetAllResult,
  SetStatus,
} from "../contract/mod.ts";
import { quoteText } from "../base/messages.ts";
import type { Operation } from "../engine/operation.ts";
import type { Change, Check, Effect, Found } from "../engine/write.ts";
import type { KeyRange } from "../keys/key_range.ts";
import type { Eventual, Settled, Values } from "../values/values.ts";
import type { AtomicPlan, AtomicWrite } from "./atomic.ts";
import type { PreparedEntry } from "./entries_input.ts";
import {
  conflictOf,
  nextOf,
  NO_CHECKS,
  type PutOptions,
} from "./operations.ts";

/** `setAll`. */
export class SetAllOperation implements Operation<SetAllResult> {
  readonly checks = NO_CHECKS;
  readonly #values: Values;
  readonly #kind: string;
  readonly #entries: Eventual<readonly Settled<PreparedEntry>[]>;
  readonly #options: PutOptions;

  /**
   * Takes the functions that compare, the kind, the entries in key order, and
   * how to store them.
   */
  constructor(
    values: Values,
    kind: string,
    entries: Eventual<readonly Settled<PreparedEntry>[]>,
    options: PutOptions,
  ) {
    this.#values = values;
    this.#kind = kind;
    this.#entries = entries;
    this.#options = options;
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
      const next = nextOf(this.#values, kind, key, bytes, this.#options);
      yield { kind, key, next };
    }
  }

  done(effects: readonly Effect[], revision: number): SetAllResult {
    const counts = { created: 0, updated: 0, unchanged: 0 };
    for (const { status } of effects) counts[status as SetStatus]++;
    return { ...counts, revision: lastRevisionOf(effects) ?? revision };
  }

  refused(check: Check, found: Found | undefined): never {
    throw conflictOf(check, found);
  }
}

/** `deleteAll`. */
export class DeleteAllOperation implements Operation<DeleteAllResult> {
  readonly checks = NO_CHECKS;
  readonly isBulk = true;
  readonly #kind: string;
  readonly #range: KeyRange;

  /** Takes the kind, and the keys. */
  constructor(kind: string, range: KeyRange) {
    this.#kind = kind;
    this.#range = range;
  }

  get action(): string {
    return `deleteAll of kind ${quoteText(this.#kind)}`;
  }

  size(): number {
    return 1;
  }

  changes(): Iterable<Change> {
    return [{ kind: this.#kind, range: this.#range }];
  }

  done([effect]: readonly Effect[], revision: number): DeleteAllResult {
    const deleted = effect.count ?? 0;
    return { deleted, revision: deleted > 0 ? effect.revision : revision };
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

  /** Takes the functions that compare, the plan, and its writes. */
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
    for (const { kind, key, value, updating, options } of this.#writes.value) {
      if (updating) yield updating.change;
      else {
        const next = value
          ? nextOf(this.#values, kind, key, value.bytes, options)
          : "remove";
        yield { kind, key, next };
      }
    }
  }

  done(effects: readonly Effect[], revision: number): AtomicResult {
    const results = effects.map((effect, i) =>
      this.#resultOf(this.#writes.value[i], effect, revision)
    );
    return { ok: true, revision: lastRevisionOf(effects) ?? revision, results };
  }

  #resultOf(
    { updating }: Settled<AtomicWrite>,
    { status, version, revision }: Effect,
    newest: number,
  ): AtomicWriteResult {
    const result: AtomicWriteResult = {
      status: status === "removed" ? "deleted" : status,
      version,
      revision: revision || newest,
    };
    if (updating) result.value = updating.result;
    return result;
  }

  refused(check: Check, found: Found | undefined): AtomicResult {
    return { ok: false, conflict: conflictOf(check, found) };
  }
}

/** The revision of the last change; `undefined` if nothing changed. */
function lastRevisionOf(effects: readonly Effect[]): number | undefined {
  return effects.findLast(({ status }) => status !== "unchanged")?.revision;
}
