/**
 * The change log of a store in etcd. Its changes are etcd's own history.
 *
 * Watches that have seen nearly all changes read from the feed. The others, and
 * `history`, read from their own streams.
 *
 * @module
 */
import { sleep } from "../../base/slice.ts";
import { StoreUnavailableError } from "../../contract/errors.ts";
import type {
  ChangeFilter,
  ChangeLog,
  Following,
  Wait,
} from "../../engine/change_log.ts";
import type { ChangePage, StoredChange } from "../../engine/entries.ts";
import { prunedPast, putBack } from "../../engine/log_ends.ts";
import { PAGE_BYTES, PAGE_ENTRIES } from "../../engine/page.ts";
import { isInRange } from "../../keys/key_range.ts";
import { unlessAborted } from "../../base/promises.ts";
import { Backoff } from "../../remote/backoff.ts";
import type { EtcdChange } from "../format/changes.ts";
import type { Keys } from "../format/keys.ts";
import { Cut } from "../gateway/failure.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { CatchUp, CatchUps } from "./catch_up.ts";
import { Feed } from "./feed.ts";
import { LogWaits } from "./log_waits.ts";
import type { Now, Place, Timeline } from "./timeline.ts";

/** How many revisions a read in reverse order covers. */
const BACK_WINDOW = 512;

/** How often watches that are not persistent look for changes, in ms. */
const POLL_MS = 100;

/** How long the feed continues when no watch waits or reads, in ms. */
const LINGER_MS = 250;

/**
 * How long a stream may send nothing although the store has more changes, in ms:
 * at first, and at most. It doubles with each try, because the member may be
 * slow.
 */
const FIRST_SILENCE_MS = 5_000;
const LONGEST_SILENCE_MS = 60_000;

/** The most revisions between two bookmarks of a quiet watch. */
const MOST_BOOKMARKED = 2_500;

/** Options of a read from a stream. */
interface ReadingOptions {
  /** The mark of the change after which it reads, if it is known. */
  readonly mark?: number;
  /** The watch retries until this signal aborts. */
  readonly signal?: AbortSignal;
  /** How long the stream may send nothing, in ms. */
  readonly silence?: number;
}

/** The log of a store. */
export class EtcdLog implements ChangeLog {
  readonly bookmarkInterval: number;
  readonly canBePutBack = true;
  readonly #gateway: Gateway;
  readonly #keys: Keys;
  readonly #timeline: Timeline;
  readonly #history: number;
  readonly #feed: Feed;
  readonly #waits: LogWaits;
  readonly #catchUps = new CatchUps();

