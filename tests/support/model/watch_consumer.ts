/**
 * Someone who watches a store, eagerly or now and then, leaves, and resumes.
 *
 * @module
 */
import type { WatchBookmark, WatchEvent } from "../../../mod.ts";
import type { Random } from "../random.ts";
import {
  countEvents,
  revisionOf,
  type Session,
  toItem,
  type Watched,
  type Written,
} from "../watches/watch_validators.ts";
import type { ModelStore } from "./operations.ts";
import { randomKeys, randomKind } from "./random_operations.ts";

/** For how long a watch may be behind when nothing is written, in ms. */
const HANGING = 30_000;

const TYPES = [
  undefined,
  undefined,
  ["create"],
  ["update", "delete"],
  ["delete"],
] as const;

interface Stream {
  readonly reader: ReadableStreamDefaultReader<WatchEvent | WatchBookmark>;
  readonly session: Session & { until?: number };
  readonly items: ReturnType<typeof toItem>[];
  /** What it resumed from, if not from a revision. */
  readonly cursor?: string;
  /** How many of the items are no bookmarks. */
  events: number;
  /** How many of them to read; it may be raised at any time. */
  wanted: number;
  /** Resolves when they are read, or the stream has ended. */
  reading?: Promise<void>;
}

/** A consumer of one watch. */
export class WatchConsumer {
  /** What its stream failed with. */
  error: unknown;
  /** How many revisions it had seen less than there were, when it failed. */
  behind = 0;
  #name: string;
  readonly #random: Random;
  readonly #head: () => number;
  readonly #kind: string;
  readonly #options: Session["options"];
  readonly #isEager: boolean;
  #streams: Stream[] = [];

  /** Makes up what to watch, and how; `head` tells the newest revision. */
  constructor(name: string, random: Random, head: () => number) {
    this.#name = name;
    this.#random = random;
    this.#head = head;
    this.#kind = randomKind(random);
    this.#isEager = random.chance(0.5);
    this.#options = {
      ...randomKeys(random),
      types: random.pick(TYPES),
      bookmarks: random.chance(0.5),
      bufferSize: random.chance(0.5) ? random.between(1, 10) : undefined,
    };
  }

  /** What it saw. */
  get watched(): Watched {
    return {
      name: this.#name,
      sessions: this.#streams.map(({ session }) => session),
    };
  }

  /** Begins to watch. */
  begin(store: ModelStore): void {
    this.#open(store, { initial: this.#random.chance(0.5) });
  }

  /** Leaves its stream, and goes on where it was in another. */
  async resume(store: ModelStore): Promise<void> {
    await this.cancel();
    if (this.error) return;
    const { items, session } = this.#stream;
    const { start, options: { after = start!, initial } } = session;
    const last = items.at(-1);
    const seen = last?.revision ?? (initial ? 0 : revisionOf(after));
    const cursor = this.#random.chance(0.5) ? last?.cursor : undefined;
    if (seen > 0 || !initial) {
      return this.#open(store, { after: seen }, cursor);
    }
    // In the middle of a replay there is nowhere to resume from.
    this.#streams = [];
    this.#open(store, { initial });
  }

  /** Goes on to read: an eager one whatever comes, another a few events more. */
  readSome(): void {
    const more = this.#isEager ? Infinity : this.#random.below(20);
    this.#read(this.#stream.events + more);
  }

  /** Reads until there is nothing more, and leaves. */
  async finish(written: Written): Promise<void> {
    const stream = this.#stream;
    const until = this.#head();
    stream.wanted = 0;
    const all = countEvents(stream.session, written);
    if (stream.events < all) {
      this.#read(all);
      const giveUp = setTimeout(() => {
        // What is missing will be told.
        this.#name += `, after ${HANGING} ms`;
        this.cancel();
      }, HANGING);
      await stream.reading;
      clearTimeout(giveUp);
    }
    await this.cancel();
    if (!this.error) stream.session.until = until;
  }

  /** Leaves its stream. */
  async cancel(): Promise<void> {
    const stream = this.#streams.at(-1);
    if (!stream || this.error) return;
    await stream.reader.cancel();
    await stream.reading;
  }

  get #stream(): Stream {
    return this.#streams.at(-1)!;
  }

  #open(
    store: ModelStore,
    from: { initial?: boolean; after?: number },
    cursor?: string,
  ): void {
    const options = { ...this.#options, ...from };
    const { after } = options;
    const reader = store.watch(this.#kind, {
      ...options,
      after: cursor ?? after,
    }).getReader();
    const items: Stream["items"] = [];
    const start = this.#head();
    const session = { kind: this.#kind, options, start, items };
    this.#streams.push({
      reader,
      session,
      items,
      cursor,
      events: 0,
      wanted: 0,
    });
  }

  #read(wanted: number): void {
    const stream = this.#stream;
    stream.wanted = Math.max(stream.wanted, wanted);
    if (this.error || stream.events >= stream.wanted) return;
    stream.reading ??= this.#readWanted(stream);
  }

  async #readWanted(stream: Stream): Promise<void> {
    try {
      while (stream.events < stream.wanted) {
        const { done, value } = await stream.reader.read();
        if (done) break;
        stream.items.push(toItem(value));
        if (value.type !== "bookmark") stream.events++;
      }
    } catch (error) {
      this.error = error;
      const { start, options: { after = start! }, items } = stream.session;
      const seen = Math.max(revisionOf(after), items.at(-1)?.revision ?? 0);
      this.behind = this.#head() - seen;
      // The log must hold the change that the cursor names, too.
      if (stream.cursor) this.behind++;
    }
    // At once: there may be more to read before whoever waits hears of the end.
    stream.reading = undefined;
  }
}
