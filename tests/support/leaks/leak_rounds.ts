/**
 * What a program does again and again, and must leave nothing behind: watches,
 * stores and operations that end in every way there is. `leak_side.ts` runs
 * them, and looks at what is left.
 *
 * @module
 */
import { openStore, type Store, type StoreOptions } from "../../../mod.ts";
import { openMemoryStore } from "../../../src/memory/open_memory_store.ts";
import type { Connection } from "../../../src/sqlite/driver/driver.ts";
import { loadDriver } from "../../../src/sqlite/driver/load.ts";
import { openRemoteStore } from "../remote/open_remote_store.ts";
import { UNLIMITED } from "../remote/protocol.ts";
import { HOUR, setExpired } from "../../../src/testing/expiring.ts";
import { turn } from "../../../src/testing/reading.ts";

/** Which store the rounds are run on. */
export type Engine = "builtin" | "ffi" | "memory" | "remote";

/** What a round has to work with. */
export interface Ground {
  readonly engine: Engine;
  /** A directory for the files. */
  readonly dir: string;
  /** In a file, where there are files. It stays open, and holds 300 entries of the kind "many". */
  readonly store: Store;
  /** Never aborts, and goes with operations all the same. */
  readonly signal: AbortSignal;
  /** Another connection to the store's file. */
  readonly other?: Connection;
  /** Notes what has to be garbage when the rounds are over. */
  drop<T extends object>(garbage: T): T;
}

/** Something done once, with a number that no other round has. */
export type Round = (ground: Ground, n: number) => Promise<void>;

/** Opens another store on the ground. */
export function openAnother(
  { engine, dir }: Pick<Ground, "engine" | "dir">,
  name: string,
  options?: Omit<StoreOptions, "path">,
): Promise<Store> {
  if (engine === "memory") return openMemoryStore(options);
  if (engine === "remote") return openRemote(options);
  return openStore({
    path: name === ":memory:" ? name : `${dir}/${name}`,
    driver: engine,
    durability: "normal",
    ...options,
  });
}

/** On a server of its own, and a line that is cut now and then. */
function openRemote(options?: Omit<StoreOptions, "path">): Promise<Store> {
  const { codec, history, signal } = options ?? {};
  const line = { longest: 0, cuts: 0.1, limits: UNLIMITED };
  return openRemoteStore({ ...line, codec, history, signal });
}

