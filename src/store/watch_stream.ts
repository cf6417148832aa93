/**
 * The stream of a watch: a cursor into the change log, and nothing more. It
 * reads on `pull`, without a queue of its own. So a consumer that does not read
 * costs nothing, and no event is lost or doubled between the log and the
 * stream.
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
import { isPromise, type MaybePromise, promiseOf } from "../base/promises.ts";
import { Slice } from "../base/slice.ts";
import { type Cursor, cursorOf } from "../engine/cursor.ts";
import type { ChangePage, StoredEntry } from "../engine/entries.ts";
import type { ChangeFilter, ChangeLog } from "../engine/change_log.ts";
import type { Engine } from "../engine/engine.ts";
import type { Observer } from "../engine/observer.ts";
import type { Page } from "../engine/page.ts";
import type { PastView } from "../engine/view.ts";
import { compareKeys } from "../keys/key_order.ts";
import type { KeyRange } from "../keys/key_range.ts";
import { eventOf, type ReadChange, replayedEventOf } from "./events.ts";
import { assertSameHistory, resumeAfter, withMark } from "./resume.ts";
import { tellProblems } from "./unreadable.ts";
import { type WatchSettings, watchSettingsOf } from "./watch_options.ts";

/** An item of a watch. */
export type WatchItem = WatchEvent | WatchBookmark;

/** A watch, for the store. */
export interface Watch {
  /** Ends the stream, for example when the store closes. */
  end(): void;
}

/** The parts of the store that a watch needs. */
export interface WatchSource {
  readonly engine: Pick<Engine, "log" | "openPast" | "errorOf">;
  /** The newest revision, in order with the store's writes. */
  head(): MaybePromise<number>;
  readonly values: ReadChange["values"];
  /** The watches whose streams have not closed. */
  readonly open: Set<Watch>;
  /** Who is told of each event, when it is given. */
  readonly observer?: Observer;
}

/**
 * Begins a watch of some kinds, or of all, at this moment. It is in `open`
 * until its stream closes, for any reason. Throws if the options are invalid.
 */
