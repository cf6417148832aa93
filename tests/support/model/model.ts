/**
 * What a store should do, in the simplest way: one operation after the other,
 * on a map.
 *
 * @module
 */
import { compareKeys } from "../../../src/keys/key_order.ts";
import type { RawEntry } from "../raw_file.ts";
import type { Change } from "../watches/watch_validators.ts";
import {
  type Keys,
  lastingOf,
  type Operation,
  type Outcome,
  type Range,
  type ReadOperation,
  Refusal,
  REFUSED,
  type Step,
  updated,
  type Updating,
  type Value,
  type WriteOperation,
} from "./operations.ts";

/** An entry of the model. */
export interface Entry {
  value: Value;
  version: number;
  /** That of its last change. */
  revision: number;
  /** How long it lasts, as `lastingOf` tells; absent if it does not expire. */
  lasts?: number;
}

/** An entry's name, and what the entry must be. */
interface Condition {
  kind: string;
  key: string;
  version?: number;
  revision?: number;
  exists?: boolean;
}

/** What a write did to an entry. */
interface Effect {
  status: "created" | "updated" | "unchanged" | "deleted";
  version: number;
  revision: number;
  value?: Value;
}

/** A write that does nothing, with what its caller is told. */
class Failed extends Error {
  readonly outcome: Outcome;

  constructor(outcome: Outcome) {
    super("A write failed");
    this.outcome = outcome;
  }
}

/** The model of a store's contents. */
export class Model {
  /** Every change, by revision, as far as it is remembered. */
  readonly changes: Change[] = [];
  /** The last revision of each operation that changed something. */
  readonly commits: Set<number>;
  /** The newest revision. */
  revision: number;
  readonly #kinds = new Map<string, Map<string, Entry>>();
  /** The keys of a kind in order, until one comes or goes. */
  readonly #sortedKeys = new Map<string, string[]>();
  /** Takes back what the write that is being done has changed, last to first. */
  #undo: (() => void)[] = [];

  /** Takes the revision of a store that is empty. */
  constructor(revision = 0) {
    this.revision = revision;
    this.commits = new Set([revision]);
  }

  /** Does an operation, and tells what should come of it. */
  apply(operation: Operation): Outcome {
    const outcome = this.#apply(operation);
    this.commits.add(this.revision);
    return outcome;
  }

  /** Forgets the changes that did not make an entry what it is now. */
  forget(): void {
    const last = new Map<string, Change>();
    for (const change of this.changes.splice(0)) {
      const id = `${change.kind}/${change.key}`;
      last.delete(id);
      if (change.type !== "delete") last.set(id, change);
    }
    this.changes.push(...last.values());
    this.commits.clear();
    this.commits.add(this.revision);
  }

  /** Lets an entry expire. */
  expire(kind: string, key: string): void {
    this.#delete(kind, key);
    this.commits.add(this.revision);
  }

  /** The revision of an entry's last change; 0 if there is none. */
  revisionOf(kind: string, key: string): number {
    return this.#entry(kind, key)?.revision ?? 0;
  }

  #apply(operation: Operation): Outcome {
    switch (operation.do) {
      case "set":
      case "setAll":
      case "update":
      case "delete":
      case "deleteAll":
      case "atomic":
        return this.#transaction(() => this.#write(operation));
      default:
        return { result: this.#read(operation) };
    }
  }

  // Writes.

  /** Does all of a write, or nothing. */
  #transaction(write: () => unknown): Outcome {
    this.#undo = [];
    try {
      return { result: write() };
    } catch (error) {
      for (const undo of this.#undo.splice(0).reverse()) undo();
      if (error instanceof Failed) return error.outcome;
      if (error instanceof Refusal) return { error: error.name };
      throw error;
    }
  }

