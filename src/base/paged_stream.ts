/**
 * Streams that are read by the page and given item by item: a page's items are
 * made when they are asked for, without a turn through promises.
 *
 * @module
 */
import { isPromise, type MaybePromise } from "./promises.ts";

/** Reads page after page. A page makes its items one by one; it gives `undefined` in place of an item that is left out. */
export type Pages<T extends object> = AsyncGenerator<
  Iterable<MaybePromise<T | undefined>>,
  void
>;

/** The items of pages, one by one. */
export class PagedItems<T extends object> {
  readonly #pages: Pages<T>;
  #page: Iterator<MaybePromise<T | undefined>> | undefined;

  /** Takes the pages, none of which is read before the first item is asked for. */
  constructor(pages: Pages<T>) {
    this.#pages = pages;
  }

  /** The next item, `undefined` at the end: at once as long as the page has one. */
  next(): MaybePromise<T | undefined> {
    for (;;) {
      const item = this.#page?.next();
      if (item === undefined || item.done) return this.#nextOfPages();
      if (isPromise(item.value)) return this.#nextFrom(item.value);
      if (item.value !== undefined) return item.value;
    }
  }

  async #nextFrom(
    item: PromiseLike<T | undefined>,
  ): Promise<T | undefined> {
    return await item ?? await this.next();
  }

  async #nextOfPages(): Promise<T | undefined> {
    for (;;) {
      const page = await this.#pages.next();
      if (page.done) return undefined;
      this.#page = page.value[Symbol.iterator]();
      for (let item = this.#page.next(); !item.done; item = this.#page.next()) {
        const value = await item.value;
        if (value !== undefined) return value;
      }
    }
  }
}

/** A stream of pages' items, which reads a page when it is out of items, not before. */
export function pagedStream<T extends object>(
  pages: Pages<T>,
): ReadableStream<T> {
  const items = new PagedItems(pages);
  return new ReadableStream<T>({
    async pull(controller) {
      const next = items.next();
      const item = isPromise(next) ? await next : next;
      if (item === undefined) controller.close();
      else controller.enqueue(item);
    },
    async cancel() {
      await pages.return();
    },
  }, { highWaterMark: 0 });
}
