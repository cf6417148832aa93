/**
 * What watches read last at the end of the change log. Watches that wait for
 * the same changes are woken together, and each then reads the same page: the
 * first from the storage, the others from here.
 *
 * A page is good for as long as the log's newest revision is what it was when
 * the page was read: until then nothing can have been added to it.
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

/** How many pages are kept: watches of as many different filters share them. */
const MOST_PAGES = 16;

/** How many bytes of values are kept. */
const MOST_BYTES = 64 * 1024;

/** What a page was read for. */
export interface TailRead {
  readonly filter: ChangeFilter;
  readonly after: number;
  readonly limit: number;
}

interface KeptPage extends TailRead {
  readonly page: ChangePage;
}

/** The pages that were read since the newest revision last changed. */
export class TailCache {
  #head = 0;
  #pages: KeptPage[] = [];
  #bytes = 0;

  /** The page that was read for the same at this head, if it is kept. */
  find(head: number, read: TailRead): ChangePage | undefined {
    if (head !== this.#head) return undefined;
    const kept = this.#pages.find((kept) => isSameRead(kept, read));
    return kept?.page;
  }

  /** Keeps a page that was read at this head, unless there is no room. */
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
    a.kinds?.join("\0") === b.kinds?.join("\0") &&
    isSameRange(a.keys, b.keys);
}

/** How many bytes of values a change has. */
function sizeOf(change: ChangePage["changes"][number]): number {
  if ("problem" in change) return 0;
  return sizeOfValue(change) + (change.previous?.byteLength ?? 0);
}

/** The page as it can be given to several: whoever asks for a value gets a copy, since a codec may give it away. */
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
