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

  /** The next item that the page has, as it makes it; `undefined` at its end. Reads no page. */
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

/** How many items are made at once: a turn through the stream costs more than most of them. */
const MADE_AT_ONCE = 32;

/**
 * A stream of pages' items, which reads a page when it is out of items, not
 * before. `ahead` lets it make a few items of a page before they are asked for.
 * If one of them fails, the stream gives those before it first.
 */
export function pagedStream<T extends object>(
  pages: Pages<T>,
  { ahead }: { readonly ahead: boolean },
): ReadableStream<T> {
  const items = new PagedItems(pages);
  const most = ahead ? MADE_AT_ONCE : 1;
  /** What an item made ahead came to that could not be given yet. */
  let next: (() => MaybePromise<T | undefined>) | undefined;
  const makeAhead = (controller: ReadableStreamDefaultController<T>) => {
    try {
      for (let made = 1; made < most; made++) {
        const item = items.nextOfPage();
        if (item === undefined) return;
        if (isPromise(item)) {
          // Whoever asks for it hears that it failed.
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
