/**
 * A server in this process, for several clients at once: entries, their change
 * log, and snapshots. Each request is carried out in one step, except for reads
 * of the past, which may take several.
 *
 * @module
 */
import {
  StoreError,
  WatchOverflowError,
} from "../../../src/contract/errors.ts";
import { isPromise, type MaybePromise } from "../../../src/base/promises.ts";
import type { ChangePage } from "../../../src/engine/entries.ts";
import type { View } from "../../../src/engine/view.ts";
import { momentOf } from "../../../src/local/past_moment.ts";
import { assertLogReaches, READ_WINDOW } from "../../../src/local/revisions.ts";
import { UndoView } from "../../../src/local/undo_view.ts";
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
import { ServerStorage } from "./server_storage.ts";
import { ServerExpiry } from "./server_expiry.ts";
import { StorageView } from "./server_view.ts";
import { ServerWrites, type WithinTransaction } from "./server_writes.ts";

type Handlers = {
  readonly [Name in CallName]: (
    ask: Ask<Name>,
    within?: WithinTransaction,
  ) => MaybePromise<Answer<Name>>;
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
  readonly #storage = new ServerStorage();
  readonly #now = new StorageView(this.#storage);
  readonly #writes: ServerWrites;
  readonly #expiry: ServerExpiry;
  readonly #listeners = new Set<NewsListener>();
  /** The snapshots of each client, by their ids. */
  readonly #snapshots = new Map<string, Map<string, View>>();
  #calls = 0;

  /** Begins empty. */
  constructor({ history = 10_000, limits = LIMITS }: ServerOptions = {}) {
    this.history = history;
    this.limits = limits;
    this.#writes = new ServerWrites(this.#storage, this, (head) => {
      for (const listener of this.#listeners) listener(head);
    });
    this.#expiry = new ServerExpiry({
      next: () => this.#storage.nextExpiry(),
      remove: () => this.#writes.removeExpired(),
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

  /**
   * Puts the server back to an earlier revision, as a failover to a replica that
   * lags does. What is written next are other changes of the same revisions.
   * Nobody hears of it.
   */
  putBack(revision: number): void {
    this.dropSnapshots();
    this.#storage.putBack(revision);
    this.#writes.putBack(revision);
  }

  /** Calls back after each commit, until what it returns is disposed of. */
  listen(listener: NewsListener): Disposable {
    this.#listeners.add(listener);
    this.#expiry.isHeard = true;
    return {
      [Symbol.dispose]: () => {
        this.#listeners.delete(listener);
        this.#expiry.isHeard = this.#listeners.size > 0;
      },
    };
  }

  /** Carries out a request; throws, or rejects with, only what `within` throws. */
  handle<Name extends CallName>(
    name: Name,
    ask: Ask<Name>,
    within?: WithinTransaction,
  ): MaybePromise<Reply<Name>> {
    this.#calls++;
    this.#expiry.look();
    const succeed = (answer: Answer<Name>) => ({ ok: true, answer }) as const;
    try {
      const handler: Handlers[Name] = this.#handlers[name];
      const answer = handler(ask, within);
      return isPromise(answer)
        ? answer.then(succeed, failedReply)
        : succeed(answer as Answer<Name>);
    } catch (error) {
      return failedReply(error);
    } finally {
      this.#expiry.plan();
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
    see: ({ names }) => names.map((name) => this.#writes.see(name)),

    value: ({ kind, key, at }) => this.#at(at).value(kind, key),
    entry: ({ kind, key, at }) => this.#at(at).entry(kind, key),
    state: ({ kind, key, at }) => this.#at(at).state(kind, key),
    some: ({ kind, keys, at }) => this.#at(at).some(kind, keys),
    keys: ({ kind, range, page, at }) => this.#at(at).keys(kind, range, page),
    values: ({ kind, range, page, at }) =>
      this.#at(at).values(kind, range, page),
    entries: ({ kind, range, page, at }) =>
      this.#at(at).entries(kind, range, page),
    count: ({ kind, range, limit, at }) =>
      this.#at(at).count(kind, range, limit),
    kinds: ({ at }) => this.#at(at).kinds(),

    openSnapshot: ({ client, id }) => {
      const snapshots = this.#snapshots.get(client);
      if (snapshots && !snapshots.has(id)) {
        const entries = this.#storage.clone();
        snapshots.set(id, new StorageView(entries, Date.now()));
      }
    },
    closeSnapshot: ({ client, id }) => {
      this.#snapshots.get(client)?.delete(id);
    },

    openPast: ({ at, time }) => {
      const moment = momentOf(this.#storage, at, time);
      return { ...moment, mark: this.#storage.getMark(moment.revision) };
    },

    head: () => {
      const revision = this.#storage.headRevision();
      return { revision, mark: this.#storage.getMark(revision) };
    },
    oldest: () => this.#storage.oldestRevision(),
    markOf: ({ revision }) => this.#storage.getMark(revision),
    changes: (ask) => this.#readChanges(ask),
    changesBack: (ask) => this.#readChangesBack(ask),
  };

  #at(at: At["at"]): View {
    if (at === undefined) return this.#now;
    if (typeof at !== "string") {
      return new UndoView(this.#storage, (read) => {
        this.#storage.assertHas(at.revision, at.mark);
        return read();
      }, at);
    }
    for (const snapshots of this.#snapshots.values()) {
      const snapshot = snapshots.get(at);
      if (snapshot) return snapshot;
    }
    throw new Gone(`The server holds no snapshot ${at}`);
  }

  #readChanges({ filter, after, limit, mark }: Ask<"changes">): ChangePage {
    this.#storage.assertHas(after, mark);
    const head = this.#storage.headRevision();
    const until = Math.min(head, after + READ_WINDOW);
    const page = this.#storage.readChanges(filter, after, until, limit);
    assertLogReaches(this.#storage, after);
    return this.#marked(page);
  }

  #marked(page: ChangePage): ChangePage {
    return { ...page, mark: this.#storage.getMark(page.cursor) };
  }

  #readChangesBack(
    { filter, before, after, limit, mark }: Ask<"changesBack">,
  ): ChangePage {
    if (mark !== undefined) this.#storage.assertHas(before, mark);
    const from = Math.max(after, before - 1 - READ_WINDOW);
    const page = this.#storage.readChangesBack(filter, before, from, limit);
    assertLogReaches(this.#storage, from);
    return this.#marked(page);
  }
}

function failedReply(error: unknown) {
  return { ok: false, failure: failureOf(error) } as const;
}

/** What the client is told. Throws an error that is not the server's. */
function failureOf(error: unknown): Failure {
  if (error instanceof Gone) return { code: "GONE", message: error.message };
  if (!(error instanceof StoreError)) throw error;
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
