/**
 * The stream of a watch: a cursor into the change log, and nothing more. It is
 * read on `pull`, with no queue of its own, so a consumer that does not read
 * costs nothing, and no event is lost or doubled between the log and it.
 *
 * @module
 */
import type {
  WatchBookmark,
  WatchEvent,
  WatchOptions,
} from "../contract/watch.ts";
import { WatchOverflowError } from "../contract/errors.ts";
import { assertName } from "../keys/names.ts";
import { PagedItems, type Pages } from "../base/paged_stream.ts";
import { isPromise, type MaybePromise } from "../base/promises.ts";
import { Slice } from "../base/slice.ts";
import type { StoredChange } from "../engine/entries.ts";
import type { ChangeFilter, ChangeLog } from "../engine/change_log.ts";
import { type WatchSettings, watchSettingsOf } from "./options.ts";

/** What a watch emits. */
export type WatchItem = WatchEvent | WatchBookmark;

/** Decodes a value, or promises to; throws `CodecError`. */
export type DecodeValue = (
  kind: string,
  key: string,
  bytes: Uint8Array,
) => MaybePromise<unknown>;

/** A watch as the store holds it. */
export interface Watch {
  /** Ends the stream, as when the store closes. */
  end(): void;
}

/** What a watch stands on. */
export interface WatchSource {
  readonly log: ChangeLog;
  /** The newest revision, in order with the store's writes. */
  head(): MaybePromise<number>;
  readonly decode: DecodeValue;
  /** What the stream's reader is told of an error. */
  errorOf(error: unknown): unknown;
  /** The watches whose streams have not closed. */
  readonly open: Set<Watch>;
}

/**
 * Begins a watch at this moment. It is in `open` until its stream closes, by
 * whatever cause. Throws on options that make no watch.
 */
export function openWatch(
  { log, head: newest, decode, errorOf, open }: WatchSource,
  kind: string,
  options?: WatchOptions,
): ReadableStream<WatchItem> {
  assertName("kind", kind);
  const settings = watchSettingsOf(options);
  const { keys, signal } = settings;
  const stop = new AbortController();
  const head = headOf(newest);
  const items = new PagedItems(watchPages(
    log,
    { filter: { kind, keys }, settings, decode, head },
    stop.signal,
  ));
  let controller!: ReadableStreamDefaultController<WatchItem>;

  /** True for the first caller: the one who closes the stream. */
  const stopOnce = (): boolean => {
    if (stop.signal.aborted) return false;
    stop.abort();
    signal?.removeEventListener("abort", end);
    open.delete(watch);
    return true;
  };
  const end = () => {
    if (stopOnce()) controller.close();
  };

  const stream = new ReadableStream<WatchItem>({
    start(ownController) {
      controller = ownController;
    },
    async pull() {
      try {
        const next = items.next();
        const item = isPromise(next) ? await next : next;
        if (stop.signal.aborted || item === undefined) return end();
        controller.enqueue(item);
      } catch (error) {
        if (stopOnce()) controller.error(errorOf(error));
      }
    },
    cancel() {
      stopOnce();
    },
  }, { highWaterMark: 0 });

  const watch: Watch = { end };
  open.add(watch);
  if (signal?.aborted) end();
  else signal?.addEventListener("abort", end);
  return stream;
}

/** The newest revision at this moment; where it cannot be read, the stream tells. */
function headOf(newest: () => MaybePromise<number>): MaybePromise<number> {
  try {
    const head = newest();
    // Where nobody reads the stream, nobody hears that it failed.
    if (isPromise(head)) head.then(undefined, () => {});
    return head;
  } catch (error) {
    const failed = Promise.reject(error);
    failed.catch(() => {});
    return failed;
  }
}

interface WatchPlan {
  readonly filter: ChangeFilter;
  readonly settings: WatchSettings;
  readonly decode: DecodeValue;
  /** The newest revision at the moment of the call. */
  readonly head: MaybePromise<number>;
}

async function* watchPages(
  log: ChangeLog,
  { filter, settings, decode, head }: WatchPlan,
  stop: AbortSignal,
): Pages<WatchItem> {
  const { initial, types, after, bufferSize, bookmarks, persistent } = settings;
  const { kind } = filter;
  const toEvent = (change: StoredChange): MaybePromise<WatchEvent> => {
    const { type, key, version, revision } = change;
    const value = decode(kind, key, change.value);
    return isPromise(value)
      ? value.then((value) => ({ type, kind, key, value, version, revision }))
      : { type, kind, key, value, version, revision };
  };
  const slice = new Slice();

  const start = await head;
  let cursor = after ?? start;
  assertReached(cursor, start);

  if (initial && types.has("create")) {
    const replay = log.replay(filter, start);
    while (!replay.done && !stop.aborted) {
      const entries = await replay.next(bufferSize);
      yield entries.values().map((entry) =>
        toEvent({ ...entry, type: "create", revision: 0 })
      );
      if (slice.isUsedUp) await slice.nextTurn();
    }
  }
  let told = cursor;
  if (initial && bookmarks) {
    yield [{ type: "bookmark", revision: cursor }];
  }

  while (!stop.aborted) {
    const page = await log.read(filter, cursor, bufferSize);
    const changes = page.changes.filter(({ type }) => types.has(type));
    yield changes.values().map(toEvent);
    told = changes.at(-1)?.revision ?? told;
    if (bookmarks && page.cursor - told >= log.bookmarkInterval) {
      told = page.cursor;
      yield [{ type: "bookmark", revision: told }];
    }
    if (page.cursor > cursor) {
      cursor = page.cursor;
      if (slice.isUsedUp) await slice.nextTurn();
    } else {
      cursor = await log.wait({
        kind,
        after: cursor,
        persistent,
        signal: stop,
      });
      slice.restart();
    }
  }
}

function assertReached(after: number, head: number): void {
  if (after <= head) return;
  throw new WatchOverflowError(
    "ahead",
    `Cannot watch after revision ${after}: the store is at ${head}, so that revision is another store's, or of a state that was replaced, as by a backup; read the kind again and watch from there`,
  );
}
