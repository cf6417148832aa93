/**
 * Feeds a mirror: first the entries from a listing, then every change in the
 * log.
 *
 * The invariant: the mirror shows the kind at one revision. So changes are
 * staged until the log has been read to its end, and a listing is shown whole.
 *
 * @module
 */
import type { MaybePromise } from "../../base/promises.ts";
import { sleep, Slice } from "../../base/slice.ts";
import {
  StoreBusyError,
  type StoreError,
  StoreUnavailableError,
  WatchOverflowError,
} from "../../contract/errors.ts";
import type { ChangeFilter, Following, Wait } from "../../engine/change_log.ts";
import type { Cursor } from "../../engine/cursor.ts";
import type { Engine } from "../../engine/engine.ts";
import type { ChangePage } from "../../engine/entries.ts";
import { PAGE_BYTES, PAGE_ENTRIES } from "../../engine/page.ts";
import type { KeyRange } from "../../keys/key_range.ts";
import { Backoff } from "../../remote/backoff.ts";
import type { ReadChange } from "../events.ts";
import { withMark } from "../resume.ts";
import { tellProblems } from "../unreadable.ts";
import { seenBy } from "../watch_stream.ts";
import type { MirrorSettings } from "./mirror_options.ts";
import { ItemReader, type Staged, UnknownChange } from "./reader.ts";

/** The parts of the store that a mirror needs. */
export interface MirrorSource {
  readonly engine: Pick<Engine, "log" | "entries" | "errorOf">;
  /** The newest revision, in order with the store's writes. */
  head(): MaybePromise<number>;
  readonly values: ReadChange["values"];
}

/** The store of a mirror. */
export interface MirrorStore extends MirrorSource {
  /** Aborts, with `StoreClosedError`, when the store begins to close. */
  readonly closing: AbortSignal;
  /** Notes work that the closing of the store waits for. */
  track<T>(work: Promise<T>): Promise<T>;
}

/** The mirror that a feed updates. */
export interface FeedConsumer<T> {
  /** Whether somebody waits for a revision that is not shown yet. */
  readonly isAwaited: boolean;
  /** Shows these entries; the others stay. */
  show(staged: Staged<T>, revision: number): void;
  /**
   * Shows these entries instead of all others. The feed shows nothing else
   * until it resolves.
   */
  showAll(staged: Staged<T>, revision: number): Promise<void>;
}

/**
 * How many changes are staged at most, if they do not belong to one
 * transaction.
 */
const MOST_STAGED = 10_000;

/** How many entries are listed at once. */
const LISTED_ENTRIES = 1_024;

/**
 * After this many pages of a listing, the feed reads the log, which may be
 * pruned meanwhile.
 */
const LISTED_PAGES = 4;

/**
 * How often a listing may begin again, if the log is pruned faster than the
 * feed reads it.
 */
const MOST_LISTINGS = 10;

/** Lists the entries, and follows their changes. */
export class Feed<T> {
  readonly #source: MirrorSource;
  readonly #settings: MirrorSettings;
  readonly #consumer: FeedConsumer<T>;
  readonly #reader: ItemReader<T>;
  readonly #filter: ChangeFilter;
  readonly #following: Following;
  /** The wait for the kind's changes. */
  readonly #ownWait: SharedWait;
  /** The wait for all changes, as long as somebody waits for a revision. */
  readonly #anyWait: SharedWait;
  #nudged = Promise.withResolvers<undefined>();

  /** Takes its source and its mirror. It ends when `stop` aborts. */
  constructor(
    source: MirrorSource,
    settings: MirrorSettings,
    consumer: FeedConsumer<T>,
    stop: AbortSignal,
  ) {
    const { kind, keys, persistent } = settings;
    this.#source = source;
    this.#settings = settings;
    this.#consumer = consumer;
    this.#reader = new ItemReader(settings, source.values);
    this.#filter = { kinds: [kind], keys };
    this.#following = { persistent, signal: stop };
    const { log } = source.engine;
    const other = AbortSignal.any([stop]);
    this.#ownWait = new SharedWait((after) =>
      log.wait({ ...this.#following, ...after, kinds: [kind] })
    );
    this.#anyWait = new SharedWait((after) =>
      log.wait({ ...this.#following, ...after, signal: other })
    );
  }

  /** Reads the log again, even without a sign of a change. */
  nudge(): void {
    this.#nudged.resolve(undefined);
  }

  // Listing.

  /**
   * Shows all entries, and returns the change up to which they are shown. If
   * the log no longer holds the changes that it needs, it begins again, up to a
   * limit.
   *
   * @param isPatient Whether it waits for a server that cannot be reached.
   */
  async list(isPatient: boolean): Promise<Cursor> {
    const pauses = new Backoff();
    for (let gaps = 0;;) {
      try {
        return await this.#listOnce();
      } catch (error) {
        const told = this.#source.engine.errorOf("mirror", error);
        const mayTryAgain = isGap(error)
          ? ++gaps < MOST_LISTINGS
          : isPatient && isTrouble(told);
        if (this.#isStopped || !mayTryAgain) throw told;
      }
      const { signal, persistent } = this.#following;
      await sleep(pauses.next(), signal, persistent);
    }
  }

  /**
   * Each page of the listing is of its own moment. The changes in the log since
   * a page was read bring all pages to the same moment.
   */
  async #listOnce(): Promise<Cursor> {
    const { engine, head } = this.#source;
    const staged: Staged<T> = new Map();
    const slice = new Slice();
    let seen = await withMark(engine.log, await head());
    let rest: KeyRange | undefined = this.#settings.keys;
    for (let pages = 1; rest; pages++) {
      rest = await this.#stageEntries(rest, staged);
      if (pages % LISTED_PAGES === 0) seen = await this.#catchUp(seen, staged);
      if (slice.isUsedUp) await slice.nextTurn();
      this.#following.signal.throwIfAborted();
    }
    seen = await this.#catchUp(seen, staged, await head());
    this.#following.signal.throwIfAborted();
    await this.#consumer.showAll(staged, seen.revision);
    return seen;
  }

  async #stageEntries(
    range: KeyRange,
    staged: Staged<T>,
  ): Promise<KeyRange | undefined> {
    const { kind, onUnreadable } = this.#settings;
    const problems: StoreError[] = [];
    const page = await this.#source.engine.entries(kind, range, {
      limit: LISTED_ENTRIES,
      ...(onUnreadable ? { onUnreadable: (it) => problems.push(it) } : {}),
    }, this.#following.signal);
    tellProblems(kind, problems, onUnreadable);
    await this.#reader.stageEntries(page.items, staged);
    return page.rest;
  }

