/**
 * All operations of a store with the same signature, for tests of common
 * behaviour, such as refused names.
 *
 * @module
 */
import type { Store } from "../contract/store.ts";
import type { Manifest } from "./supports.ts";

/** The arguments of a call. `options` is any value that plain JavaScript may pass. */
export interface CallArguments {
  kind: string;
  key: string;
  options?: object;
}

/** Calls one operation. */
export type Call<Result> = (store: Store, args: CallArguments) => Result;

/** Operations by name. */
export type Calls<Result> = Readonly<Record<string, Call<Result>>>;

const readsOfKey: Calls<Promise<unknown>> = {
  get: (store, { kind, key, options }) => store.get(kind, key, options),
  entry: (store, { kind, key, options }) => store.entry(kind, key, options),
  has: (store, { kind, key, options }) => store.has(kind, key, options),
  getMany: (store, { kind, key, options }) =>
    store.getMany(kind, [key], options),
};

const readsOfKind: Calls<Promise<unknown>> = {
  list: (store, { kind, options }) => store.list(kind, options),
  keys: (store, { kind, options }) => store.keys(kind, options),
  values: (store, { kind, options }) => store.values(kind, options),
  count: (store, { kind, options }) => store.count(kind, options),
};

const liveReadsOfKey: Calls<Promise<unknown>> = {
  waitFor: (store, { kind, key, options }) =>
    store.waitFor(kind, key, undefined, options),
};

const liveReadsOfKind: Calls<Promise<unknown>> = {
  mirror: (store, { kind, options }) => store.mirror(kind, options),
};

const writesOfKind: Calls<Promise<unknown>> = {
  deleteAll: (store, { kind, options }) => store.deleteAll(kind, options),
};

const readsOfStore: Calls<Promise<unknown>> = {
  kinds: (store, { options }) => store.kinds(options),
  getAll: (store, { options }) => store.getAll(options),
  snapshot: (store, { options }) => store.snapshot(options),
};

const verifications: Calls<Promise<unknown>> = {
  verify: (store, { options }) => store.verify(options),
};

const writes: Calls<Promise<unknown>> = {
  set: (store, { kind, key, options }) =>
    store.set(kind, key, { n: 1 }, options),
  setAll: (store, { kind, key, options }) =>
    store.setAll(kind, [[key, { n: 1 }]], options),
  update: (store, { kind, key, options }) =>
    store.update(kind, key, () => ({ n: 1 }), { initial: 0, ...options }),
  delete: (store, { kind, key, options }) => store.delete(kind, key, options),
};

// The chain is inside an async function, so that it does not matter which link
// refuses.
const atomics: Calls<Promise<unknown>> = {
  "atomic check": async (store, { kind, key, options }) =>
    await store.atomic().check({ kind, key, version: 0 }).commit(options),
  "atomic set": async (store, { kind, key, options }) =>
    await store.atomic().set(kind, key, { n: 1 }).commit(options),
  "atomic update": async (store, { kind, key, options }) =>
    await store.atomic().update(kind, key, () => ({ n: 1 }), { initial: 0 })
      .commit(options),
  "atomic delete": async (store, { kind, key, options }) =>
    await store.atomic().delete(kind, key).commit(options),
};

/** The operations that take a kind and a key. */
export const callsWithKey: Calls<Promise<unknown>> = {
  ...readsOfKey,
  ...liveReadsOfKey,
  ...writes,
  ...atomics,
};

/** The operations that take a kind, and perhaps a key. */
export const callsWithKind: Calls<Promise<unknown>> = {
  ...callsWithKey,
  ...readsOfKind,
  ...liveReadsOfKind,
  ...writesOfKind,
};

/** The operations that take a range of entries. `deleteAll` takes one of keys. */
export const callsWithRange: Calls<Promise<unknown>> = readsOfKind;

/** All operations that return a promise, if the store supports them. */
export function promiseCallsOf({ verify }: Manifest): Calls<Promise<unknown>> {
  return {
    ...callsWithKind,
    ...readsOfStore,
    ...(verify ? verifications : {}),
  };
}

/** The operations on a kind that return a stream. */
export const streamCallsWithKind: Calls<ReadableStream<unknown>> = {
  entries: (store, { kind, options }) => store.entries(kind, options),
  watch: (store, { kind, options }) => store.watch(kind, options),
  "watch of several kinds": (store, { kind, options }) =>
    store.watch(["groups", kind], options),
  history: (store, { kind, options }) =>
    store.history(kind, undefined, options),
  "history of a key": (store, { kind, key, options }) =>
    store.history(kind, key, options),
};

/** All operations that return a stream. They throw the errors with which the others reject. */
export const streamCalls: Calls<ReadableStream<unknown>> = {
  ...streamCallsWithKind,
  watchAll: (store, { options }) => store.watchAll(options),
  export: (store, { options }) => store.export(options),
};
