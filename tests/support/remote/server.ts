/**
 * A server in this process, for several clients at once: entries, their change
 * log, and snapshots. Each request is carried out in one step.
 *
 * @module
 */
import {
  StoreError,
  WatchOverflowError,
} from "../../../src/contract/errors.ts";
import type { ChangePage } from "../../../src/engine/entries.ts";
import { assertLogReaches, READ_WINDOW } from "../../../src/local/revisions.ts";
import { ALL_KEYS } from "../../../src/keys/key_range.ts";
import { MemoryStorage } from "../../../src/memory/memory_storage.ts";
import type { Limits } from "../../../src/engine/limits.ts";
import {
  type Answer,
  type Ask,
  type At,
  type CallName,
  type Failure,
  LIMITS,
  type NewsListener,
  type Reply,
} from "./protocol.ts";
import { readReplay } from "./server_replay.ts";
import { ServerWrites, type WithinTransaction } from "./server_writes.ts";

type Handlers = {
  readonly [Name in CallName]: (
    ask: Ask<Name>,
    within?: WithinTransaction,
  ) => Answer<Name>;
};

/** Thrown for a snapshot that the server does not hold. */
class Gone extends Error {}

/** What a server is made with. */
export interface ServerOptions {
  /** How many changes the log keeps. @default {10_000} */
  readonly history?: number;
  /** What it has room for. @default {LIMITS} */
  readonly limits?: Limits;
}

/** A server. */
export class Server {
  /** How many changes the log keeps. */
  readonly history: number;
  /** What it has room for. */
  readonly limits: Limits;
  readonly #storage = new MemoryStorage();
  readonly #writes: ServerWrites;
  readonly #listeners = new Set<NewsListener>();
  /** The snapshots of each client, by their ids. */
  readonly #snapshots = new Map<string, Map<string, MemoryStorage>>();
  /** The copy of the entries at the newest revision, if there is one. */
  #copy: { readonly head: number; readonly entries: MemoryStorage } | undefined;
  #calls = 0;

  /** Begins empty. */
  constructor({ history = 10_000, limits = LIMITS }: ServerOptions = {}) {
    this.history = history;
    this.limits = limits;
    this.#writes = new ServerWrites(this.#storage, this, (head) => {
      for (const listener of this.#listeners) listener(head);
    });
  }

  /** How many requests have arrived. */
  get calls(): number {
    return this.#calls;
  }

  /** How many snapshots are open. */
  get snapshots(): number {
    let count = 0;
    for (const { size } of this.#snapshots.values()) count += size;
    return count;
  }

  /** How many clients have said hello, and not bye. */
  get clients(): number {
    return this.#snapshots.size;
  }

  /** The oldest revision in the log, or the one that will be. */
  get oldest(): number {
    return this.#storage.oldestRevision();
  }

  /** Forgets every snapshot, as a server does that is restarted. */
  dropSnapshots(): void {
    for (const snapshots of this.#snapshots.values()) snapshots.clear();
  }

  /** Calls back after each commit, until what it returns is disposed of. */
  listen(listener: NewsListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** Carries out a request; throws only what `within` throws. */
  handle<Name extends CallName>(
    name: Name,
    ask: Ask<Name>,
    within?: WithinTransaction,
  ): Reply<Name> {
    this.#calls++;
    try {
      const handler: Handlers[Name] = this.#handlers[name];
      return { ok: true, answer: handler(ask, within) };
    } catch (error) {
      if (error instanceof Gone) {
        return { ok: false, failure: { code: "GONE", message: error.message } };
      }
      if (!(error instanceof StoreError)) throw error;
      return { ok: false, failure: failureOf(error) };
    }
  }

  readonly #handlers: Handlers = {
    hello: ({ client }) => {
      if (!this.#snapshots.has(client)) this.#snapshots.set(client, new Map());
      return { history: this.history, limits: this.limits };
    },
    bye: ({ client }) => {
      this.#snapshots.delete(client);
      this.#writes.forget(client);
    },
    ping: () => {},

    write: (ask, within) => {
      // Of a client that has gone, nobody remembers what it has done already.
      if (!this.#snapshots.has(ask.client)) throw unknownClient(ask.client);
      return this.#writes.run(ask, within);
    },
    see: ({ names }) =>
      names.map(({ kind, key }) => this.#storage.getValue(kind, key)),

    value: ({ kind, key, at }) => this.#at(at).getValue(kind, key),
    entry: ({ kind, key, at }) => this.#at(at).getEntry(kind, key),
    keys: ({ kind, range, page, at }) =>
      this.#at(at).readKeys(kind, range, page),
    values: ({ kind, range, page, at }) =>
      this.#at(at).readValues(kind, range, page),
    entries: ({ kind, range, page, at }) =>
      this.#at(at).readEntries(kind, range, page),
    count: ({ kind, range, limit, at }) =>
      this.#at(at).count(kind, range, limit),
    kinds: ({ at }) => this.#at(at).listKinds(),

    openSnapshot: ({ client, id }) => {
      const snapshots = this.#snapshots.get(client);
      if (snapshots && !snapshots.has(id)) {
        snapshots.set(id, this.#copyEntries());
      }
    },
    closeSnapshot: ({ client, id }) => {
      this.#snapshots.get(client)?.delete(id);
    },

    head: () => this.#storage.headRevision(),
    changes: (ask) => this.#readChanges(ask),
    replay: (ask) => readReplay(this.#storage, ask),
  };

  #at(id: At["at"]): MemoryStorage {
    if (id === undefined) return this.#storage;
    for (const snapshots of this.#snapshots.values()) {
      const snapshot = snapshots.get(id);
      if (snapshot) return snapshot;
    }
    throw new Gone(`The server holds no snapshot ${id}`);
  }

  #copyEntries(): MemoryStorage {
    const head = this.#storage.headRevision();
    if (this.#copy?.head === head) return this.#copy.entries;
    const entries = new MemoryStorage();
    for (const kind of this.#storage.listKinds()) {
      const all = { limit: Infinity, bytes: Infinity };
      const { items } = this.#storage.readEntries(kind, ALL_KEYS, all);
      for (const { key, value, ...origin } of items) {
        entries.put(kind, key, value, origin);
      }
    }
    this.#copy = { head, entries };
    return entries;
  }

  #readChanges({ kind, keys, after, limit }: Ask<"changes">): ChangePage {
    const head = this.#storage.headRevision();
    if (head < after) {
      throw new WatchOverflowError(
        "ahead",
        `Cannot watch after revision ${after}: the server is at ${head}; read the kind again and watch from there`,
      );
    }
    const until = Math.min(head, after + READ_WINDOW);
    const page = this.#storage.readChanges(kind, keys, after, until, limit);
    assertLogReaches(this.#storage, after);
    return page;
  }
}

function failureOf(error: StoreError): Failure {
  const { code, message } = error;
  return error instanceof WatchOverflowError
    ? { code, message, reason: error.reason }
    : { code, message };
}

function unknownClient(client: string): StoreError {
  return new StoreError(
    "STORAGE",
    `Cannot write for the client ${client}: it has not said hello, or has said bye`,
  );
}
