/**
 * A map in memory that follows a kind.
 *
 * @module
 */
import { integerFrom, readOptions } from "../../base/options.ts";
import { unlessAborted } from "../../base/promises.ts";
import { runInSlices } from "../../base/slice.ts";
import { StoreClosedError } from "../../contract/errors.ts";
import type {
  Mirror,
  MirrorChange,
  MirrorChangesOptions,
} from "../../contract/mirror.ts";
import type { OperationOptions } from "../../contract/operation.ts";
import { isDeepStrictEqual } from "node:util";
import { OPERATION } from "../options.ts";
import { type ChangesSource, ChangesStream } from "./changes_stream.ts";
import { Differences } from "./differences.ts";
import { Feed, type FeedConsumer, type MirrorStore } from "./feed.ts";
import { type Item, Items } from "./items.ts";
import { CHANGES, type MirrorSettings } from "./mirror_options.ts";
import type { Staged } from "./reader.ts";
import { RevisionWaits } from "./revision_waits.ts";

const revisionOf = integerFrom(0);

/** A mirror. It begins to list its entries when it is created. */
export class StoreMirror<T> extends EventTarget implements Mirror<T> {
  readonly kind: string;
  readonly #items: Items<T>;
  readonly #feed: Feed<T>;
  readonly #complete: Promise<void>;
  readonly #running: Promise<void>;
  readonly #stop = new AbortController();
  readonly #closed = Promise.withResolvers<void>();
  readonly #waits = new RevisionWaits();
  readonly #streams = new Set<ChangesStream<T>>();
  /** The changes that no event has reported yet, if there are listeners. */
  #untold: Differences<T> | undefined;
  #revision = 0;
  /** Whether it has been complete. */
  #isComplete = false;
  #hasEnded = false;
  /** Why the mirror has ended, which may be any thrown value. */
  #reason: unknown;

