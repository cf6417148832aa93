/**
 * What a store should hold and answer, as plain maps and a list: the operations
 * that took effect, one after the other.
 *
 * @module
 */
import type { ChangeType, Store } from "../../src/contract.ts";

/** A key with its value; `undefined` where it is to be deleted. */
export interface ModelWrite {
  kind: string;
  key: string;
  value?: number;
}

/** A write, of values that are numbers. */
export type WriteOperation =
  | { do: "set"; kind: string; key: string; value: number; ifVersion?: number }
  | { do: "setAll"; kind: string; entries: [key: string, value: number][] }
  | { do: "update"; kind: string; key: string; add: number; initial?: number }
  | { do: "delete"; kind: string; key: string; ifVersion?: number }
  | {
    do: "atomic";
    checks: { kind: string; key: string; version: number }[];
    writes: ModelWrite[];
  };

/** A read. */
export type ReadOperation =
  | { do: "get" | "entry"; kind: string; key: string }
  | {
    do: "list" | "keys" | "values" | "count" | "entries";
    kind: string;
    /** Only values that it divides. */
    divisor?: number;
  }
  | { do: "kinds" | "getAll" };

/** Any of them. */
export type Operation = WriteOperation | ReadOperation;

/** An entry, without its time. */
export interface ModelEntry {
  key: string;
  value: number;
  version: number;
}

/** A change, as the log has it. */
export interface ModelChange {
  revision: number;
  kind: string;
  key: string;
  type: ChangeType;
  version: number;
  /** Of a deletion the previous one. */
  value: number;
}

/** Where the store is opened with this as `equals`, a value of a setAll that is poison fails it midway. */
export const POISON = -1;

/** See `POISON`. */
export function equalsUnlessPoison(
  _kind: string,
  previous: unknown,
  next: unknown,
): boolean {
  if (next === POISON) throw new PoisonError();
  return previous === next;
}

/** The caller's own error. */
export class PoisonError extends Error {
  override readonly name = "PoisonError";
}

/** Does an operation on a store; what it gives can be compared with the model's. */
export async function perform(store: Store, op: Operation): Promise<unknown> {
  switch (op.do) {
    case "set":
      return await store.set(op.kind, op.key, op.value, {
        ifVersion: op.ifVersion,
      });
    case "setAll":
      return await store.setAll(op.kind, op.entries);
    case "update":
      return await store.update(
        op.kind,
        op.key,
        (value) => value as number + op.add,
        { initial: op.initial },
      );
    case "delete":
      return withoutTime(
        await store.delete(op.kind, op.key, { ifVersion: op.ifVersion }),
      );
    case "atomic": {
      const atomic = store.atomic().check(...op.checks);
      for (const { kind, key, value } of op.writes) {
        if (value === undefined) atomic.delete(kind, key);
        else atomic.set(kind, key, value);
      }
      const result = await atomic.commit();
      return result.ok ? result : { ok: false };
    }
    case "get":
      return await store.get(op.kind, op.key);
    case "entry":
      return withoutTime(await store.entry(op.kind, op.key));
    case "entries":
      return (await Array.fromAsync(store.entries(op.kind, filterOf(op))))
        .map(withoutTime);
    case "list":
      return [...await store.list(op.kind, filterOf(op))];
    case "keys":
    case "values":
    case "count":
      return await store[op.do](op.kind, filterOf(op));
    case "kinds":
      return await store.kinds();
    case "getAll":
      return [...await store.getAll()].map(([kind, all]) => [kind, [...all]]);
  }
}

function filterOf({ divisor }: { divisor?: number }) {
  return divisor === undefined ? {} : {
    where: (_key: string, value: unknown) => value as number % divisor === 0,
  };
}

function withoutTime<T extends { updatedAt: Date }>(
  entry: T | undefined,
): Omit<T, "updatedAt"> | undefined {
  if (!entry) return undefined;
  const { updatedAt: _, ...rest } = entry;
  return rest;
}

/** The model of one store. */
export class StoreModel {
  /** The newest revision. */
  head: number;
  /** Since the model was made. */
  readonly changes: ModelChange[] = [];
  readonly #kinds = new Map<string, Map<string, ModelEntry>>();

  /** Takes the store's revision when it was empty. */
  constructor(head = 0) {
    this.head = head;
  }

  /** Every entry, by kind and key. */
  get entries(): (ModelEntry & { kind: string })[] {
    return this.kinds.flatMap((kind) =>
      this.entriesOf(kind).map((entry) => ({ kind, ...entry }))
    );
  }

