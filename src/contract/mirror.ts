/**
 * Mirrors, which are maps in memory that follow a kind, and their changes.
 *
 * @module
 */
import type { UnreadableOptions } from "./entry.ts";
import type { OperationOptions } from "./operation.ts";

/**
 * What `sortBy` may return. `undefined` and `null` come first, then booleans,
 * numbers (also BigInt; `NaN` is the least), dates, strings by their UTF-8
 * bytes, and arrays, which compare part by part.
 */
export type SortKey =
  | string
  | number
  | bigint
  | boolean
  | Date
  | null
  | undefined
  | readonly SortKey[];

/**
 * Options of `mirror`.
 *
 * @typeParam T The kind's values.
 */
export interface MirrorOptions<T = unknown> extends UnreadableOptions {
  /** Only this key. Not together with `prefix`. */
  key?: string;
  /** Only keys that begin with this string. */
  prefix?: string;
  /**
   * Only entries for which this returns true. It is synchronous, and a
   * `TypeError` unless it returns a boolean. It is called when the value is read,
   * so it must depend on nothing else.
   */
  where?: (key: string, value: T) => boolean;
  /**
   * The order of the entries: by what this returns, then by key. It is called
   * when the value is read, so it must depend on nothing else.
   * @default {by key}
   */
  sortBy?: (key: string, value: T) => SortKey;
  /** From the last entry of the order to the first. @default {false} */
  reverse?: boolean;
  /**
   * Whether the mirror keeps the process running, as a timer does. If it does
   * not, it may see the writes of other processes later.
   * @default {true}
   */
  persistent?: boolean;
  /** Closes the mirror. Before it is complete, `mirror` rejects with `signal.reason`. */
  signal?: AbortSignal;
}

/** An entry came into a mirror. */
export interface EnteredPatch<T = unknown> {
  /** What happened. */
  type: "entered";
  /** The entry's key. */
  key: string;
  /** The entry's value. */
  value: T;
  /** The key of the entry that it follows in the order; absent if it is the first. */
  follows?: string;
}

/** An entry of a mirror has another value, and the same place. */
export interface ChangedPatch<T = unknown> {
  /** What happened. */
  type: "changed";
  /** The entry's key. */
  key: string;
  /** The new value. */
  value: T;
  /** The value before. */
  previous: T;
}

/** An entry of a mirror has another value, and another place. */
export interface MovedPatch<T = unknown> {
  /** What happened. */
  type: "moved";
  /** The entry's key. */
  key: string;
  /** The new value. */
  value: T;
  /** The value before. */
  previous: T;
  /** The key of the entry that it follows in the order; absent if it is the first. */
  follows?: string;
}

/** An entry went from a mirror: it was deleted, has expired, or `where` refuses its new value. */
export interface LeftPatch<T = unknown> {
  /** What happened. */
  type: "left";
  /** The entry's key. */
  key: string;
  /** The value that it had. */
  value: T;
}

/**
 * What happened to one entry of a mirror.
 *
 * @typeParam T The kind's values.
 */
export type MirrorPatch<T = unknown> =
  | EnteredPatch<T>
  | ChangedPatch<T>
  | MovedPatch<T>
  | LeftPatch<T>;

/**
 * The difference between two states of a mirror. Apply the patches in their
 * order, each to the list as the patches before it left it.
 *
 * @typeParam T The kind's values.
 */
export interface MirrorChange<T = unknown> {
  /** The mirror's `revision` after it. */
  readonly revision: number;
  /** One patch for each entry that differs: first the entries that left, then the others in their order. */
  readonly patches: readonly MirrorPatch<T>[];
}

/** Options of a mirror's `changes`. */
export interface MirrorChangesOptions {
  /** Whether the stream begins with the present entries, as `entered`. @default {false} */
  initial?: boolean;
  /** Ends the stream; it closes. */
  signal?: AbortSignal;
}

/**
 * A map in memory that follows a kind, or a part of it. It shows every change,
 * by this store or any other writer. Its reads need no `await`.
 *
 * - **It shows one revision.** The map always shows the kind as it was at one
 *   revision. It shows a transaction whole, unless more than 10 000 changes
 *   wait, or the transaction has values of more than 512 KiB. If the change log
 *   no longer holds every change that the mirror has yet to see, the mirror
 *   lists the entries again, and shows the differences. It is never empty in
 *   between.
 * - **Values are shared and frozen.** `get` gives the same object each time.
 *   Objects and arrays in it are frozen. JavaScript cannot freeze a `Date`,
 *   a `Map`, a `Set`, bytes, or an instance of a class: do not change these.
 * - **An iteration shows one moment**: that of its beginning.
 * - **Expiry**: an expired entry leaves with its `delete` event, which may come
 *   a second after the expiry.
 * - **Its end.** A mirror ends when it is closed, when its signal aborts, and
 *   when the store closes. It fails if a value cannot be read (see
 *   `onUnreadable`), if `where` or `sortBy` throws, and if the store cannot be
 *   read. From then on, every use throws the reason: `StoreClosedError`,
 *   `signal.reason`, or the error.
 *
 * @typeParam T The kind's values.
 */
