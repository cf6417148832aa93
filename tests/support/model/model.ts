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
  type Operation,
  type Outcome,
  type Range,
  Refusal,
  REFUSED,
  updated,
  type Value,
  type WriteOperation,
} from "./operations.ts";

/** An entry of the model. */
export interface Entry {
  value: Value;
  version: number;
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

  #apply(operation: Operation): Outcome {
    switch (operation.do) {
      case "set":
        return this.#checked(operation, () => ({
          ...this.#set(operation.kind, operation.key, operation.value),
          revision: this.revision,
        }));
      case "setAll":
        return this.#setAll(operation);
      case "update":
        return this.#update(operation);
      case "delete":
        return this.#checked(operation, () => {
          const entry = this.#entry(operation.kind, operation.key);
          this.#delete(operation.kind, operation.key);
          return entry && { key: operation.key, ...entry };
        });
      case "atomic":
        return { result: this.#atomic(operation) };
      case "get":
        return { result: this.#entry(operation.kind, operation.key)?.value };
      case "entry": {
        const entry = this.#entry(operation.kind, operation.key);
        return { result: entry && { key: operation.key, ...entry } };
      }
      case "kinds":
        return { result: this.kinds() };
      case "getAll":
        return {
          result: this.kinds().map((kind) => [
            kind,
            this.#select(kind, {}).map(([key, { value }]) => [key, value]),
          ]),
        };
      default: {
        const found = this.#select(operation.kind, operation.range);
        return { result: SHAPES[operation.do](found) };
      }
    }
  }

  // Writes.

  #checked(
    { kind, key, ifVersion }: { kind: string; key: string; ifVersion?: number },
    write: () => unknown,
  ): Outcome {
    if (ifVersion === undefined) return { result: write() };
    return this.#conflict(kind, key, ifVersion) ?? { result: write() };
  }

  #conflict(kind: string, key: string, expected: number): Outcome | undefined {
    const actual = this.#entry(kind, key)?.version ?? 0;
    if (actual === expected) return undefined;
    return { error: "VersionConflictError", details: { expected, actual } };
  }

  #setAll({ kind, entries }: WriteOperation & { do: "setAll" }): Outcome {
    const counts = { created: 0, updated: 0, unchanged: 0 };
    const last = [...new Map(entries)].sort(([a], [b]) => compareKeys(a, b));
    const isRefused = last.some(([key, { n }]) =>
      n === REFUSED.n && this.#entry(kind, key)
    );
    if (isRefused) return { error: Refusal.name };
    for (const [key, value] of last) {
      counts[this.#set(kind, key, value).status]++;
    }
    return { result: counts };
  }

  #update(operation: WriteOperation & { do: "update" }): Outcome {
    const { kind, key, initial } = operation;
    const previous = this.#entry(kind, key)?.value ?? initial;
    if (!previous) return { error: "KeyNotFoundError" };
    try {
      const value = clean(updated(previous, operation));
      const set = this.#set(kind, key, value);
      return { result: { ...set, revision: this.revision, value } };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { error: error.name };
    }
  }

  #atomic({ steps }: WriteOperation & { do: "atomic" }): unknown {
    for (const step of steps) {
      if (step.do !== "check") continue;
      const conflict = this.#conflict(step.kind, step.key, step.version);
      if (conflict) return conflict;
    }
    for (const step of steps) {
      if (step.do === "set") this.#set(step.kind, step.key, step.value);
      else if (step.do === "delete") this.#delete(step.kind, step.key);
    }
    return { ok: true, revision: this.revision };
  }

  #set(kind: string, key: string, value: Value) {
    const entry = this.#entry(kind, key);
    if (entry && value.n === REFUSED.n) throw new Refusal();
    const text = JSON.stringify(value);
    if (entry && JSON.stringify(entry.value) === text) {
      return { status: "unchanged" as const, version: entry.version };
    }
    const version = (entry?.version ?? 0) + 1;
    const type = entry ? "update" : "create";
    if (!entry) this.#sortedKeys.delete(kind);
    this.#log({ kind, key, type, version, value: text });
    if (!this.#kinds.has(kind)) this.#kinds.set(kind, new Map());
    this.#kinds.get(kind)!.set(key, { value: clean(value), version });
    return { status: `${type}d` as "created" | "updated", version };
  }

  #delete(kind: string, key: string): void {
    const entry = this.#entry(kind, key);
    if (!entry) return;
    this.#kinds.get(kind)!.delete(key);
    this.#sortedKeys.delete(kind);
    const { version } = entry;
    const value = JSON.stringify(entry.value);
    this.#log({ kind, key, type: "delete", version, value });
  }

  #log(change: Omit<Change, "revision">): void {
    this.changes.push({ revision: ++this.revision, ...change });
  }

  // Reads.

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
    const { prefix = "", start = "", end, limit, reverse, odd } = range;
    const found = this.entries(kind).filter(([key, { value }]) =>
      key.startsWith(prefix) && compareKeys(key, start) >= 0 &&
      (end === undefined || compareKeys(key, end) < 0) &&
      (!odd || value.n % 2 === 1)
    );
    return (reverse ? found.reverse() : found).slice(0, limit);
  }
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
