/**
 * Reads the entries: as they are when it is called, or at a revision of etcd.
 *
 * Expired entries stay in etcd until a store removes them. So a read without the
 * values also asks, in the same step, whether any entry has expired.
 *
 * @module
 */
import { quote } from "../../base/messages.ts";
import { StoreError } from "../../contract/errors.ts";
import type {
  EntryState,
  StoredEntry,
  StoredValue,
} from "../../engine/entries.ts";
import { prunedPast } from "../../engine/log_ends.ts";
import {
  countFitting,
  type Page,
  PAGE_BYTES,
  PAGE_ENTRIES,
  type PageOptions,
} from "../../engine/page.ts";
import type { View } from "../../engine/view.ts";
import { type KeyRange, rangePast } from "../../keys/key_range.ts";
import { isLive, type Kept, unwrap } from "../format/envelope.ts";
import type { Keys } from "../format/keys.ts";
import { isCompacted } from "../gateway/failure.ts";
import type { Gateway } from "../gateway/gateway.ts";
import {
  bytesOf,
  firstOf,
  type KeyValue,
  numberOf,
  type RangeRequest,
} from "../gateway/messages.ts";
import type { PageSizes } from "./page_sizes.ts";

/** The most keys that one transaction of etcd reads. */
const KEYS_AT_ONCE = 100;

/** The most keys of a page without values. */
const MOST_KEYS = 4_096;

/** A fixed moment to read at. */
export interface Moment {
  /** A revision of etcd. */
  readonly at: number;
  /** In ms since 1970. Entries that had expired by then are left out. */
  readonly time: number;
  /** The revision of the store, for messages. */
  readonly revision?: number;
  /** Called after each read. Rejects if the log does not reach back to the moment any more. */
  assertReached?(): Promise<void>;
}

/** The source that a view reads. */
export interface ViewSource {
  readonly gateway: Gateway;
  readonly keys: Keys;
  readonly sizes: PageSizes;
}

/** An entry that was read. */
interface FoundEntry {
  readonly key: string;
  readonly kept: Kept;
}

/** A view of the entries. */
export class EntryView implements View {
  readonly #source: ViewSource;
  readonly #moment: Moment | undefined;

  /** Takes the source, and the moment if it is fixed. */
  constructor(source: ViewSource, moment?: Moment) {
    this.#source = source;
    this.#moment = moment;
  }