  /** Takes the cluster, the store's keys and timeline, and the most changes that the log keeps. */
  constructor(
    { gateway, keys, timeline }: {
      gateway: Gateway;
      keys: Keys;
      timeline: Timeline;
    },
    history: number,
  ) {
    this.#gateway = gateway;
    this.#keys = keys;
    this.#timeline = timeline;
    this.#history = history;
    this.bookmarkInterval = Math.max(
      1,
      Math.floor(Math.min(history / 4, MOST_BOOKMARKED)),
    );
    this.#feed = new Feed({
      gateway,
      keys,
      timeline,
      onNews: (news) => this.#waits.tell(news),
    });
    this.#waits = new LogWaits({
      feed: this.#feed,
      bookmarkInterval: this.bookmarkInterval,
      lingerMs: LINGER_MS,
      pollMs: POLL_MS,
      look: () => this.head(),
    });
  }

  async head(): Promise<number> {
    return (await this.#timeline.now()).record.head;
  }

  newest(): Promise<number> {
    return this.head();
  }

  async oldest(): Promise<number> {
    const now = await this.#timeline.now();
    const kept = await this.#timeline.oldest(now);
    return Math.max(kept, this.#pruned(now) + 1);
  }

  /** The newest revision that the `history` option has removed from the log. */
  #pruned({ record }: Now): number {
    return Math.max(0, record.head - this.#history);
  }

  async markOf(revision: number): Promise<number | undefined> {
    const known = this.#feed.recordOf(revision);
    const now = await this.#timeline.now();
    if (revision < this.#pruned(now)) return undefined;
    if (known && this.#feed.isRunning) return known.mark;
    return (await this.#timeline.find(revision, now))?.mark;
  }

  // Reading.

  async read(
    filter: ChangeFilter,
    after: number,
    limit: number,
    mark?: number,
    following?: Following,
  ): Promise<ChangePage> {
    if (!following) return await this.#catchUp(filter, after, limit, { mark });
    let backoff: Backoff | undefined;
    let silence = FIRST_SILENCE_MS;
    const signal = AbortSignal.any([following.signal, this.#gateway.closed]);
    for (;;) {
      if (following.persistent) this.#waits.noteRead();
      const page = this.#fromFeed(filter, after, limit, mark);
      if (page) return page;
      const begun = performance.now();
      try {
        const options = { mark, signal, silence };
        return await this.#catchUp(filter, after, limit, options);
      } catch (error) {
        const isAway = error instanceof StoreUnavailableError ||
          error instanceof Cut;
        if (!isAway || signal.aborted) throw error;
      }
      if (performance.now() - begun >= silence) {
        silence = Math.min(2 * silence, LONGEST_SILENCE_MS);
      }
      backoff ??= new Backoff();
      await sleep(backoff.next(), signal, following.persistent);
    }
  }

  #fromFeed(
    filter: ChangeFilter,
    after: number,
    limit: number,
    mark: number | undefined,
  ): ChangePage | undefined {
    const feed = this.#feed;
    if (!feed.isRunning || !feed.reaches(after)) return undefined;
    const { end } = feed;
    if (!end || after < end.head - this.#history) return undefined;
    const found = feed.recordOf(after)?.mark;
    if (mark !== undefined && found !== undefined && mark !== found) {
      throw putBack("history", after);
    }
    const page = new PageOfChanges(filter, limit);
    for (const { changes, record } of feed.after(after)) {
      for (const change of changes) {
        if (change.revision <= after) continue;
        if (!page.add(change, record.mark)) return page.upTo();
      }
    }
    return page.end(end.head, end.mark);
  }

  /** Reads from a stream, up to the newest change. */
  async #catchUp(
    filter: ChangeFilter,
    after: number,
    limit: number,
    options: ReadingOptions = {},
  ): Promise<ChangePage> {
    const { mark, signal } = options;
    const left = this.#catchUps.take(after, mark);
    // If `history` limits the log, the log may not reach the change any more.
    const hasMore = left !== undefined && left.told > after &&
      this.#history === Infinity;
    const { stream, head } = hasMore
      ? { stream: left, head: left.told }
      : await this.#openStream(after, left, options);
    const page = new PageOfChanges(filter, limit);
    try {
      for (;;) {
        const changes = await unlessAborted(stream.next(head), signal);
        if (!changes) {
          this.#catchUps.leave(stream);
          return page.end(stream.revision, stream.record.mark);
        }
        let count = 0;
        while (
          count < changes.length && page.add(changes[count], stream.record.mark)
        ) count++;
        if (count > 0) stream.pass(count);
        if (count === changes.length) continue;
        this.#catchUps.leave(stream);
        return page.upTo();
      }
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  /** A stream that continues after a change, and the store's newest revision. */
  async #openStream(
    after: number,
    left: CatchUp | undefined,
    { mark, signal, silence = FIRST_SILENCE_MS }: ReadingOptions,
  ): Promise<{ stream: CatchUp; head: number }> {
    try {
      const patience = signal ? 0 : undefined;
      const now = await this.#timeline.now({ signal, patience });
      const { head } = now.record;
      if (after > head) throw putBack("ahead", after);
      const pruned = this.#pruned(now);
      if (after < pruned) throw prunedPast(after, pruned + 1);
      if (left) return { stream: left, head };
      const options = { signal, patience };
      const place = await this.#timeline.placeOf(after, now, options);
      if (mark !== undefined && place.record.mark !== mark) {
        throw putBack("history", after);
      }
      const stream = new CatchUp(this.#gateway, this.#keys, {
        place,
        revision: after,
        silence,
      });
      return { stream, head };
    } catch (error) {
      left?.close();
      throw error;
    }
  }

  /** The changes of the transaction that contains a place. */
  async changesAt(
    place: Place,
    revision: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly EtcdChange[]> {
    const { first, head } = place.record;
    const stream = new CatchUp(this.#gateway, this.#keys, {
      place,
      revision: first - 1,
      silence: FIRST_SILENCE_MS,
    });
    try {
      const reading = stream.next(head);
      const changes = await unlessAborted(reading, signal);
      if (changes?.[0]?.revision === first) return changes;
    } finally {
      stream.close();
    }
    throw prunedPast(revision, head + 1);
  }

  async readBack(
    filter: ChangeFilter,
    before: number,
    after: number,
    limit: number,
    mark?: number,
  ): Promise<ChangePage> {
    if (mark !== undefined) {
      const found = await this.markOf(before);
      if (found === undefined) throw prunedPast(after, before);
      if (found !== mark) throw putBack("history", before);
    }
    const from = Math.max(after, before - 1 - BACK_WINDOW);
    const found: StoredChange[] = [];
    let bytes = 0;
    for (let at = from; at < before - 1;) {
      const page = await this.#catchUp(filter, at, PAGE_ENTRIES);
      for (const change of page.changes as StoredChange[]) {
        if (change.revision >= before) continue;
        found.push(change);
        bytes += sizeOf(change);
        // The page is full: a later read gives the oldest of these changes.
        while (bytes > PAGE_BYTES && found.length > 1) {
          bytes -= sizeOf(found.shift()!);
        }
      }
      if (page.cursor === at) throw putBack("ahead", before - 1);
      at = page.cursor;
    }
    return await this.#pageBack(found, from, limit);
  }

  async #pageBack(
    found: StoredChange[],
    from: number,
    limit: number,
  ): Promise<ChangePage> {
    const most = Math.min(limit, PAGE_ENTRIES);
    const changes = found.reverse().slice(0, most);
    const cursor = changes.length < found.length
      ? changes.at(-1)!.revision
      : from + 1;
    return { changes, cursor, mark: await this.markOf(cursor) };
  }

  wait(wait: Wait): Promise<number> {
    return this.#waits.wait(wait);
  }

  /** Ends every wait. */
  async close(): Promise<void> {
    this.#waits.close();
    this.#catchUps.close();
    await this.#feed.stop();
  }
}

/** A page that is being filled. */
class PageOfChanges {
  readonly #filter: ChangeFilter;
  readonly #kinds: ReadonlySet<string> | undefined;
  readonly #most: number;
  readonly #changes: StoredChange[] = [];
  #bytes = 0;
  #last: { revision: number; mark: number } | undefined;

  constructor(filter: ChangeFilter, limit: number) {
    this.#filter = filter;
    this.#kinds = filter.kinds && new Set(filter.kinds);
    this.#most = Math.min(limit, PAGE_ENTRIES);
  }

  /** Adds a change if it passes the filter; false if the page is full. */
  add(change: StoredChange, mark: number): boolean {
    const { kind, key, revision } = change;
    const passes = (!this.#kinds || this.#kinds.has(kind)) &&
      isInRange(this.#filter.keys, key);
    if (passes) {
      const bytes = sizeOf(change);
      const isFull = this.#changes.length >= this.#most ||
        (this.#changes.length > 0 && this.#bytes + bytes > PAGE_BYTES);
      if (isFull) return false;
      this.#bytes += bytes;
      this.#changes.push(told(change, this.#filter));
    }
    this.#last = { revision, mark };
    return true;
  }

  /** The page, up to the last change that it took. */
  upTo(): ChangePage {
    const { revision, mark } = this.#last!;
    return { changes: this.#changes, cursor: revision, mark };
  }

  /** The page, up to a revision. */
  end(cursor: number, mark: number): ChangePage {
    return { changes: this.#changes, cursor, mark };
  }
}

/** A change, without the previous value unless the filter asks for it. */
function told(
  change: StoredChange,
  { previous }: ChangeFilter,
): StoredChange {
  if (previous || change.previous === undefined) return change;
  const { previous: _previous, ...rest } = change;
  return rest;
}

function sizeOf({ value, previous }: StoredChange): number {
  return value.byteLength + (previous?.byteLength ?? 0);
}
