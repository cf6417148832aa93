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
import type { StoreError } from "../contract/errors.ts";
import { PagedItems, type Pages } from "../base/paged_stream.ts";
import { isPromise, type MaybePromise } from "../base/promises.ts";
import { Slice } from "../base/slice.ts";
import { cursorOf } from "../engine/cursor.ts";
import type { StoredChange, StoredEntry } from "../engine/entries.ts";
import type { ChangeFilter } from "../engine/change_log.ts";
import type { Engine } from "../engine/engine.ts";
import type { Page } from "../engine/page.ts";
import type { PastView } from "../engine/view.ts";
import { compareKeys } from "../keys/key_order.ts";
import type { KeyRange } from "../keys/key_range.ts";
import { type DecodeValue, eventOf, type ReadChange } from "./events.ts";
import { resumeAfter } from "./resume.ts";
import { tellProblems } from "./unreadable.ts";
import { type WatchSettings, watchSettingsOf } from "./watch_options.ts";

/** What a watch emits. */
export type WatchItem = WatchEvent | WatchBookmark;

/** A watch as the store holds it. */
export interface Watch {
  /** Ends the stream, as when the store closes. */
  end(): void;
}

/** What a watch stands on. */
export interface WatchSource {
  readonly engine: Pick<Engine, "log" | "openPast" | "errorOf">;
  /** The newest revision, in order with the store's writes. */
  head(): MaybePromise<number>;
  readonly decode: DecodeValue;
  /** The watches whose streams have not closed. */
  readonly open: Set<Watch>;
}

/**
 * Begins a watch of some kinds, or of all, at this moment. It is in `open` until
 * its stream closes, for any reason. Throws on options that make no watch.
 */
export function openWatch(
  { engine, head: newest, decode, open }: WatchSource,
  kinds: readonly string[] | undefined,
  options?: WatchOptions,
): ReadableStream<WatchItem> {
  const settings = watchSettingsOf(options);
  const { keys, previous, onUnreadable, signal } = settings;
  const stop = new AbortController();
  const items = new PagedItems(watchPages(
    engine,
    {
      filter: { kinds, keys, previous },
      settings,
      read: { decode, onUnreadable },
      head: headOf(newest),
      time: Date.now(),
    },
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
        if (stopOnce()) controller.error(engine.errorOf("watch", error));
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
    // If nobody reads the stream, nobody hears that it failed.
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
  readonly read: ReadChange;
  /** The newest revision at the moment of the call. */
  readonly head: MaybePromise<number>;
  /** The moment of the call, in ms since 1970. */
  readonly time: number;
}

async function* watchPages(
  engine: WatchSource["engine"],
  { filter, settings, read, head, time }: WatchPlan,
  stop: AbortSignal,
): Pages<WatchItem> {
  const { log } = engine;
  const { initial, types, after, bufferSize, bookmarks, persistent } = settings;
  const slice = new Slice();

  const start = await head;
  let cursor = after ? await resumeAfter(log, after, start) : start;
  if (initial && types.has("create")) {
    const view = await engine.openPast(start, time);
    // It only names a place to begin anew from.
    const mark = await log.markOf(0) ?? 0;
    const pages = replayPages(view, mark, filter, bufferSize, read);
    for await (const page of pages) {
      yield page;
      if (stop.aborted) return;
      if (slice.isUsedUp) await slice.nextTurn();
    }
  }
  const bookmark = async (revision: number): Promise<WatchBookmark[]> => {
    const mark = await log.markOf(revision);
    // It is gone from the log already: a later one has to do.
    if (mark === undefined) return [];
    return [{ type: "bookmark", revision, cursor: cursorOf(revision, mark) }];
  };
  let told = cursor;
  let isDue = after !== undefined;
  if (initial && bookmarks) {
    const marks = await bookmark(cursor);
    isDue = marks.length === 0;
    yield marks;
  }

  while (!stop.aborted) {
    const page = await log.read(filter, cursor, bufferSize);
    const changes = page.changes.filter((change) =>
      "problem" in change || types.has(change.type)
    );
    yield changes.values().map((change) => eventOf(change, read));
    told = changes.at(-1)?.revision ?? told;
    const hasCaughtUp = isDue && page.cursor >= start;
    const isFar = page.cursor - told >= log.bookmarkInterval;
    if (bookmarks && (hasCaughtUp || isFar)) {
      const marks = await bookmark(page.cursor);
      if (marks.length > 0) {
        told = page.cursor;
        if (hasCaughtUp) isDue = false;
      }
      yield marks;
    }
    if (page.cursor > cursor) {
      cursor = page.cursor;
      if (slice.isUsedUp) await slice.nextTurn();
    } else {
      cursor = await log.wait({
        kinds: filter.kinds,
        after: cursor,
        persistent,
        signal: stop,
      });
      slice.restart();
    }
  }
}

/** What was there, by kind and in key order; closes the view. */
async function* replayPages(
  view: PastView,
  mark: number,
  { kinds, keys }: ChangeFilter,
  limit: number,
  read: ReadChange,
): Pages<WatchEvent> {
  const { onUnreadable } = read;
  const problems: StoreError[] = [];
  const options = onUnreadable
    ? { limit, onUnreadable: (it: StoreError) => problems.push(it) }
    : { limit };
  try {
    const inOrder = kinds ? [...kinds].sort(compareKeys) : await view.kinds();
    for (const kind of inOrder) {
      for (let rest: KeyRange | undefined = keys; rest;) {
        const page: Page<StoredEntry> = await view.entries(
          kind,
          rest,
          options,
        );
        tellProblems(kind, problems.splice(0), onUnreadable);
        yield page.items.values().map((entry) =>
          eventOf(replayedOf(kind, mark, entry), read, entry.revision)
        );
        rest = page.rest;
      }
    }
  } finally {
    await view.close();
  }
}

function replayedOf(
  kind: string,
  mark: number,
  { key, value, version, expiresAt }: StoredEntry,
): StoredChange {
  return {
    revision: 0,
    mark,
    kind,
    type: "create",
    isExpiry: false,
    key,
    version,
    value,
    expiresAt,
    time: undefined,
  };
}
