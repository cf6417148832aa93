/**
 * The changes in the log, as a stream that holds one page in memory.
 *
 * @module
 */
import { pagedStream, type Pages } from "../base/paged_stream.ts";
import { type MaybePromise, promiseOf } from "../base/promises.ts";
import { Slice } from "../base/slice.ts";
import type { HistoryChange, HistoryOptions } from "../contract/mod.ts";
import type { ChangeFilter, ChangeLog } from "../engine/change_log.ts";
import type { Cursor } from "../engine/cursor.ts";
import type { ChangePage } from "../engine/entries.ts";
import type { Engine } from "../engine/engine.ts";
import type { Values } from "../values/values.ts";
import { historyChangeOf } from "./events.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { notReached, resumeAfter } from "./resume.ts";
import { unavailable } from "./snapshot.ts";
import { type HistorySettings, historySettingsOf } from "./watch_options.ts";

/** The arguments of `history`. */
export interface HistoryRequest {
  readonly kind: unknown;
  readonly key: unknown;
  readonly options: HistoryOptions | undefined;
}

/** The changes to read. */
interface Reach {
  readonly after: Cursor;
  readonly until: number;
}

/**
 * Opens a stream of the changes that are in the log at this moment. Throws on
 * invalid arguments.
 */
export function openHistory(
  engine: Engine,
  life: Lifecycle,
  values: Values,
  { kind, key, options }: HistoryRequest,
): ReadableStream<HistoryChange> {
  const settings = historySettingsOf(kind, key, options);
  const { signal } = settings;
  const head = promiseOf(() => life.head());
  // If nobody reads the stream, nobody needs this error.
  head.catch(() => {});
  const read = <T>(work: () => MaybePromise<T>): MaybePromise<T> => {
    life.assertOpen();
    signal?.throwIfAborted();
    return work();
  };
  const pages = historyPages(engine.log, values, settings, head, read);
  return pagedStream(told(pages, engine), { ahead: signal === undefined });
}

/** The same pages, with the errors that the stream's reader gets. */
async function* told(
  pages: Pages<HistoryChange>,
  engine: Engine,
): Pages<HistoryChange> {
  try {
    yield* pages;
  } catch (error) {
    throw unavailable(engine.errorOf("history", error));
  }
}

async function* historyPages(
  log: ChangeLog,
  values: Values,
  settings: HistorySettings,
  head: Promise<number>,
  read: <T>(work: () => MaybePromise<T>) => MaybePromise<T>,
): Pages<HistoryChange> {
  const { kind, keys, limit, reverse, onUnreadable, signal } = settings;
  const filter: ChangeFilter = {
    kinds: [kind],
    keys,
    previous: true,
    times: true,
  };
  const until = await read(() => head);
  const after = settings.after
    ? await resumeAfter(log, settings.after, until)
    : { revision: await read(() => log.oldest()) - 1, mark: undefined };
  const slice = new Slice();
  let left = limit;
  for await (
    const page of pagesOf(log, filter, { after, until }, reverse, read)
  ) {
    const changes = page.changes
      .filter(({ revision }) => revision <= until)
      .slice(0, left);
    left -= changes.length;
    yield changes.values().map((change) => {
      signal?.throwIfAborted();
      return historyChangeOf(change, { values, onUnreadable });
    });
    if (left <= 0) return;
    if (slice.isUsedUp) await slice.nextTurn();
  }
}

async function* pagesOf(
  log: ChangeLog,
  filter: ChangeFilter,
  { after, until }: Reach,
  reverse: boolean,
  read: <T>(work: () => MaybePromise<T>) => MaybePromise<T>,
): AsyncGenerator<ChangePage, void> {
  if (reverse) {
    const { revision: end } = after;
    let mark: number | undefined;
    for (let before = until + 1; before > end + 1;) {
      const page: ChangePage = await read(() =>
        log.readBack(filter, before, end, Infinity, mark)
      );
      yield page;
      before = page.cursor;
      mark = page.mark;
    }
    return;
  }
  let { revision, mark } = after;
  while (revision < until) {
    const page: ChangePage = await read(() =>
      log.read(filter, revision, Infinity, mark)
    );
    if (page.cursor === revision) throw notReached(until, revision);
    yield page;
    revision = page.cursor;
    mark = page.mark;
  }
}