  async value(
    kind: string,
    key: string,
    signal?: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    return (await this.#one(kind, key, signal))?.value;
  }

  async entry(
    kind: string,
    key: string,
    signal?: AbortSignal,
  ): Promise<StoredEntry | undefined> {
    const kept = await this.#one(kind, key, signal);
    return kept && entryOf({ key, kept });
  }

  async state(
    kind: string,
    key: string,
    signal?: AbortSignal,
  ): Promise<EntryState | undefined> {
    const kept = await this.#one(kind, key, signal);
    return kept && { version: kept.version, revision: kept.revision };
  }

  async #one(
    kind: string,
    key: string,
    signal?: AbortSignal,
  ): Promise<Kept | undefined> {
    const { keys } = this.#source;
    const [kv] = await this.#get([{ key: keys.entry(kind, key) }], signal);
    if (!kv) return undefined;
    const kept = keptOf(kind, key, kv);
    return isLive(kept, this.#time()) ? kept : undefined;
  }

  async some(
    kind: string,
    keys: readonly string[],
    signal?: AbortSignal,
  ): Promise<StoredValue[]> {
    const requests = keys.map((key) => ({
      key: this.#source.keys.entry(kind, key),
    }));
    const found = await this.#get(requests, signal);
    const time = this.#time();
    const values: StoredValue[] = [];
    for (const [i, kv] of found.entries()) {
      const kept = kv && keptOf(kind, keys[i], kv);
      if (isLive(kept, time)) values.push({ key: keys[i], value: kept.value });
    }
    return values;
  }

  async keys(
    kind: string,
    range: KeyRange,
    page: PageOptions = {},
    signal?: AbortSignal,
  ): Promise<Page<string>> {
    const { limit = PAGE_ENTRIES, reverse = false } = page;
    // For etcd, 0 means "no limit".
    if (limit <= 0) return { items: [] };
    const { keys } = this.#source;
    const request = {
      ...keys.range(kind, range),
      limit: Math.min(limit, MOST_KEYS),
      keys_only: true,
      ...orderOf(reverse),
    };
    const [found, due] = (await this.#ask([request, this.#due()], signal))
      .found;
    if (firstOf(due)) {
      const { items, rest } = await this.#page(kind, range, page, signal);
      return { items: items.map(({ key }) => key), rest };
    }
    const items = (found.kvs ?? []).map(({ key }) => keys.nameOf(key)!.key);
    if (!found.more || items.length === 0) return { items };
    return { items, rest: rangePast(range, items.at(-1)!, reverse) };
  }

  async values(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
    signal?: AbortSignal,
  ): Promise<Page<StoredValue>> {
    const { items, rest } = await this.#page(kind, range, page, signal);
    const values = items.map(({ key, kept: { value } }) => ({ key, value }));
    return { items: values, rest };
  }

  async entries(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
    signal?: AbortSignal,
  ): Promise<Page<StoredEntry>> {
    const { items, rest } = await this.#page(kind, range, page, signal);
    return { items: items.map(entryOf), rest };
  }

  /**
   * Reads parts, all at the same revision, until one has an entry that has not
   * expired, or the range ends.
   */
  async #page(
    kind: string,
    range: KeyRange,
    options: PageOptions = {},
    signal?: AbortSignal,
  ): Promise<Page<FoundEntry>> {
    if (options.limit !== undefined && options.limit <= 0) return { items: [] };
    let at: number | undefined;
    const time = this.#time();
    for (let rest: KeyRange | undefined = range; rest;) {
      const read = await this.#part(kind, rest, options, at, signal);
      const items = read.items.filter(({ kept }) => isLive(kept, time));
      if (items.length > 0) return { items, rest: read.rest };
      ({ at, rest } = read);
    }
    return { items: [] };
  }

  async #part(
    kind: string,
    range: KeyRange,
    {
      limit = PAGE_ENTRIES,
      bytes = PAGE_BYTES,
      reverse = false,
      onUnreadable,
    }: PageOptions,
    at: number | undefined,
    signal?: AbortSignal,
  ): Promise<Page<FoundEntry> & { at: number }> {
    const { keys, sizes } = this.#source;
    const request = {
      ...keys.range(kind, range),
      limit: Math.min(limit, sizes.fitting(kind, bytes)),
      ...orderOf(reverse),
      ...(at === undefined ? {} : { revision: String(at) }),
    };
    const { found: [answer], revision } = await this.#ask([request], signal);
    const kvs = answer.kvs ?? [];
    const lengths = kvs.map(({ value = "" }) => value.length * 0.75);
    const count = countFitting(lengths, bytes);
    sizes.note(kind, lengths);
    const items: FoundEntry[] = [];
    let last: string | undefined;
    for (const kv of kvs.slice(0, count)) {
      const { key } = keys.nameOf(kv.key)!;
      last = key;
      try {
        items.push({ key, kept: keptOf(kind, key, kv) });
      } catch (error) {
        if (!onUnreadable) throw error;
        onUnreadable(error as StoreError);
      }
    }
    const isWhole = !answer.more && count === kvs.length;
    const rest = isWhole || last === undefined
      ? undefined
      : rangePast(range, last, reverse);
    return { items, rest, at: at ?? revision };
  }