/** Watches, by how each comes to its end. */
export const WATCHES: Record<string, Round> = {
  "never read, cancelled": async ({ store, signal, drop }) => {
    await drop(store.watch("w", { signal })).cancel();
  },
  "cancelled while it waits": async ({ store, signal, drop }) => {
    const reader = drop(store.watch("w", { signal }).getReader());
    const pending = reader.read();
    await turn();
    await reader.cancel();
    await pending;
  },
  "aborted while it waits": async ({ store, drop }) => {
    const stop = drop(new AbortController());
    const watch = store.watch("w", { signal: stop.signal });
    const pending = drop(watch.getReader()).read();
    await turn();
    stop.abort();
    await pending;
  },
  "aborted before it is read": async ({ store, drop }) => {
    const stop = drop(new AbortController());
    const watch = drop(store.watch("w", { signal: stop.signal }));
    stop.abort();
    await watch.cancel();
  },
  "begun with an aborted signal": async ({ store, drop }) => {
    const signal = drop(AbortSignal.abort());
    await drop(store.watch("w", { signal })).cancel();
  },
  "left in the middle of its replay": async ({ store, signal, drop }) => {
    const options = { initial: true, bufferSize: 7, signal };
    let seen = 0;
    for await (const _ of drop(store.watch("many", options))) {
      if (++seen === 10) break;
    }
  },
  "left after an event": async ({ store, signal, drop }, n) => {
    const watch = drop(store.watch("w", { signal }));
    await store.set("w", "a", n);
    for await (const _ of watch) break;
  },
  "of several kinds, left after an event": async (ground, n) => {
    const { store, signal, drop } = ground;
    const watch = drop(store.watch(["w", "k"], { signal, initial: true }));
    await store.set("k", "several", n);
    for await (const _ of watch) break;
  },
  "of all kinds, cancelled while it waits": async (ground) => {
    const { store, signal, drop } = ground;
    const reader = drop(store.watchAll({ signal }).getReader());
    const pending = reader.read();
    await turn();
    await reader.cancel();
    await pending;
  },
  "a mirror that is closed": async ({ store, signal, drop }, n) => {
    const mirror = drop(await store.mirror("w", { signal }));
    const changes = drop(mirror.changes({ signal }).getReader());
    mirror.addEventListener("change", drop(() => {}));
    const { revision } = await store.set("w", "mirrored", n);
    await mirror.reached(revision, { signal });
    await changes.read();
    const waiting = mirror.reached(revision + 1_000, { signal })
      .catch(() => {});
    await mirror.close();
    await waiting;
  },
  "a mirror that is aborted while it waits": async ({ store, drop }) => {
    const stop = drop(new AbortController());
    const { signal } = stop;
    const mirror = drop(await store.mirror("many", { signal, reverse: true }));
    const reading = drop(mirror.changes().getReader()).read();
    await turn();
    stop.abort();
    await reading;
    await mirror.close();
  },
  "waitFor, met and aborted": async ({ store, signal, drop }, n) => {
    const stop = drop(new AbortController());
    const unmet = store.waitFor("w", "never", drop(() => false), {
      signal: stop.signal,
    }).catch(() => {});
    const met = store.waitFor("w", "met", (it) => it === n, { signal });
    await store.set("w", "met", n);
    await met;
    stop.abort();
    await unmet;
  },
  "left when an entry expires": async ({ store, signal, drop }, n) => {
    const options = { signal, key: "soon", types: ["delete"] as const };
    const watch = drop(store.watch("w", options));
    await store.set("w", "soon", drop({ n }), { expireIn: 1 });
    for await (const _ of watch) break;
  },
  "ended by an overflow": async ({ store, signal, drop }) => {
    const after = Number.MAX_SAFE_INTEGER;
    const reader = drop(store.watch("w", { after, signal }).getReader());
    await refused(reader.read());
  },
  "ended by a value that cannot be decoded": async (ground, n) => {
    const { store, signal, drop } = ground;
    const reader = drop(store.watch("odd", { signal }).getReader());
    await store.set("odd", "a", n);
    await refused(reader.read());
  },
  "with a signal that is replaced": async ({ store, signal, drop }) => {
    const options: { signal?: AbortSignal } = { signal };
    const watch = drop(store.watch("w", options));
    options.signal = undefined;
    await watch.cancel();
  },
  "refused": async ({ store, signal }) => {
    const watch = async () =>
      await store.watch("w", { signal, key: "a", prefix: "a" }).cancel();
    await refused(watch());
  },
};

/** Stores, by how each is opened and closed. */
export const STORES: Record<string, Round> = {
  "a file": async (ground) => {
    const store = ground.drop(await openAnother(ground, "one.db"));
    await store.close();
  },
  "in memory": async (ground, n) => {
    await using store = ground.drop(await openAnother(ground, ":memory:"));
    await store.set("k", "a", n);
  },
  "with a watch that is read, and one that is not": async (ground, n) => {
    const { signal, drop } = ground;
    const store = drop(await openAnother(ground, "one.db"));
    drop(store.watch("w", { signal }));
    const pending = drop(store.watch("w", { signal }).getReader()).read();
    await store.set("w", "a", n);
    await pending;
    const waiting = drop(store.watch("w", { signal }).getReader()).read();
    await turn();
    await store.close();
    await waiting;
  },
  "with entries that expire": async (ground, n) => {
    const store = ground.drop(await openAnother(ground, "one.db"));
    await store.set("k", "soon", n, { expireIn: 1 });
    await store.set("k", "late", n, { expireIn: HOUR });
    await store.close();
  },
  "with a snapshot and a history that are not closed": async (ground, n) => {
    const { drop } = ground;
    const store = drop(await openAnother(ground, "one.db"));
    const { revision } = await store.set("k", "a", n);
    const snapshot = drop(await store.snapshot({ at: revision }));
    drop(snapshot.entries("k"));
    await drop(store.history("k").getReader()).read();
    await store.close();
  },
  "refused": async (ground) => {
    const { engine, dir } = ground;
    await refused(openAnother(ground, ":memory:", { history: -1 }));
    const signal = AbortSignal.abort();
    await refused(openAnother(ground, ":memory:", { signal }));
    if (!isOnFile(engine)) return;
    await refused(openAnother(ground, "missing/one.db"));
    const codec = { name: "other", encode: bytesOf, decode: String };
    await refused(openAnother(ground, "one.db", { codec }));
    const path = `${dir}/one.db?mode=nonsense`;
    await refused(openStore({ path: `file:${path}`, driver: engine }));
  },
};

