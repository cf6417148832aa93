/**
 * A view of a store for tools, beneath its values: stored bytes, also those
 * that cannot be decoded, and the change log of all kinds. Only this package
 * uses it. It is not part of the contract.
 *
 * @module
 */
import type { MaybePromise } from "../base/promises.ts";
import type { WatchBookmark, WatchEvent } from "../contract/watch.ts";
import type { Engine } from "../engine/engine.ts";
import type { Observer } from "../engine/observer.ts";
import type { PastView } from "../engine/view.ts";
import type { Values } from "../values/values.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { openPast, unavailable } from "./snapshot.ts";
import type { ReadChange } from "./events.ts";
import { openWatch } from "./watch_stream.ts";

/** The place of a store, to show to people. */
export interface StorePlace {
  /** The engine: `"sqlite"`, `"postgres"`, `"etcd"`, `"memory"`. */
  readonly engine: string;
  /**
   * A file's path, or a URL without its password. Absent if the store has no
   * name.
   */
  readonly location?: string;
  /** The schema in a PostgreSQL database. */
  readonly schema?: string;
}

/** An event of a watch, with stored bytes as values. */
export type StoredEvent = WatchEvent<Uint8Array> | WatchBookmark;

/** The view of a store beneath its values. */
export interface Inspection {
  readonly place: StorePlace;
  readonly engine: Engine;
  readonly values: Values;
  /** Runs a read of the engine in its turn. Rejects with a `StoreError`. */
  read<T>(
    action: string,
    work: () => MaybePromise<T>,
    signal?: AbortSignal,
  ): Promise<T>;
  /** The entries as they were at a revision, or as they are now. */
  openPast(at: number | undefined, signal?: AbortSignal): Promise<PastView>;
  /**
   * The changes of all kinds after a cursor, or from now on, with bookmarks.
   * Changes that are invalid in the log are left out.
   */
  watch(after: string | undefined, signal: AbortSignal): ReadableStream<
    StoredEvent
  >;
  /** The number of open watches. */
  readonly watches: number;
  /** Who is told of the store's writes, and of the events of watches that begin from now on. */
  observer: Observer | undefined;
}

/** The parts of a store that an inspection needs. */
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
    get observer() {
      return life.observer;
    },
    set observer(observer) {
      life.observer = observer;
    },
  };
}

/** Decodes nothing: an event has the stored bytes. */
const asBytes: ReadChange["values"] = {
  isText: () => false,
  readStored: (_kind, { value }) => value,
};

const inspections = new WeakMap<object, Inspection>();

/** Registers a store, so that it can be inspected. */
export function allowInspection(store: object, inspection: Inspection): void {
  inspections.set(store, inspection);
}

/**
 * The inspection of a store; `undefined` if another copy of the package opened
 * it.
 */
export function inspectionOf(store: object): Inspection | undefined {
  return inspections.get(store);
}