  async count(
    kind: string,
    range: KeyRange,
    limit = Infinity,
    signal?: AbortSignal,
  ): Promise<number> {
    const request = {
      ...this.#source.keys.range(kind, range),
      count_only: true,
    };
    const [found, due] = (await this.#ask([request, this.#due()], signal))
      .found;
    if (!firstOf(due)) return Math.min(limit, numberOf(found.count));
    let count = 0;
    for (let rest: KeyRange | undefined = range; rest && count < limit;) {
      const page: Page<FoundEntry> = await this.#page(kind, rest, {}, signal);
      count += page.items.length;
      rest = page.rest;
    }
    return Math.min(limit, count);
  }

  async kinds(signal?: AbortSignal): Promise<string[]> {
    const { keys } = this.#source;
    const kinds: string[] = [];
    let at: number | undefined;
    let span = keys.entries;
    for (;;) {
      const request = {
        ...span,
        limit: 1,
        keys_only: true,
        ...(at === undefined ? {} : { revision: String(at) }),
      };
      const { found: [answer, due], revision } = await this.#ask(
        [request, this.#due(at)],
        signal,
      );
      at ??= revision;
      const kv = firstOf(answer);
      if (!kv) return kinds;
      const { kind } = keys.nameOf(kv.key)!;
      const isThere = !firstOf(due) || await this.#hasAny(kind, at, signal);
      if (isThere) kinds.push(kind);
      span = keys.past(kind);
    }
  }

  async #hasAny(
    kind: string,
    at: number,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const time = this.#time();
    const view = new EntryView(this.#source, { ...this.#moment, at, time });
    const page = await view.#page(kind, EVERY_KEY, {
      onUnreadable: () => {},
    }, signal);
    return page.items.length > 0;
  }

  // Requests.

  #time(): number {
    return this.#moment?.time ?? Date.now();
  }

  /** Asks whether etcd still has an entry that has expired. */
  #due(at?: number): RangeRequest {
    return {
      ...this.#source.keys.due(this.#time()),
      limit: 1,
      keys_only: true,
      ...(at === undefined ? {} : { revision: String(at) }),
    };
  }

  /** Reads keys, all at the same revision. */
  async #get(
    requests: readonly RangeRequest[],
    signal?: AbortSignal,
  ): Promise<(KeyValue | undefined)[]> {
    const found: (KeyValue | undefined)[] = [];
    let at: number | undefined;
    for (let i = 0; i < requests.length; i += KEYS_AT_ONCE) {
      const asked = requests.slice(i, i + KEYS_AT_ONCE).map((request) =>
        at === undefined ? request : { ...request, revision: String(at) }
      );
      const answer = await this.#ask(asked, signal);
      at ??= answer.revision;
      found.push(...answer.found.map(firstOf));
    }
    return found;
  }

  /** Reads ranges at the view's moment. Returns the revision of etcd that they were read at, too. */
  async #ask(requests: readonly RangeRequest[], signal?: AbortSignal) {
    const moment = this.#moment;
    const placed = moment
      ? requests.map((request) => ({
        ...request,
        revision: String(moment.at),
      }))
      : requests;
    const { gateway } = this.#source;
    try {
      if (placed.length > 1) {
        const { found, revision } = await gateway.ranges(placed, { signal });
        await moment?.assertReached?.();
        return { revision: moment?.at ?? revision, found };
      }
      const answer = await gateway.range(placed[0], { signal });
      await moment?.assertReached?.();
      const revision = moment?.at ?? numberOf(answer.header?.revision);
      return { revision, found: [answer] };
    } catch (error) {
      if (moment?.revision === undefined || !isCompacted(error)) throw error;
      throw prunedPast(moment.revision, moment.revision + 1);
    }
  }
}

const EVERY_KEY: KeyRange = { lower: { key: "", inclusive: true } };

function orderOf(reverse: boolean): Partial<RangeRequest> {
  return reverse ? { sort_order: "DESCEND", sort_target: "KEY" } : {};
}

/** Decodes the entry of a key in etcd. Throws a `StoreError` if no store wrote the value. */
export function keptOf(kind: string, key: string, kv: KeyValue): Kept {
  const kept = unwrap(bytesOf(kv.value));
  if (kept) return kept;
  throw new StoreError(
    "STORAGE",
    `Cannot read ${
      quote(kind, key)
    }: another program or a newer version of @zestor/store wrote its value in etcd; use a newer version, or write the entry again`,
  );
}

function entryOf({ key, kept }: FoundEntry): StoredEntry {
  const { value, version, revision, updatedAt, expiresAt } = kept;
  return {
    key,
    value,
    version,
    revision,
    updatedAt: new Date(updatedAt),
    expiresAt,
  };
}