export interface Mirror<T = unknown>
  extends ReadonlyMap<string, T>, EventTarget, AsyncDisposable {
  /** The kind. */
  readonly kind: string;
  /** The mirror has seen every change up to this revision. */
  readonly revision: number;
  /** Resolves when the mirror has ended; rejects with the error if it has failed. */
  readonly closed: Promise<void>;

  /**
   * Resolves when the mirror has seen every change up to a revision. Pass the
   * revision of a write's result, and the mirror shows this write.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: string }>({ path: ":memory:" });
   * await using users = await store.mirror("users");
   *
   * const { revision } = await store.set("users", "al", "Alice");
   * await users.reached(revision);
   * assertEquals(users.get("al"), "Alice");
   * ```
   */
  reached(revision: number, options?: OperationOptions): Promise<void>;

  /**
   * The changes from now on, as a stream of differences. A slow consumer gets
   * several changes as one difference. So the memory for a slow consumer grows
   * with the number of entries, not with the number of writes.
   *
   * The stream closes when the mirror ends, and errors if the mirror fails.
   *
   * @example A list that follows the mirror
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ scores: number }>({ path: ":memory:" });
   * await using best = await store.mirror("scores", {
   *   sortBy: (_key, score) => score,
   *   reverse: true,
   * });
   * await store.setAll("scores", { ann: 3, bob: 7, cid: 5 });
   * const { revision } = await store.set("scores", "ann", 9);
   *
   * const list: string[] = [];
   * for await (const change of best.changes({ initial: true })) {
   *   for (const patch of change.patches) {
   *     if (patch.type === "changed") continue;
   *     const at = list.indexOf(patch.key);
   *     if (at >= 0) list.splice(at, 1);
   *     if (patch.type === "left") continue;
   *     // `indexOf` gives -1 for the first one, which follows nothing.
   *     list.splice(list.indexOf(patch.follows ?? "") + 1, 0, patch.key);
   *   }
   *   if (change.revision >= revision) break;
   * }
   * assertEquals(list, ["ann", "bob", "cid"]);
   * ```
   */
  changes(options?: MirrorChangesOptions): ReadableStream<MirrorChange<T>>;

  /**
   * Calls the listener as soon as the mirror has changed. The difference is the
   * event's `detail`.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: string }>({ path: ":memory:" });
   * await using users = await store.mirror("users");
   * const seen: string[] = [];
   * users.addEventListener("change", ({ detail }) => {
   *   for (const { type, key } of detail.patches) seen.push(`${type} ${key}`);
   * });
   *
   * const { revision } = await store.set("users", "al", "Alice");
   * await users.reached(revision);
   * assertEquals(seen, ["entered al"]);
   * ```
   */
  addEventListener(
    type: "change",
    listener:
      | ((event: CustomEvent<MirrorChange<T>>) => void)
      | { handleEvent(event: CustomEvent<MirrorChange<T>>): void }
      | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /** Calls the listener for an event. */
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /**
   * Stops calling the listener.
   *
   * @example
   * ```ts
   * import { openStore } from "@zestor/store";
   * import { assertEquals } from "@std/assert";
   *
   * await using store = await openStore<{ users: string }>({ path: ":memory:" });
   * await using users = await store.mirror("users");
   * let calls = 0;
   * const count = () => void calls++;
   * users.addEventListener("change", count);
   * users.removeEventListener("change", count);
   *
   * const { revision } = await store.set("users", "al", "Alice");
   * await users.reached(revision);
   * assertEquals(calls, 0);
   * ```
   */
  removeEventListener(
    type: "change",
    listener:
      | ((event: CustomEvent<MirrorChange<T>>) => void)
      | { handleEvent(event: CustomEvent<MirrorChange<T>>): void }
      | null,
    options?: boolean | EventListenerOptions,
  ): void;
  /** Stops calling the listener. */
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;

  /**
   * Ends the mirror and its streams. A second call does nothing. `await using`
   * calls it for you.
   *
   * @example
   * ```ts
   * import { openStore, StoreClosedError } from "@zestor/store";
   * import { assertThrows } from "@std/assert";
   *
   * await using store = await openStore({ path: ":memory:" });
   * const users = await store.mirror("users");
   * await users.close();
   * assertThrows(() => users.get("al"), StoreClosedError);
   * ```
   */
  close(): Promise<void>;
}

/** Options of `waitFor`. */
export interface WaitForOptions extends OperationOptions, UnreadableOptions {}
