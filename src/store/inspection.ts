/**
 * What tools see of a store beneath its values: the bytes that are stored, also
 * those that nobody can decode, and the change log of all kinds at once. It is
 * for code of this package, and no part of the contract.
 *
 * @module
 */
import type { MaybePromise } from "../base/promises.ts";
import type { WatchBookmark, WatchEvent } from "../contract/watch.ts";
import type { Engine } from "../engine/engine.ts";
import type { PastView } from "../engine/view.ts";
import type { Values } from "../values/values.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { openPast, unavailable } from "./snapshot.ts";
import type { ReadChange } from "./events.ts";
import { openWatch } from "./watch_stream.ts";

/** Where a store is, for people. */
export interface StorePlace {
  /** What keeps it: `"sqlite"`, `"postgres"`, `"etcd"`, `"memory"`. */
  readonly engine: string;
  /** A file's path, or a URL without a password; absent if it has no name. */
  readonly location?: string;
  /** The schema in a PostgreSQL database. */
  readonly schema?: string;
}

/** An event of a watch whose values are stored bytes. */
export type StoredEvent = WatchEvent<Uint8Array> | WatchBookmark;

/** A store beneath its values. */
export interface Inspection {
  readonly place: StorePlace;
  readonly engine: Engine;
  readonly values: Values;
  /** Runs a read of the engine in its turn; it rejects with a `StoreError`. */
  read<T>(
    action: string,
    work: () => MaybePromise<T>,
    signal?: AbortSignal,
  ): Promise<T>;
  /** The entries as they were at a revision, or as they are now. */
  openPast(at: number | undefined, signal?: AbortSignal): Promise<PastView>;
  /**
   * The changes of all kinds after a cursor, or from now on, with bookmarks. What
   * the log does not hold as it should is left out.
   */
  watch(after: string | undefined, signal: AbortSignal): ReadableStream<
    StoredEvent
  >;
  /** How many watches are open. */
  readonly watches: number;
}

/** What an inspection stands on. */
export interface InspectionSource {
  readonly engine: Engine;
  readonly values: Values;
  readonly place: StorePlace;
  readonly life: Lifecycle;
}

/** Makes the inspection of a store. */
export function inspectionFrom(
  { engine, values, place, life }: InspectionSource,
): Inspection {
  const read: Inspection["read"] = async (action, work, signal) => {
    try {
      return await life.read(action, work, signal);
    } catch (error) {
      throw unavailable(error);
    }
  };
  return {
    place,
    engine,
    values,
    read,
    openPast(at, signal) {
      const open = () => openPast(engine, at, signal);
      return read("read entries", open, signal);
    },
    watch(after, signal) {
      life.assertOpen();
      engine.assertWatchable("watch");
      const source = {
        engine,
        head: () => life.head(),
        values: asBytes,
        open: life.watches,
      };
      const options = { after, bookmarks: true, onUnreadable() {}, signal };
      const stream = openWatch(source, undefined, options);
      return stream as ReadableStream<StoredEvent>;
    },
    get watches() {
      return life.watches.size;
    },
  };
}

/** Reads no value: an event has the bytes that are stored. */
const asBytes: ReadChange["values"] = {
  isText: () => false,
  readStored: (_kind, { value }) => value,
};

const inspections = new WeakMap<object, Inspection>();

/** Makes a store known. */
export function allowInspection(store: object, inspection: Inspection): void {
  inspections.set(store, inspection);
}

/** A store beneath its values; `undefined` if it is not of this copy of the package. */
export function inspectionOf(store: object): Inspection | undefined {
  return inspections.get(store);
}
