/**
 * Calls operations on a store and keeps what became of each, to hold all of it
 * against a model: what was resolved took effect, as if one after the other in
 * the order of the calls, and what the storage failed left nothing.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  StoreError,
  type StoreErrorCode,
  type WatchEvent,
} from "../../../mod.ts";
import { type Connection, SqlError } from "../../../src/sqlite/driver/mod.ts";
import { type RawFile, readTables } from "../raw_file.ts";
import {
  assertWatchGuarantees,
  type Session,
  toItem,
  type WatchedOptions,
} from "../watches/watch_validators.ts";
import type { Model } from "./model.ts";
import {
  carryOut,
  type ModelStore,
  type Operation,
  type Outcome,
  toOutcome,
} from "./operations.ts";

const STORAGE_CODES: readonly StoreErrorCode[] = [
  "BUSY",
  "FULL",
  "CORRUPT",
  "UNKNOWN_OUTCOME",
  "STORAGE",
];

/** An operation that was called. */
interface Call {
  readonly op: Operation;
  /** Once it has settled, unless the storage failed it. */
  outcome?: Outcome;
  failure?: StoreError;
}

/** A watch that was opened. */
export class RecordedWatch {
  readonly kind: string;
  readonly options: WatchedOptions;
  readonly events: WatchEvent[] = [];
  /** What its stream errored with. */
  error: unknown;
  /** Whether the stream has closed, or errored. */
  ended = false;
  #progress = Promise.withResolvers<void>();

  /** Opens it. */
  constructor(store: ModelStore, kind: string, options: WatchedOptions) {
    this.kind = kind;
    this.options = options;
    this.#follow(store.watch(kind, { ...options, bookmarks: false }));
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
  readonly #store: ModelStore;
  readonly #log: (Call | RecordedWatch)[] = [];

  /** Takes the store. */
  constructor(store: ModelStore) {
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
      it instanceof RecordedWatch || hasSettled(it) ? [] : [it.op]
    );
  }

  /** Calls an operation; resolves when it has settled, with what its caller was told of a failure. */
  async call(op: Operation): Promise<StoreError | undefined> {
    const call: Call = { op };
    this.#log.push(call);
    try {
      call.outcome = { result: await carryOut(this.#store, op) };
    } catch (error) {
      if (isStorageError(error)) call.failure = error;
      else call.outcome = toOutcome(error);
    }
    return call.failure;
  }

  /** Opens a watch, and reads it to its end. */
  watch(kind: string, options: WatchedOptions = {}): RecordedWatch {
    const watch = new RecordedWatch(this.#store, kind, options);
    this.#log.push(watch);
    return watch;
  }

  /**
   * What each watch has yet to see: the last change of its kind that is stored.
   * There has to be one since it was opened.
   */
  awaited({ changes }: RawFile): [RecordedWatch, revision: number][] {
    return this.watches.map((watch) => {
      const last = changes.findLast(({ kind }) => kind === watch.kind);
      return [watch, last!.revision];
    });
  }

  /**
   * Does on the model what was resolved, and compares each result, the watches'
   * events and what is stored. The watches have seen all there is. Gives the
   * failures that were told.
   */
  verify(model: Model, stored: RawFile): Told[] {
    const told: Told[] = [];
    const starts = new Map<RecordedWatch, number>();
    for (const it of this.#log) {
      if (it instanceof RecordedWatch) {
        starts.set(it, model.revision);
        if (it.error) told.push({ by: it, error: storageError(it.error) });
        continue;
      }
      const { op, outcome, failure } = it;
      assert(hasSettled(it), `${describe(op)} has not settled`);
      if (failure) told.push({ by: op, error: storageError(failure) });
      else assertEquals(outcome, model.apply(op), describe(op));
    }
    for (const [watch, start] of starts) {
      assertWatchGuarantees(model, {
        name: `${describe(watch.options)} of ${watch.kind}`,
        sessions: [sessionOf(watch, start, model)],
      });
    }
    assertStored(stored, model);
    return told;
  }
}

/** What is stored, when every call has settled, on the store's connection or another. */
export function readStored(connection: Connection): RawFile {
  // No transaction is open, or this would be one within it.
  connection.exec("BEGIN IMMEDIATE");
  connection.exec("ROLLBACK");
  return readTables(connection);
}

function hasSettled({ outcome, failure }: Call): boolean {
  return outcome !== undefined || failure !== undefined;
}

function sessionOf(
  { kind, options, events, error }: RecordedWatch,
  start: number,
  { revision }: Model,
): Session {
  // What it has not come to see, it was told of by its error.
  const until = error ? undefined : revision;
  return { kind, options, start, until, items: events.map(toItem) };
}

function assertStored({ head, changes, entries }: RawFile, model: Model): void {
  assertEquals(head, model.revision, "the newest revision");
  assertEquals(entries, model.rows(), "the entries");
  // The older ones may have been pruned; or are older than the model.
  const shared = Math.min(changes.length, model.changes.length);
  assertEquals(
    changes.slice(changes.length - shared),
    model.changes.slice(model.changes.length - shared),
    "the change log",
  );
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

function describe(data: Operation | WatchedOptions): string {
  return JSON.stringify(data);
}
