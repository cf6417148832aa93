/**
 * Calls operations on a store and keeps what became of each, to hold all of it
 * against a model: what was resolved took effect, as if one after the other in
 * the order of the calls, and what the storage failed left nothing.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Store, WatchEvent, WatchOptions } from "../../src/contract.ts";
import { StoreError, type StoreErrorCode } from "../../src/errors.ts";
import { type Connection, SqlError } from "../../src/sqlite/driver/driver.ts";
import {
  type ModelChange,
  type ModelEntry,
  type Operation,
  perform,
  type StoreModel,
} from "./store_model.ts";

const STORAGE_CODES: readonly StoreErrorCode[] = [
  "BUSY",
  "FULL",
  "CORRUPT",
  "STORAGE",
];

/** An operation that was called. */
interface Call {
  readonly op: Operation;
  /** Once it has settled. */
  outcome?: { result: unknown } | { error: unknown };
}

/** A watch that was opened. */
export class RecordedWatch {
  readonly kind: string;
  readonly options: WatchOptions;
  readonly events: WatchEvent[] = [];
  /** What its stream errored with. */
  error: unknown;
  /** Whether the stream has closed, or errored. */
  ended = false;
  #progress = Promise.withResolvers<void>();

  /** Opens it. */
  constructor(store: Store, kind: string, options: WatchOptions) {
    this.kind = kind;
    this.options = options;
    this.#follow(store.watch(kind, options as { bookmarks?: false }));
  }

  /** Whether it has ended, or seen a revision. */
  hasSeen(revision: number): boolean {
    return this.ended || this.events.at(-1)?.revision === revision;
  }

  /** Resolves when it has ended, or seen a revision. */
  async seen(revision: number): Promise<void> {
    while (!this.hasSeen(revision)) await this.#progress.promise;
  }

  async #follow(stream: ReadableStream<WatchEvent>): Promise<void> {
    try {
      for await (const event of stream) {
        this.events.push(event);
        this.#tell();
      }
    } catch (error) {
      this.error = error;
    }
    this.ended = true;
    this.#tell();
  }

  #tell(): void {
    this.#progress.resolve();
    this.#progress = Promise.withResolvers();
  }
}

/** A failure of the storage that somebody was told of. */
export interface Told {
  readonly by: Operation | RecordedWatch;
  readonly error: StoreError;
}

/** Calls a store's operations, and keeps what became of them. */
export class Recorder {
  readonly #store: Store;
  readonly #log: (Call | RecordedWatch)[] = [];

  /** Takes the store. */
  constructor(store: Store) {
    this.#store = store;
  }

  /** The watches that were opened. */
  get watches(): RecordedWatch[] {
    return this.#log.filter((it) => it instanceof RecordedWatch);
  }

  /** How many operations were called. */
  get length(): number {
    return this.#log.length;
  }

  /** The operations that have not settled. */
  get pending(): Operation[] {
    return this.#log.flatMap((it) =>
      it instanceof RecordedWatch || it.outcome ? [] : [it.op]
    );
  }

  /** Calls an operation; resolves when it has settled, with what its caller was told of a failure. */
  async call(op: Operation): Promise<StoreError | undefined> {
    const call: Call = { op };
    this.#log.push(call);
    try {
      call.outcome = { result: await perform(this.#store, op) };
    } catch (error) {
      call.outcome = { error };
      if (isStorageError(error)) return error;
    }
    return undefined;
  }

  /** Opens a watch, and reads it to its end. */
  watch(kind: string, options: WatchOptions = {}): RecordedWatch {
    const watch = new RecordedWatch(this.#store, kind, options);
    this.#log.push(watch);
    return watch;
  }

  /**
   * Does on the model what was resolved, and compares each result, the watches'
   * events and what is stored. Gives the failures that were told.
   */
  verify(model: StoreModel, connection: Connection): Told[] {
    const told: Told[] = [];
    const watches: (() => void)[] = [];
    for (const it of this.#log) {
      if (it instanceof RecordedWatch) {
        if (it.error) told.push({ by: it, error: storageError(it.error) });
        watches.push(expectedOf(it, model));
        continue;
      }
      const { op, outcome } = it;
      assert(outcome, `${describe(op)} has not settled`);
      if ("error" in outcome && isStorageError(outcome.error)) {
        told.push({ by: op, error: storageError(outcome.error) });
      } else {
        assertEquals(named(outcome), model.apply(op), describe(op));
      }
    }
    for (const verifyEvents of watches) verifyEvents();
    verifyStored(model, connection);
    return told;
  }
}

/** Prepares, at a watch's place among the calls, what its events are held against. */
function expectedOf(watch: RecordedWatch, model: StoreModel): () => void {
  const { kind, options, events } = watch;
  const start = options.after ?? model.head;
  const replay = options.initial ? model.entriesOf(kind) : [];
  return () => {
    const expected = [
      ...replay.map((entry) => replayed(kind, entry)),
      ...model.changes.filter((change) =>
        change.kind === kind && change.revision > start
      ),
    ];
    // What it has not come to see, it was told of by its error.
    const due = watch.error ? expected.slice(0, events.length) : expected;
    assertEquals(events as unknown, due, `a watch of ${kind}`);
  };
}

function replayed(kind: string, entry: ModelEntry): ModelChange {
  return { ...entry, kind, type: "create", revision: 0 };
}

function verifyStored(model: StoreModel, connection: Connection): void {
  const entries = connection.prepare(
    "SELECT kind, key, CAST(CAST(value AS TEXT) AS INTEGER) AS value, version FROM zestor_kv ORDER BY kind, key",
  ).all();
  assertEquals(entries as unknown, model.entries, "the entries");
  const changes = connection.prepare(
    `SELECT revision, kind, key, type, version,
      CAST(CAST(coalesce(value, previous) AS TEXT) AS INTEGER) AS value
    FROM zestor_changes ORDER BY revision`,
  ).all();
  // The older ones may have been pruned; or are older than the model.
  const shared = Math.min(changes.length, model.changes.length);
  assertEquals(
    changes.slice(changes.length - shared) as unknown,
    model.changes.slice(model.changes.length - shared),
    "the change log",
  );
}

function named(outcome: NonNullable<Call["outcome"]>): unknown {
  if ("result" in outcome) return outcome;
  const { error } = outcome;
  return { error: error instanceof Error ? error.name : error };
}

function isStorageError(error: unknown): error is StoreError {
  return error instanceof StoreError && STORAGE_CODES.includes(error.code);
}

function storageError(error: unknown): StoreError {
  assert(isStorageError(error), `It is no store's error: ${error}`);
  assert(error.cause instanceof SqlError, `It has no cause: ${error}`);
  assert(error.message.startsWith("Cannot "), error.message);
  return error;
}

function describe(op: Operation): string {
  return JSON.stringify(op);
}