  /** Takes the store, and the settings of the mirror. */
  constructor(store: MirrorStore, settings: MirrorSettings) {
    super();
    this.kind = settings.kind;
    this.#items = new Items(settings.reverse);
    // If nobody uses `closed`, nobody needs this error.
    this.#closed.promise.catch(() => {});
    this.#endWith(store.closing);
    if (settings.signal) this.#endWith(settings.signal);
    this.#feed = new Feed(store, settings, this.#consumer(), this.#stop.signal);
    const listed = this.#feed.list(false);
    this.#complete = listed.then(() => {});
    this.#running = store.track(
      listed.then((seen) => this.#feed.follow(seen)).catch((error) => {
        this.#end(error, true);
      }),
    );
  }

  /** Resolves when the mirror is complete. */
  async complete(): Promise<void> {
    try {
      await unlessAborted(this.#complete, this.#stop.signal);
    } catch (error) {
      throw this.#hasEnded ? this.#reason : error;
    }
  }

  // Its end.

  #endWith(signal: AbortSignal): void {
    const onAbort = () => this.#end(signal.reason, false);
    signal.addEventListener("abort", onAbort);
    this.#stop.signal.addEventListener("abort", () => {
      signal.removeEventListener("abort", onAbort);
    });
  }

  #end(reason: unknown, hasFailed: boolean): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#reason = reason;
    this.#stop.abort(reason);
    this.#waits.fail(reason);
    for (const stream of [...this.#streams]) {
      if (hasFailed) stream.fail(reason);
      else stream.close();
    }
    if (hasFailed) this.#closed.reject(reason);
    else this.#closed.resolve();
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  async close(): Promise<void> {
    this.#end(
      new StoreClosedError(
        "Cannot use the mirror: it is closed; open another one",
      ),
      false,
    );
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  // Reading.

  /** The items. Throws if the mirror no longer follows the store. */
  get #live(): Items<T> {
    if (this.#hasEnded) throw this.#reason;
    return this.#items;
  }

  get(key: string): T | undefined {
    return this.#live.get(key)?.value;
  }

  has(key: string): boolean {
    return this.#live.has(key);
  }

  get size(): number {
    return this.#live.size;
  }

  get revision(): number {
    return this.#live && this.#revision;
  }

  keys(): MapIterator<string> {
    return mapped(this.#live.inOrder(), ({ key }) => key);
  }

  values(): MapIterator<T> {
    return mapped(this.#live.inOrder(), ({ value }) => value);
  }

  entries(): MapIterator<[string, T]> {
    return mapped(this.#live.inOrder(), ({ key, value }) => [key, value]);
  }

  [Symbol.iterator](): MapIterator<[string, T]> {
    return this.entries();
  }

  forEach(
    callback: (value: T, key: string, map: ReadonlyMap<string, T>) => void,
    thisArg?: unknown,
  ): void {
    for (const [key, value] of this) callback.call(thisArg, value, key, this);
  }

  async reached(revision: number, options?: OperationOptions): Promise<void> {
    const { signal } = readOptions("reached", options, OPERATION);
    revisionOf("reached", "revision", revision);
    signal?.throwIfAborted();
    if (this.revision >= revision) return;
    const reached = this.#waits.wait(revision, signal);
    this.#feed.nudge();
    await reached;
  }

  // Telling.

  changes(options?: MirrorChangesOptions): ReadableStream<MirrorChange<T>> {
    const { initial = false, signal } = readOptions(
      "changes",
      options,
      CHANGES,
    );
    const source: ChangesSource<T> = {
      items: this.#live,
      revision: () => this.#revision,
      onEnd: (stream) => this.#streams.delete(stream),
    };
    const stream = new ChangesStream(source, initial, signal);
    if (!signal?.aborted) this.#streams.add(stream);
    return stream.readable;
  }

  override addEventListener(
    type: string,
    // deno-lint-ignore no-explicit-any -- an event's type depends on its name
    listener: any,
    options?: boolean | AddEventListenerOptions,
  ): void {
    if (type === "change") this.#untold ??= new Differences(this.#items, false);
    super.addEventListener(type, listener, options);
  }

  #consumer(): FeedConsumer<T> {
    const waits = this.#waits;
    return {
      get isAwaited() {
        return waits.isAny;
      },
      show: (staged, revision) => this.#show(staged, revision),
      showAll: (staged, revision) => this.#showAll(staged, revision),
    };
  }

  /** It works in slices until the map changes, which is one step. */
  async #showAll(all: Staged<T>, revision: number): Promise<void> {
    const { signal } = this.#stop;
    const changed = await runInSlices(this.#differencesTo(all), signal);
    if (this.#isComplete) return this.#show(changed, revision);
    // Nobody sees this map yet.
    await runInSlices(this.#fill(changed), signal);
    this.#isComplete = true;
    this.#revision = revision;
  }

  *#differencesTo(all: Staged<T>): Generator<void, Staged<T>> {
    const changed: Staged<T> = new Map();
    for (const key of this.#items.keys()) {
      if (!all.get(key)) changed.set(key, undefined);
    }
    for (const [key, item] of all) {
      if (!isSame(this.#items.get(key), item)) changed.set(key, item);
      yield;
    }
    return changed;
  }

  *#fill(items: Staged<T>): Generator<void, void> {
    for (const item of items.values()) {
      if (item) this.#items.put(item);
      yield;
    }
  }

  #show(staged: Staged<T>, revision: number): void {
    for (const [key, item] of staged) {
      const before = item ? this.#items.put(item) : this.#items.remove(key);
      if (!before && !item) continue;
      this.#untold?.note(key, before, item);
      for (const { differences } of this.#streams) {
        differences.note(key, before, item);
      }
    }
    this.#revision = revision;
    this.#waits.reached(revision);
    for (const stream of [...this.#streams]) stream.tell();
    if (this.#untold?.isAny) {
      const detail = { revision, patches: this.#untold.take() };
      this.dispatchEvent(new CustomEvent("change", { detail }));
    }
  }
}

function isSame<T>(a: Item<T> | undefined, b: Item<T> | undefined): boolean {
  if (!a || !b) return a === b;
  try {
    return isDeepStrictEqual(a.value, b.value);
  } catch {
    // The value has too many levels to compare.
    return false;
  }
}

function* mapped<From, To>(
  items: Iterable<From>,
  to: (item: From) => To,
): Generator<To, undefined> {
  for (const item of items) yield to(item);
}
