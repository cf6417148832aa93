/**
 * The last pages that watches have read at the end of the change log. Watches
 * that wait for the same changes are woken together, and each then reads the
 * same page: the first one from the storage, the others from here.
 *
 * A page is valid while the log's newest revision is the same as when the page
 * was read, because nothing has been added until then.
 *
 * @module
 */
import { isSameRange } from "../keys/key_range.ts";
import { decodeUtf8 } from "../base/bytes.ts";
import {
  type ChangePage,
  sizeOfValue,
  type StoredChange,
} from "../engine/entries.ts";
import type { ChangeFilter } from "../engine/change_log.ts";

/** How many pages are kept, for watches with as many different filters. */
const MOST_PAGES = 16;

/** How many bytes of values are kept. */
const MOST_BYTES = 64 * 1024;

/** The arguments of a read. */
export interface TailRead {
  readonly filter: ChangeFilter;
  readonly after: number;
  readonly limit: number;
}

interface KeptPage extends TailRead {
  readonly page: ChangePage;
}

/** The pages that were read since the newest revision changed last. */
export class TailCache {
  #head = 0;
  #pages: KeptPage[] = [];
  #bytes = 0;

  /** The page of the same read at this head, if it is kept. */
  find(head: number, read: TailRead): ChangePage | undefined {
    if (head !== this.#head) return undefined;
    const kept = this.#pages.find((kept) => isSameRead(kept, read));
    return kept?.page;
  }

  /** Keeps a page that was read at this head, if there is room. */
  keep(head: number, read: TailRead, page: ChangePage): void {
    if (head !== this.#head) {
      this.#head = head;
      this.#pages = [];
      this.#bytes = 0;
    }
    const bytes = page.changes.reduce(
      (sum, change) => sum + sizeOf(change),
      0,
    );
    if (this.#pages.length === MOST_PAGES) return;
    if (this.#bytes + bytes > MOST_BYTES) return;
    this.#bytes += bytes;
    this.#pages.push({ ...read, page: shared(page) });
  }
}

function isSameRead(a: TailRead, b: TailRead): boolean {
  return a.after === b.after && a.limit === b.limit &&
    isSameFilter(a.filter, b.filter);
}

function isSameFilter(a: ChangeFilter, b: ChangeFilter): boolean {
  return a.previous === b.previous && a.times === b.times &&
    a.asText === b.asText &&
    isSameList(a.kinds, b.kinds) && isSameRange(a.keys, b.keys);
}

function isSameList(a?: readonly string[], b?: readonly string[]): boolean {
  if (a === b) return true;
  return a?.length === b?.length && a!.every((item, i) => item === b![i]);
}

/** The bytes of values in a change. */
function sizeOf(change: ChangePage["changes"][number]): number {
  if ("problem" in change) return 0;
  return sizeOfValue(change) + (change.previous?.byteLength ?? 0);
}

/**
 * The page for several readers. Each access to a value makes a copy, because a
 * codec may give its bytes away.
 */
function shared({ changes, cursor }: ChangePage): ChangePage {
  return {
    changes: changes.map((change) =>
      "problem" in change ? change : sharedChange(change)
    ),
    cursor,
  };
}

function sharedChange(change: StoredChange): StoredChange {
  // Text cannot be altered, and its bytes are made for each that asks.
  if (change.text !== undefined) return change;
  const value = change.value.slice();
  const previous = change.previous?.slice();
  let text: { readonly decoded: string | undefined } | undefined;
  return {
    ...change,
    get value() {
      return value.slice();
    },
    get previous() {
      return previous?.slice();
    },
    get text() {
      text ??= { decoded: decodeUtf8(value) };
      return text.decoded;
    },
  };
}