  /**
   * Stages the changes up to this moment, and at least up to a revision. A log may
   * answer as of an earlier moment than the listing, because its readers share
   * their looks at it.
   */
  async #catchUp(
    from: Cursor,
    staged: Staged<T>,
    atLeast = 0,
  ): Promise<Cursor> {
    const slice = new Slice();
    let until = atLeast;
    for (let seen = from;;) {
      const page = await this.#read(seen);
      await this.#reader.stageChanges(page.changes, staged);
      const isEnd = isAtEnd(page, seen);
      seen = seenBy(page, seen);
      if (this.#isStopped || isEnd && seen.revision >= until) return seen;
      if (!isEnd) continue;
      await slice.nextTurn();
      // The log may have been put back meanwhile.
      until = Math.min(until, await this.#source.head());
    }
  }

  // Following.

  /** Shows every change after `from`, until the feed ends. */
  async follow(from: Cursor): Promise<void> {
    for (let seen = from; !this.#isStopped;) {
      try {
        return await this.#followLog(seen);
      } catch (error) {
        const told = this.#source.engine.errorOf("mirror", error);
        if (this.#isStopped) return;
        if (!isGap(error) && !isTrouble(told)) throw told;
      }
      seen = await this.list(true);
    }
  }

  async #followLog(from: Cursor): Promise<void> {
    const staged: Staged<T> = new Map();
    const slice = new Slice();
    for (let seen = from; !this.#isStopped;) {
      this.#nudged = Promise.withResolvers();
      const page = await this.#read(seen);
      await this.#reader.stageChanges(page.changes, staged);
      if (this.#isStopped) return;
      const { revision } = seen;
      const isEnd = isAtEnd(page, seen);
      seen = seenBy(page, seen);
      if (isEnd || staged.size >= MOST_STAGED) {
        this.#consumer.show(staged, seen.revision);
        staged.clear();
      }
      if (seen.revision > revision) {
        if (slice.isUsedUp) await slice.nextTurn();
        continue;
      }
      const after = await this.#wait(seen);
      if (after > seen.revision) seen = { revision: after, mark: undefined };
      slice.restart();
    }
  }

  #read({ revision, mark }: Cursor): MaybePromise<ChangePage> {
    return this.#source.engine.log.read(
      this.#filter,
      revision,
      PAGE_ENTRIES,
      mark,
      this.#following,
    );
  }

  /**
   * Resolves when there may be changes, with a revision up to which there are
   * none.
   */
  async #wait({ revision: after, mark }: Cursor): Promise<number> {
    const waits: Promise<number | undefined>[] = [
      this.#nudged.promise,
      this.#ownWait.join({ after, mark }),
    ];
    // The log reports changes of other kinds to the mirror only now and then.
    if (this.#consumer.isAwaited) {
      waits.push(this.#anyWait.join({ after, mark }));
    }
    return await Promise.race(waits) ?? after;
  }

  get #isStopped(): boolean {
    return this.#following.signal.aborted;
  }
}

/** A wait that goes on while the caller that joined it does something else. */
class SharedWait {
  readonly #begin: (after: Pick<Wait, "after" | "mark">) => Promise<number>;
  #waiting: Promise<number> | undefined;

  constructor(begin: (after: Pick<Wait, "after" | "mark">) => Promise<number>) {
    this.#begin = begin;
  }

  /** Joins the present wait, or begins one. */
  join(after: Pick<Wait, "after" | "mark">): Promise<number> {
    return this.#waiting ??= this.#begin(after).finally(() => {
      this.#waiting = undefined;
    });
  }
}

/**
 * Whether a page ends with the newest change of the moment when it was read.
 */
function isAtEnd(
  { changes, cursor }: ChangePage,
  { revision }: Cursor,
): boolean {
  if (cursor === revision) return true;
  // A page is also limited by its bytes, and by the number of revisions it
  // visits.
  let bytes = 0;
  for (const change of changes) {
    if ("value" in change) bytes += change.value.length;
  }
  return changes.length < PAGE_ENTRIES && bytes < PAGE_BYTES / 2 &&
    cursor - revision < PAGE_ENTRIES;
}

/** Whether an error says that the log no longer holds all changes. */
function isGap(error: unknown): boolean {
  return error instanceof WatchOverflowError || error instanceof UnknownChange;
}

/** Whether an error says that a retry may succeed soon. */
function isTrouble(error: unknown): boolean {
  return error instanceof StoreUnavailableError ||
    error instanceof StoreBusyError;
}