  /** The kinds that have entries. */
  get kinds(): string[] {
    const full = [...this.#kinds].filter(([, entries]) => entries.size > 0);
    return full.map(([kind]) => kind).sort();
  }

  /** A kind's entries, by key. */
  entriesOf(kind: string): ModelEntry[] {
    const entries = [...this.#kinds.get(kind)?.values() ?? []];
    return entries.sort((a, b) => a.key < b.key ? -1 : 1);
  }

  /** Does an operation, and gives what the store should have given; or the name of its error. */
  apply(op: Operation): { result: unknown } | { error: string } {
    switch (op.do) {
      case "set":
        if (!this.#has(op, op.ifVersion)) return conflict;
        return { result: { ...this.#put(op), revision: this.head } };
      case "setAll":
        return this.#setAll(op.kind, op.entries);
      case "update": {
        const value = this.#find(op)?.value ?? op.initial;
        if (value === undefined) return { error: "KeyNotFoundError" };
        const put = this.#put({ ...op, value: value + op.add });
        return {
          result: { ...put, revision: this.head, value: value + op.add },
        };
      }
      case "delete":
        if (!this.#has(op, op.ifVersion)) return conflict;
        return { result: this.#remove(op) };
      case "atomic":
        return { result: this.#commit(op.checks, op.writes) };
      default:
        return { result: this.#read(op) };
    }
  }

  #read(op: ReadOperation): unknown {
    switch (op.do) {
      case "get":
        return this.#find(op)?.value;
      case "entry":
        return this.#find(op);
      case "kinds":
        return this.kinds;
      case "getAll":
        return this.kinds.map((
          kind,
        ) => [
          kind,
          this.entriesOf(kind).map(({ key, value }) => [key, value]),
        ]);
    }
    const found = this.entriesOf(op.kind).filter(({ value }) =>
      value % (op.divisor ?? 1) === 0
    );
    switch (op.do) {
      case "count":
        return found.length;
      case "keys":
        return found.map(({ key }) => key);
      case "list":
        return found.map(({ key, value }) => [key, value]);
      case "values":
        return found.map(({ key, value }) => ({ key, value }));
      case "entries":
        return found;
    }
  }

  #find({ kind, key }: { kind: string; key: string }): ModelEntry | undefined {
    return this.#kinds.get(kind)?.get(key);
  }

  #has(at: { kind: string; key: string }, version: number | undefined) {
    return version === undefined || (this.#find(at)?.version ?? 0) === version;
  }

  #setAll(kind: string, entries: [string, number][]) {
    const last = [...new Map(entries)].sort(([a], [b]) => a < b ? -1 : 1);
    // Only an entry that is there is compared.
    const isPoisoned = last.some(([key, value]) =>
      value === POISON && this.#find({ kind, key })
    );
    if (isPoisoned) return { error: "PoisonError" };
    const result = { created: 0, updated: 0, unchanged: 0 };
    for (const [key, value] of last) {
      result[this.#put({ kind, key, value }).status]++;
    }
    return { result };
  }

  #commit(
    checks: { kind: string; key: string; version: number }[],
    writes: ModelWrite[],
  ): unknown {
    if (!checks.every((check) => this.#has(check, check.version))) {
      return { ok: false };
    }
    for (const { kind, key, value } of writes) {
      if (value === undefined) this.#remove({ kind, key });
      else this.#put({ kind, key, value });
    }
    return { ok: true, revision: this.head };
  }

  #put({ kind, key, value }: { kind: string; key: string; value: number }) {
    const previous = this.#find({ kind, key });
    if (previous?.value === value) {
      return { status: "unchanged" as const, version: previous.version };
    }
    const version = (previous?.version ?? 0) + 1;
    let entries = this.#kinds.get(kind);
    if (!entries) this.#kinds.set(kind, entries = new Map());
    entries.set(key, { key, value, version });
    this.#log(previous ? "update" : "create", { kind, key, version, value });
    const status = previous ? "updated" as const : "created" as const;
    return { status, version };
  }

  #remove({ kind, key }: { kind: string; key: string }) {
    const entry = this.#find({ kind, key });
    if (!entry) return undefined;
    this.#kinds.get(kind)!.delete(key);
    this.#log("delete", { kind, ...entry });
    return entry;
  }

  #log(type: ChangeType, change: Omit<ModelChange, "type" | "revision">): void {
    this.changes.push({ ...change, type, revision: ++this.head });
  }
}

const conflict = { error: "VersionConflictError" };
