/**
 * Makes calls at random, and does them on a store.
 *
 * @module
 */
import {
  KeyNotFoundError,
  type Store,
  StoreError,
  type StoreErrorCode,
  VersionConflictError,
} from "../../../mod.ts";
import type { Random } from "../random.ts";
import { type Answer, type AtomicWrite, type Call, updated } from "./calls.ts";

/** A store of the values that calls write. */
export type HistoryStore = Store<Record<string, string>>;

/** Keys that no call has in common with another key. */
const SINGLE = ["single/a", "single/b"];
/** Keys of two kinds that calls have in common. */
const JOINED = ["joined/a", "joined/b", "joined/c", "other/a"];
/** Keys of a kind that is listed and written whole. */
const PAIR = ["pair/a", "pair/b"];
/** Every key of a history. */
export const KEYS: readonly string[] = [...SINGLE, ...JOINED, ...PAIR];

/** Errors that promise that nothing was done. */
const REFUSALS: ReadonlySet<StoreErrorCode> = new Set([
  "BUSY",
  "UNAVAILABLE",
  "FULL",
  "CLOSED",
]);

/** Failures after which a write may have taken effect, for all that is known. */
const UNCLEAR: ReadonlySet<StoreErrorCode> = new Set([
  "UNKNOWN_OUTCOME",
  "STORAGE",
]);

/** What a caller last saw of each key, to make calls that depend on it. */
export class Sight {
  readonly #values = new Map<string, string>();
  readonly #versions = new Map<string, number>();

  /** Notes what a call was answered. */
  see(call: Call, answer: Answer): void {
    if ("conflict" in answer) {
      this.#versions.set(answer.conflict.key, answer.conflict.actual);
    }
    if (!("key" in call)) return;
    const { key } = call;
    if ("written" in answer) this.#versions.set(key, answer.written.version);
    if (call.do === "entry" && "entry" in answer) {
      this.#versions.set(key, answer.entry?.[1] ?? 0);
      if (answer.entry) this.#values.set(key, answer.entry[0]);
    } else if (call.do === "delete" && "entry" in answer) {
      this.#versions.set(key, 0);
    } else if ("value" in answer && answer.value !== null) {
      this.#values.set(key, answer.value!);
    }
  }

  /** The value that a key had. */
  value(key: string): string | undefined {
    return this.#values.get(key);
  }

  /** The version that a key had. */
  version(key: string): number {
    return this.#versions.get(key) ?? 0;
  }
}

/** Makes a call. The values that it writes name its id. */
export function randomCall(random: Random, id: string, seen: Sight): Call {
  const key = random.pick(KEYS);
  const condition = random.chance(0.4)
    ? { ifVersion: seenVersion(random, key, seen) }
    : {};
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
      return { do: "get", key };
    case 3:
      return { do: "entry", key };
    case 4:
      return { do: "list", keys: random.pick([PAIR, JOINED.slice(0, 3)]) };
    case 5:
    case 6:
    case 7: {
      const same = random.chance(0.15) ? seen.value(key) : undefined;
      return { do: "set", key, value: same ?? id, ...condition };
    }
    case 8:
    case 9:
      return {
        do: "update",
        key,
        ...random.chance(0.9) && { by: id },
        ...random.chance(0.7) && { initial: "initial" },
      };
    case 10:
      return { do: "delete", key, ...condition };
    default:
      return randomAtomic(random, id, seen);
  }
}

function randomAtomic(random: Random, id: string, seen: Sight): Call {
  const all = random.pick([PAIR, JOINED]);
  const keys = all === PAIR || random.chance(0.3)
    ? all
    : all.filter(() => random.chance(0.5));
  const isDeleting = random.chance(0.1);
  const checks = keys.filter(() => random.chance(0.15)).map((key) =>
    [key, seenVersion(random, key, seen)] as const
  );
  const writes = keys.map((key): AtomicWrite => [
    key,
    isDeleting || random.chance(0.1) ? null : id,
  ]);
  return { do: "atomic", checks, writes };
}

/** Mostly the version that was seen, sometimes the next, sometimes none. */
function seenVersion(random: Random, key: string, seen: Sight): number {
  if (random.chance(0.1)) return 0;
  return seen.version(key) + (random.chance(0.1) ? 1 : 0);
}

/** Does a call, and gives its answer; rejects only if the store is at fault. */
export async function perform(
  store: HistoryStore,
  call: Call,
): Promise<Answer> {
  try {
    return await answerOf(store, call);
  } catch (error) {
    if (error instanceof VersionConflictError) return conflictOf(error);
    if (error instanceof KeyNotFoundError) return { missing: true };
    if (!(error instanceof StoreError)) throw error;
    if (REFUSALS.has(error.code)) return { refused: error.code };
    if (UNCLEAR.has(error.code)) return { unclear: error.message };
    throw error;
  }
}

async function answerOf(store: HistoryStore, call: Call): Promise<Answer> {
  if (call.do === "list") {
    const [kind] = split(call.keys[0]);
    const found = await store.list(kind);
    const values = [...found].map(([key, value]) => [`${kind}/${key}`, value]);
    return { values: Object.fromEntries(values) };
  }
  if (call.do === "atomic") return await commit(store, call);
  const [kind, key] = split(call.key);
  switch (call.do) {
    case "get":
      return { value: await store.get(kind, key) ?? null };
    case "entry":
      return entryOf(await store.entry(kind, key));
    case "delete": {
      const { ifVersion } = call;
      return entryOf(await store.delete(kind, key, { ifVersion }));
    }
    case "set": {
      const { value, ifVersion } = call;
      return { written: await store.set(kind, key, value, { ifVersion }) };
    }
    case "update": {
      const { by, initial } = call;
      const change = (previous: string) => updated(previous, by);
      const { value, ...written } = await store.update(kind, key, change, {
        initial,
      });
      return { written, value };
    }
  }
}

async function commit(
  store: HistoryStore,
  { checks, writes }: Call & { do: "atomic" },
): Promise<Answer> {
  const atomic = store.atomic();
  for (const [name, version] of checks) {
    const [kind, key] = split(name);
    atomic.check({ kind, key, version });
  }
  for (const [name, value] of writes) {
    const [kind, key] = split(name);
    if (value === null) atomic.delete(kind, key);
    else atomic.set(kind, key, value);
  }
  const result = await atomic.commit();
  return result.ok
    ? { committed: result.revision }
    : conflictOf(result.conflict);
}

function conflictOf(
  { kind, key, expected, actual }: VersionConflictError,
): Answer {
  // The calls have conditions on versions alone.
  const versions = { expected: Number(expected), actual: Number(actual) };
  return { conflict: { key: `${kind}/${key}`, ...versions } };
}

function entryOf(
  entry: { value: string; version: number } | undefined,
): Answer {
  return { entry: entry ? [entry.value, entry.version] : null };
}

function split(key: string): [kind: string, key: string] {
  return key.split("/") as [string, string];
}
