/**
 * Streams that read pages and give single items. A page makes its items on
 * demand, and most items need no turn of the promises.
 *
 * @module
 */
import { isPromise, type MaybePromise } from "./promises.ts";

/**
 * Reads page after page. A page makes its items one by one. `undefined` stands
 * for an item to leave out.
 */
export type Pages<T extends object> = AsyncGenerator<
  Iterable<MaybePromise<T | undefined>>,
  void
>;

/** The items of the pages, one by one. */
export class PagedItems<T extends object> {
  readonly #pages: Pages<T>;
  #page: Iterator<MaybePromise<T | undefined>> | undefined;

  /**
   * Takes the pages. It reads the first page when the first item is asked for.
   */
  constructor(pages: Pages<T>) {
    this.#pages = pages;
  }

  /**
   * The next item, or `undefined` at the end. It needs no promise while the
   * page has items.
   */
  next(): MaybePromise<T | undefined> {
    for (;;) {
      const item = this.#page?.next();
      if (item === undefined || item.done) return this.#nextOfPages();
      if (isPromise(item.value)) return this.#nextFrom(item.value);
      if (item.value !== undefined) return item.value;
    }
  }

  /**
   * The next item of the page, or `undefined` at the page's end. It does not
   * read another page.
   */
  nextOfPage(): MaybePromise<T> | undefined {
    for (;;) {
      const item = this.#page?.next();
      if (item === undefined || item.done) return undefined;
      if (item.value !== undefined) return item.value as MaybePromise<T>;
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
        const made = item.value;
        const value = isPromise(made) ? await made : made;
        if (value !== undefined) return value;
      }
    }
  }
}

/**
 * How many items are made at once, because one turn of the stream costs more
 * than most items.
 */
const MADE_AT_ONCE = 32;

/**
 * A stream of the pages' items. It reads a page only when it has no more items.
 * With `ahead`, it makes a few items of a page before they are asked for. If
 * one of these items fails, the stream first gives the items before it.
 */
export function pagedStream<T extends object>(
  pages: Pages<T>,
  { ahead }: { readonly ahead: boolean },
): ReadableStream<T> {
  const items = new PagedItems(pages);
  const most = ahead ? MADE_AT_ONCE : 1;
  /** The outcome of an item that was made ahead, and could not be given yet. */
  let next: (() => MaybePromise<T | undefined>) | undefined;
  const makeAhead = (controller: ReadableStreamDefaultController<T>) => {
    try {
      for (let made = 1; made < most; made++) {
        const item = items.nextOfPage();
        if (item === undefined) return;
        if (isPromise(item)) {
          // The caller who asks for this item gets the failure.
          item.then(undefined, () => {});
          next = () => item;
          return;
        }
        controller.enqueue(item);
      }
    } catch (error) {
      next = () => {
        throw error;
      };
    }
  };
  return new ReadableStream<T>({
    async pull(controller) {
      const take = next ?? (() => items.next());
      next = undefined;
      const taken = take();
      const item = (isPromise(taken) ? await taken : taken) ??
        await items.next();
      if (item === undefined) return controller.close();
      controller.enqueue(item);
      makeAhead(controller);
    },
    async cancel() {
      await pages.return();
    },
  }, { highWaterMark: 0 });
}
