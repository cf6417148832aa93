/**
 * The entries in the middle of a transaction: the entries before it, with its
 * first changes applied. etcd has no revision for such a moment.
 *
 * @module
 */
import type {
  EntryState,
  StoredEntry,
  StoredValue,
} from "../../engine/entries.ts";
import {
  type Page,
  PAGE_ENTRIES,
  type PageOptions,
} from "../../engine/page.ts";
import type { PastView } from "../../engine/view.ts";
import { compareKeys } from "../../keys/key_order.ts";
import {
  ALL_KEYS,
  isInRange,
  type KeyRange,
  rangeBefore,
  rangePast,
} from "../../keys/key_range.ts";
import type { EtcdChange } from "../format/changes.ts";
import type { EntryView } from "./entry_view.ts";

/** The entries of a kind that the first changes changed; `undefined` if they deleted the entry. */
type Changed = Map<string, StoredEntry | undefined>;

/** The entries in the middle of a transaction. */
export class InsideView implements PastView {
  readonly revision: number;
  readonly #before: EntryView;
  readonly #changed = new Map<string, Changed>();

  /** Takes the entries before the transaction, its changes, and the last revision to apply. */
  constructor(
    before: EntryView,
    changes: readonly EtcdChange[],
    { revision, time }: { revision: number; time: number },
  ) {
    this.#before = before;
    this.revision = revision;
    for (const change of changes) {
      if (change.revision > revision) break;
      const { kind, key, expiresAt } = change;
      const isThere = change.type !== "delete" &&
        (expiresAt === undefined || expiresAt > time);
      const changed = this.#changed.get(kind) ?? new Map();
      this.#changed.set(kind, changed);
      changed.set(key, isThere ? entryOf(change) : undefined);
    }
  }

  async value(
    kind: string,
    key: string,
    signal?: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    return (await this.entry(kind, key, signal))?.value;
  }

  async entry(
    kind: string,
    key: string,
    signal?: AbortSignal,
  ): Promise<StoredEntry | undefined> {
    const changed = this.#of(kind);
    return changed.has(key)
      ? changed.get(key)
      : await this.#before.entry(kind, key, signal);
  }

  async state(
    kind: string,
    key: string,
    signal?: AbortSignal,
  ): Promise<EntryState | undefined> {
    const entry = await this.entry(kind, key, signal);
    return entry && { version: entry.version, revision: entry.revision };
  }

  async some(
    kind: string,
    keys: readonly string[],
    signal?: AbortSignal,
  ): Promise<StoredValue[]> {
    const changed = this.#of(kind);
    const others = keys.filter((key) => !changed.has(key));
    const found = others.length > 0
      ? await this.#before.some(kind, others, signal)
      : [];
    for (const key of keys) {
      const entry = changed.get(key);
      if (entry) found.push({ key, value: entry.value });
    }
    return found;
  }

  async keys(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
    signal?: AbortSignal,
  ): Promise<Page<string>> {
    const { items, rest } = await this.entries(kind, range, page, signal);
    return { items: items.map(({ key }) => key), rest };
  }

  async values(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
    signal?: AbortSignal,
  ): Promise<Page<StoredValue>> {
    const { items, rest } = await this.entries(kind, range, page, signal);
    return { items: items.map(({ key, value }) => ({ key, value })), rest };
  }

  async entries(
    kind: string,
    range: KeyRange,
    page: PageOptions = {},
    signal?: AbortSignal,
  ): Promise<Page<StoredEntry>> {
    const { limit = PAGE_ENTRIES, reverse = false } = page;
    const before = await this.#before.entries(kind, range, page, signal);
    const read = before.rest ? rangeBefore(range, before.rest, reverse) : range;
    const changed = this.#of(kind);
    const items = before.items.filter(({ key }) => !changed.has(key));
    for (const [key, entry] of changed) {
      if (entry && isInRange(read, key)) items.push(entry);
    }
    const direction = reverse ? -1 : 1;
    items.sort((a, b) => direction * compareKeys(a.key, b.key));
    if (items.length <= limit) return { items, rest: before.rest };
    const first = items.slice(0, limit);
    const last = first.at(-1);
    return {
      items: first,
      rest: last ? rangePast(range, last.key, reverse) : range,
    };
  }

  async count(
    kind: string,
    range: KeyRange,
    limit = Infinity,
    signal?: AbortSignal,
  ): Promise<number> {
    const keys: string[] = [];
    let added = 0;
    for (const [key, entry] of this.#of(kind)) {
      if (!isInRange(range, key)) continue;
      keys.push(key);
      if (entry) added++;
    }
    const [before, replaced] = await Promise.all([
      this.#before.count(kind, range, undefined, signal),
      keys.length > 0 ? this.#before.some(kind, keys, signal) : [],
    ]);
    return Math.min(limit, before - replaced.length + added);
  }

  async kinds(signal?: AbortSignal): Promise<string[]> {
    const kinds = new Set(await this.#before.kinds(signal));
    for (const kind of this.#changed.keys()) {
      if (await this.count(kind, ALL_KEYS, 1, signal) > 0) kinds.add(kind);
      else kinds.delete(kind);
    }
    return [...kinds].sort(compareKeys);
  }

  close(): void {}

  #of(kind: string): Changed {
    return this.#changed.get(kind) ?? new Map();
  }
}

function entryOf(
  { key, value, version, revision, expiresAt, updatedAt }: EtcdChange,
): StoredEntry {
  return {
    key,
    value,
    version,
    revision,
    expiresAt,
    updatedAt: new Date(updatedAt),
  };
}