  #write(operation: WriteOperation): unknown {
    switch (operation.do) {
      case "set": {
        this.#assertCondition(operation);
        const { kind, key, value, expireIn } = operation;
        return this.#set(kind, key, value, expireIn);
      }
      case "setAll":
        return this.#setAll(operation);
      case "update":
        this.#assertCondition(operation);
        return this.#update(operation);
      case "delete": {
        this.#assertCondition(operation);
        const { kind, key } = operation;
        const entry = this.#entry(kind, key);
        this.#delete(kind, key);
        return entry && { key, ...entry, deleteRevision: this.revision };
      }
      case "deleteAll": {
        const deleted = this.#select(operation.kind, operation.keys);
        for (const [key] of deleted) this.#delete(operation.kind, key);
        return { deleted: deleted.length, revision: this.revision };
      }
      case "atomic":
        return this.#atomic(operation.steps);
    }
  }

  #assertCondition(
    { kind, key, ifVersion, ifRevision }: {
      kind: string;
      key: string;
      ifVersion?: number;
      ifRevision?: number;
    },
  ): void {
    if (ifVersion === undefined && ifRevision === undefined) return;
    const condition = { kind, key, version: ifVersion, revision: ifRevision };
    const conflict = this.#conflict(condition);
    if (conflict) throw new Failed(conflict);
  }

  #conflict({ kind, key, ...expected }: Condition): Outcome | undefined {
    const entry = this.#entry(kind, key);
    const { version = 0, revision = 0 } = entry ?? {};
    const actual = { version, revision, exists: entry !== undefined };
    for (const condition of ["version", "revision", "exists"] as const) {
      if (expected[condition] === undefined) continue;
      if (expected[condition] === actual[condition]) return undefined;
      const details = {
        condition,
        expected: expected[condition],
        actual: actual[condition],
        found: entry && { version, revision },
      };
      return { error: "VersionConflictError", details };
    }
  }

  #setAll(
    { kind, entries, expireIn }: WriteOperation & { do: "setAll" },
  ): unknown {
    const counts = { created: 0, updated: 0, unchanged: 0 };
    const last = [...new Map(entries)].sort(([a], [b]) => compareKeys(a, b));
    for (const [key, value] of last) {
      counts[this.#set(kind, key, value, expireIn).status]++;
    }
    return { ...counts, revision: this.revision };
  }

  #update(
    operation: { kind: string; key: string } & Updating,
  ): Effect {
    const { kind, key, initial, expireIn = "keep" } = operation;
    const previous = this.#entry(kind, key)?.value ?? initial;
    if (!previous) throw new Failed({ error: "KeyNotFoundError" });
    const value = clean(updated(previous, operation));
    return { ...this.#set(kind, key, value, expireIn), value };
  }

  #atomic(steps: readonly Step[]): unknown {
    for (const step of steps) {
      if (step.do !== "check") continue;
      const { do: _, ...condition } = step;
      const conflict = this.#conflict(condition);
      if (conflict) return conflict;
    }
    const results = steps.flatMap((step) =>
      step.do === "check" ? [] : [this.#step(step)]
    );
    for (const result of results) {
      // There was nothing to delete.
      if (result.revision === 0) result.revision = this.revision;
    }
    return { ok: true, revision: this.revision, results };
  }

  #step(step: Exclude<Step, { do: "check" }>): Effect {
    if (step.do === "update") return this.#update(step);
    const { kind, key } = step;
    if (step.do === "set") {
      return this.#set(kind, key, step.value, step.expireIn);
    }
    const status = this.#delete(kind, key) ? "deleted" : "unchanged";
    const revision = status === "deleted" ? this.revision : 0;
    return { status, version: 0, revision };
  }

  #set(
    kind: string,
    key: string,
    value: Value,
    expireIn: number | "keep" | undefined,
  ): Effect & { status: "created" | "updated" | "unchanged" } {
    const entry = this.#entry(kind, key);
    if (entry && value.n === REFUSED.n) throw new Refusal();
    const text = JSON.stringify(value);
    if (
      entry && JSON.stringify(entry.value) === text &&
      keepsExpiry(entry, expireIn)
    ) {
      const { version, revision } = entry;
      return { status: "unchanged", version, revision };
    }
    const version = (entry?.version ?? 0) + 1;
    const type = entry ? "update" : "create";
    this.#log({ kind, key, type, version, value: text });
    const { revision } = this;
    const next: Entry = { value: clean(value), version, revision };
    const lasts = expireIn === "keep"
      ? entry?.lasts
      : expireIn && lastingOf(expireIn);
    if (lasts !== undefined) next.lasts = lasts;
    this.#put(kind, key, next);
    return { status: `${type}d` as "created" | "updated", version, revision };
  }

  #delete(kind: string, key: string): boolean {
    const entry = this.#entry(kind, key);
    if (!entry) return false;
    const { version } = entry;
    const value = JSON.stringify(entry.value);
    this.#log({ kind, key, type: "delete", version, value });
    this.#put(kind, key, undefined);
    return true;
  }

  #put(kind: string, key: string, entry: Entry | undefined): void {
    if (!this.#kinds.has(kind)) this.#kinds.set(kind, new Map());
    const entries = this.#kinds.get(kind)!;
    const before = entries.get(key);
    if (!entry || !before) this.#sortedKeys.delete(kind);
    if (entry) entries.set(key, entry);
    else entries.delete(key);
    this.#undo.push(() => {
      this.#put(kind, key, before);
      this.changes.pop();
      this.revision--;
    });
  }

  #log(change: Omit<Change, "revision">): void {
    this.changes.push({ revision: ++this.revision, ...change });
  }

  // Reads.

  #read(operation: ReadOperation): unknown {
    switch (operation.do) {
      case "get":
        return this.#entry(operation.kind, operation.key)?.value;
      case "entry": {
        const entry = this.#entry(operation.kind, operation.key);
        return entry && { key: operation.key, ...entry };
      }
      case "has":
        return this.#entry(operation.kind, operation.key) !== undefined;
      case "getMany":
        return [...new Set(operation.keys)].flatMap((key) => {
          const entry = this.#entry(operation.kind, key);
          return entry ? [[key, entry.value]] : [];
        });
      case "kinds":
        return this.kinds();
      case "getAll":
        return this.kinds().map((kind) => [
          kind,
          this.#select(kind, {}).map(([key, { value }]) => [key, value]),
        ]);
      default: {
        const found = this.#select(operation.kind, operation.range);
        return SHAPES[operation.do](found);
      }
    }
  }

  #entry(kind: string, key: string): Entry | undefined {
    return this.#kinds.get(kind)?.get(key);
  }

  /** The kinds that have entries, in order. */
  kinds(): string[] {
    return [...this.#kinds].filter(([, entries]) => entries.size > 0)
      .map(([kind]) => kind).sort();
  }

  /** A kind's entries, by key. */
  entries(kind: string): [string, Entry][] {
    const entries = this.#kinds.get(kind) ?? new Map();
    let keys = this.#sortedKeys.get(kind);
    if (!keys) {
      keys = [...entries.keys()].sort(compareKeys);
      this.#sortedKeys.set(kind, keys);
    }
    return keys.map((key) => [key, entries.get(key)!]);
  }

  /** Every entry, as the file should hold it. */
  rows(): RawEntry[] {
    return this.kinds().flatMap((kind) =>
      this.entries(kind).map(([key, { version, value }]) => ({
        kind,
        key,
        version,
        value: JSON.stringify(value),
      }))
    );
  }

  #select(kind: string, range: Range): [string, Entry][] {
    const { limit, reverse, odd } = range;
    const found = this.entries(kind).filter(([key, { value }]) =>
      isIn(range, key) && (!odd || value.n % 2 === 1)
    );
    return (reverse ? found.reverse() : found).slice(0, limit);
  }
}

function isIn({ prefix = "", start, startAfter, end }: Keys, key: string) {
  return key.startsWith(prefix) &&
    (start === undefined || compareKeys(key, start) >= 0) &&
    (startAfter === undefined || compareKeys(key, startAfter) > 0) &&
    (end === undefined || compareKeys(key, end) < 0);
}

/** An expiry that is given is another one each time. */
function keepsExpiry(
  { lasts }: Entry,
  expireIn: number | "keep" | undefined,
): boolean {
  return expireIn === "keep" ||
    (expireIn === undefined && lasts === undefined);
}

const SHAPES = {
  list: (found: [string, Entry][]) =>
    found.map(([key, { value }]) => [key, value]),
  keys: (found: [string, Entry][]) => found.map(([key]) => key),
  values: (found: [string, Entry][]) =>
    found.map(([key, { value }]) => ({ key, value })),
  count: (found: [string, Entry][]) => found.length,
  entries: (found: [string, Entry][]) =>
    found.map(([key, entry]) => ({ key, ...entry })),
};

/** What JSON leaves of a value. */
function clean(value: Value): Value {
  return JSON.parse(JSON.stringify(value));
}