/** Operations, by how each ends. */
export const OPERATIONS: Record<string, Round> = {
  "done, with a signal": async ({ store, signal }, n) => {
    const options = { signal };
    await Promise.all([
      store.set("k", "a", n, options),
      store.get("k", "a", options),
      store.entry("k", "a", options),
      store.setAll("k", { b: n }, options),
      store.update("k", "c", () => n, { initial: 0, signal }),
      store.list("k", options),
      store.count("k", { where: () => true, signal }),
      store.kinds(options),
      store.atomic().set("k", "d", n).commit(options),
      store.delete("k", "d", options),
    ]);
  },
  "refused, with a signal": async ({ store, signal }) => {
    await Promise.all([
      refused(store.set("k", "a", undefined, { signal })),
      refused(store.set("k", "a", 1, { ifVersion: 2 ** 40, signal })),
      refused(store.update("k", "none", (value) => value, { signal })),
      refused(store.setAll("k", { a: () => {} }, { signal })),
    ]);
  },
  "aborted before its turn": async ({ store, drop }, n) => {
    const stop = drop(new AbortController());
    const { signal } = stop;
    const first = store.set("k", "a", n);
    const waiting = [
      store.set("k", "b", n, { signal }),
      store.get("k", "b", { signal }),
      store.setAll("k", { c: n }, { signal }),
    ];
    stop.abort();
    await Promise.allSettled([first, ...waiting]);
  },
  "a stream left in the middle": async ({ store, signal, drop }) => {
    let seen = 0;
    for await (const _ of drop(store.entries("many", { signal }))) {
      if (++seen === 10) break;
    }
    await drop(store.entries("many", { signal })).cancel();
  },
  "an entry that expires before it is removed": async ({ store, drop }, n) => {
    await setExpired(store, "k", "soon", drop({ n }));
  },
  "expiries that are put off, and cleared": async ({ store }, n) => {
    for (let i = 0; i < 10; i++) {
      await store.set("k", "late", n, { expireIn: HOUR + i });
    }
    await store.set("k", "late", n);
    await store.set("k", `late ${n % 10}`, n, { expireIn: HOUR });
    await store.delete("k", `late ${n % 10}`);
  },
  "a snapshot, of now and of the past": async ({ store, signal, drop }, n) => {
    const { revision } = await store.set("k", "a", n);
    await store.set("k", "a", -n);
    for (const options of [{ signal }, { at: revision, signal }]) {
      const snapshot = drop(await store.snapshot(options));
      await snapshot.get("k", "a");
      await snapshot.count("many");
      for await (const _ of drop(snapshot.entries("many"))) break;
      await snapshot.close();
    }
    drop(await store.snapshot());
    await refused(store.snapshot({ at: 2 ** 40 }));
  },
  "a history, read and left": async ({ store, signal, drop }) => {
    const all = drop(store.history("k", "a", { signal }));
    for await (const _ of all);
    for await (const _ of drop(store.history("k", undefined, { signal }))) {
      break;
    }
    await drop(store.history("k", undefined, { reverse: true })).cancel();
  },
  "an atomic operation that is not committed": ({ store, drop }) => {
    drop(store.atomic()).check({ kind: "k", key: "a", version: 1 })
      .set("k", "a", "x".repeat(1_000)).delete("k", "b");
    return Promise.resolve();
  },
  "a write that waits for a lock, aborted": async ({ store, other, drop }) => {
    if (!other) return;
    const stop = drop(new AbortController());
    other.exec("BEGIN IMMEDIATE");
    const write = store.set("k", "a", 1, { signal: stop.signal });
    await turn();
    stop.abort();
    await refused(write);
    other.exec("ROLLBACK");
  },
};

function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(String(value));
}

/** Nobody looks at the error, and it must not be kept either. */
async function refused(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch {
    return;
  }
  throw new Error("Expected the call to be refused");
}

function isOnFile(engine: Engine): engine is "builtin" | "ffi" {
  return engine === "builtin" || engine === "ffi";
}

/** Opens a second connection to the ground's file. */
export async function connectTo(
  engine: Engine,
  path: string,
): Promise<Connection | undefined> {
  if (!isOnFile(engine)) return undefined;
  return (await loadDriver(engine)).open({ path, mode: "rwc" });
}