export function openWatch(
  { engine, head: newest, values, open, observer }: WatchSource,
  kinds: readonly string[] | undefined,
  options?: WatchOptions,
): ReadableStream<WatchItem> {
  const settings = watchSettingsOf(options);
  const { keys, previous, onUnreadable, signal } = settings;
  const stop = new AbortController();
  const items = new PagedItems(watchPages(
    engine,
    {
      filter: {
        kinds,
        keys,
        previous,
        asText: kinds?.every((kind) => values.isText(kind)),
      },
      settings,
      read: { values, onUnreadable },
      head: headOf(engine.log, newest),
      time: Date.now(),
      observer,
    },
    stop.signal,
  ));
  let controller!: ReadableStreamDefaultController<WatchItem>;

  /** Returns true to the first caller, who then closes the stream. */
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

/** The newest revision at this moment. If it cannot be read, the stream reports the error. */
function headOf(
  log: ChangeLog,
  newest: () => MaybePromise<number>,
): Promise<Cursor> {
  const head = promiseOf(newest).then((revision) => withMark(log, revision));
  // If nobody reads the stream, nobody needs this error.
  head.catch(() => {});
  return head;
}

interface WatchPlan {
  readonly filter: ChangeFilter;
  readonly settings: WatchSettings;
  readonly read: ReadChange;
  /** The newest change at the moment of the call. */
  readonly head: Promise<Cursor>;
  /** The moment of the call, in ms since 1970. */
  readonly time: number;
  readonly observer: Observer | undefined;
}

async function* watchPages(
  engine: WatchSource["engine"],
  { filter: asked, settings, read, head, time, observer }: WatchPlan,
  stop: AbortSignal,
): Pages<WatchItem> {
  // An observer measures how old a change is.
  const filter = observer ? { ...asked, times: true } : asked;
  const { log } = engine;
  const { initial, types, after, bufferSize, bookmarks, persistent } = settings;
  const slice = new Slice();
  const following = { persistent, signal: stop };

  const start = await head;
  let seen = after ? await resumeAfter(log, after, start.revision) : start;
  if (initial && types.has("create")) {
    // The cursor only names a place to begin again.
    const mark = await log.markOf(0) ?? 0;
    const view = await engine.openPast(start.revision, time);
    const replay = { view, mark, limit: bufferSize };
    const assertSound = () => assertSameHistory(log, start);
    for await (const page of replayPages(replay, filter, read, assertSound)) {
      yield page;
      if (stop.aborted) return;
      if (slice.isUsedUp) await slice.nextTurn();
    }
  }
  const bookmark = async (
    { revision, mark: known }: Cursor,
    found?: number,
  ): Promise<WatchBookmark[]> => {
    const mark = found ?? await log.markOf(revision);
    // The log no longer has it, so a later bookmark follows.
    if (mark === undefined) return [];
    // The log was put back; the next read reports it.
    if (known !== undefined && known !== mark) return [];
    return [{ type: "bookmark", revision, cursor: cursorOf(revision, mark) }];
  };
  let told = seen.revision;
  let isDue = after !== undefined;
  if (initial && bookmarks) {
    const marks = await bookmark(seen);
    isDue = marks.length === 0;
    yield marks;
  }

  while (!stop.aborted) {
    const { revision, mark } = seen;
    const reading = log.read(filter, revision, bufferSize, mark, following);
    // Most pages are there at once.
    const page = isPromise(reading) ? await reading : reading;
    seen = seenBy(page, seen);
    const changes = page.changes.filter((change) =>
      "problem" in change || types.has(change.type)
    );
    if (changes.length > 0) {
      yield changes.values().map((change) => {
        if (observer && !("problem" in change)) observer.given(change);
        return eventOf(change, read);
      });
      told = changes.at(-1)!.revision;
    }
    const hasCaughtUp = isDue && seen.revision >= start.revision;
    const isFar = seen.revision - told >= log.bookmarkInterval;
    if (bookmarks && (hasCaughtUp || isFar)) {
      const marks = await bookmark(seen, page.mark);
      if (marks.length > 0) {
        told = seen.revision;
        if (hasCaughtUp) isDue = false;
      }
      yield marks;
    }
    if (seen.revision > revision) {
      if (slice.isUsedUp) await slice.nextTurn();
    } else {
      const after = await log.wait({
        kinds: filter.kinds,
        after: revision,
        mark: seen.mark,
        persistent,
        signal: stop,
      });
      if (after !== revision) seen = { revision: after, mark: undefined };
      slice.restart();
    }
  }
}

/** The change up to which a watch has seen everything, after it has read a page. */
export function seenBy({ cursor, mark }: ChangePage, before: Cursor): Cursor {
  const known = cursor === before.revision ? before.mark : undefined;
  return { revision: cursor, mark: mark ?? known };
}

interface Replay {
  readonly view: PastView;
  /** The mark of revision 0. */
  readonly mark: number;
  /** How many entries are read at once. */
  readonly limit: number;
}

/** The entries of the moment, by kind and in key order, if the view is sound. It closes the view. */
async function* replayPages(
  { view, mark, limit }: Replay,
  { kinds, keys }: ChangeFilter,
  read: ReadChange,
  assertSound: () => Promise<void>,
): Pages<WatchEvent> {
  const { onUnreadable } = read;
  const problems: StoreError[] = [];
  const options = onUnreadable
    ? { limit, onUnreadable: (it: StoreError) => problems.push(it) }
    : { limit };
  try {
    await assertSound();
    const inOrder = kinds ? [...kinds].sort(compareKeys) : await view.kinds();
    for (const kind of inOrder) {
      const asText = read.values.isText(kind);
      for (let rest: KeyRange | undefined = keys; rest;) {
        const page: Page<StoredEntry> = await view.entries(
          kind,
          rest,
          { ...options, asText },
        );
        tellProblems(kind, problems.splice(0), onUnreadable);
        yield page.items.values().map((entry) =>
          replayedEventOf(kind, entry, mark, read)
        );
        rest = page.rest;
      }
    }
  } finally {
    await view.close();
  }
}
