/**
 * The past, by undo: what a view reads is what was there, whatever came since.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { WatchOverflowError } from "../src/contract/errors.ts";
import type { StoredEntry } from "../src/engine/entries.ts";
import type { Page, PageOptions } from "../src/engine/page.ts";
import { ALL_KEYS, type KeyRange } from "../src/keys/key_range.ts";
import { momentOf, type PastMoment } from "../src/local/past_moment.ts";
import type { Storage } from "../src/local/storage.ts";
import { UndoView } from "../src/local/undo_view.ts";
import { MemoryStorage } from "../src/memory/memory_storage.ts";
import { testOnEachDriver } from "./support/drivers.ts";
import { FrozenTime } from "./support/manual_time.ts";
import { type Random, withSeed } from "./support/random.ts";
import { openSqliteStorage } from "./support/sqlite_storage.ts";
import {
  entriesAt,
  KEYS,
  KINDS,
  randomRange,
  StorageModel,
} from "./support/storage_model.ts";

/** A view of a storage, read as in an engine whose turn it is. */
function viewOf(storage: Storage, moment: PastMoment): UndoView {
  return new UndoView(storage, (work) => work(), moment);
}

/** A view, and what it is to give. */
class Checked {
  readonly #model: StorageModel<Storage>;
  readonly #random: Random;
  readonly #view: UndoView;
  readonly #moment: PastMoment;

  constructor(
    model: StorageModel<Storage>,
    random: Random,
    moment: PastMoment,
  ) {
    this.#model = model;
    this.#random = random;
    this.#moment = moment;
    this.#view = viewOf(model.storage, moment);
  }

  #expected(kind: string, range?: KeyRange) {
    const { revision, time } = this.#moment;
    return entriesAt(this.#model.past[revision].state, time, kind, range);
  }

  /** Whether the log reaches the view's revision. */
  get isReached(): boolean {
    return this.#moment.revision >= this.#model.storage.oldestRevision() - 1;
  }

  /** Makes one read, which may be of several pages, between which there are changes. */
  async check(betweenPages: () => void): Promise<void> {
    const random = this.#random;
    const view = this.#view;
    const kind = random.pick(KINDS);
    const key = random.pick(KEYS);
    const range = randomRange(random);
    const entry = this.#expected(kind).find((entry) => entry.key === key);
    const entries = this.#expected(kind, range);
    switch (random.below(9)) {
      case 0:
        return assertEquals(await view.value(kind, key), entry?.value);
      case 1:
        return assertEquals(
          untimed(await view.entry(kind, key)),
          untimed(entry),
        );
      case 2: {
        const { version, revision } = entry ?? {};
        const state = entry && { version, revision };
        return assertEquals<unknown>(await view.state(kind, key), state);
      }
      case 3: {
        const keys = KEYS.filter(() => random.chance(0.4));
        const some = await view.some(kind, keys);
        const expected = this.#expected(kind)
          .filter(({ key }) => keys.includes(key));
        return assertEquals(
          new Map(some.map(({ key, value }) => [key, value])),
          new Map(expected.map(({ key, value }) => [key, value])),
        );
      }
      case 4: {
        const limit = random.pick([0, 1, 3, Infinity]);
        const count = await view.count(kind, range, limit);
        return assertEquals(count, Math.min(entries.length, limit));
      }
      case 5: {
        const kinds = KINDS.filter((kind) => this.#expected(kind).length > 0);
        return assertEquals(await view.kinds(), kinds);
      }
    }
    const page: PageOptions = {
      limit: random.pick([1, 2, 5, undefined]),
      bytes: random.pick([1, 4, 9, undefined]),
      reverse: random.chance(0.5),
    };
    if (page.reverse) entries.reverse();
    const pages = <T>(
      read: (rest: KeyRange) => Promise<Page<T>>,
      sizeOf: (item: T) => number,
    ) => readPages(range, page, read, sizeOf, betweenPages);
    const sizeOf = ({ value }: { value: Uint8Array }) => value.byteLength;
    switch (random.below(3)) {
      case 0: {
        const read = await pages(
          (rest) => view.keys(kind, rest, page),
          () => 0,
        );
        return assertEquals(read, entries.map(({ key }) => key));
      }
      case 1: {
        const values = (rest: KeyRange) => view.values(kind, rest, page);
        return assertEquals(
          await pages(values, sizeOf),
          entries.map(({ key, value }) => ({ key, value })),
        );
      }
      default: {
        const read = (rest: KeyRange) => view.entries(kind, rest, page);
        const all = await pages(read, sizeOf);
        return assertEquals(all.map(untimed), entries.map(untimed));
      }
    }
  }

  /** The revision is not in the log any more. */
  async checkPruned(): Promise<void> {
    const kind = this.#random.pick(KINDS);
    const key = this.#random.pick(KEYS);
    const view = this.#view;
    const read = this.#random.pick<() => Promise<unknown>>([
      () => view.value(kind, key),
      () => view.entry(kind, key),
      () => view.state(kind, key),
      () => view.some(kind, KEYS),
      () => view.count(kind, ALL_KEYS),
      () => view.kinds(),
      () => view.keys(kind, ALL_KEYS),
      () => view.values(kind, ALL_KEYS),
      () => view.entries(kind, ALL_KEYS, { reverse: true }),
    ]);
    const error = await assertRejects(read, WatchOverflowError);
    assertEquals(error.reason, "pruned");
  }
}

async function readPages<T>(
  range: KeyRange,
  { limit = Infinity, bytes = Infinity }: PageOptions,
  read: (rest: KeyRange) => Promise<Page<T>>,
  sizeOf: (item: T) => number,
  betweenPages: () => void,
): Promise<T[]> {
  const all: T[] = [];
  let rest: KeyRange | undefined = range;
  for (let pages = 0; rest; pages++) {
    assert(pages < 1_000, "it never ends");
    const page = await read(rest);
    const before = page.items.slice(0, -1);
    assert(page.items.length <= limit, "a page has too many entries");
    // The last one may go past the bound.
    const size = before.reduce((sum, item) => sum + sizeOf(item), 0);
    assert(size < bytes, "a page has too many bytes");
    all.push(...page.items);
    rest = page.rest;
    if (rest) betweenPages();
  }
  return all;
}

/** An entry without the time of its last change, which a storage may take from its own clock. */
function untimed(entry: StoredEntry | undefined) {
  if (!entry) return undefined;
  const { updatedAt: _updatedAt, ...others } = entry;
  return others;
}

/** Changes a storage at random, and reads it as it was. */
async function checkViews(
  model: StorageModel<Storage>,
  random: Random,
  soonest: number,
  pass: () => void,
): Promise<void> {
  const { storage } = model;
  const views: Checked[] = [];
  const open = () => {
    const oldest = Math.max(0, storage.oldestRevision() - 1);
    const revision = random.between(oldest, model.head);
    const time = random.pick([
      model.past[revision].time,
      Date.now(),
      Date.now() + soonest + random.between(-100, 100),
    ]);
    views.push(new Checked(model, random, { revision, time }));
  };
  const goOn = () => {
    pass();
    model.change();
  };
  for (let step = 0; step < 60; step++) {
    goOn();
    if (random.chance(0.4)) open();
    if (random.chance(0.05)) {
      const { head } = model;
      const oldest = storage.oldestRevision();
      if (head > oldest) storage.prune(random.between(oldest, head - 1));
    }
    for (let n = 0; n < 6 && views.length > 0; n++) {
      const view = random.pick(views);
      if (view.isReached) {
        await view.check(() => random.chance(0.5) && goOn());
      } else await view.checkPruned();
    }
  }
}

for (let round = 0; round < 30; round++) {
  Deno.test(`a view of the past equals a plain model (${round}) [memory]`, () =>
    withSeed(`undo ${round}`, async (random) => {
      using time = new FrozenTime();
      const model = new StorageModel(new MemoryStorage(), random);
      await checkViews(model, random, 0, () => time.jump(random.below(40)));
    }));
}

const TOMORROW = 86_400_000;

for (let round = 0; round < 10; round++) {
  testOnEachDriver(
    `a view of the past equals a plain model (${round})`,
    (driver) =>
      withSeed(`undo ${round}`, async (random) => {
        const storage = await openSqliteStorage(driver);
        // Nothing expires meanwhile: SQLite's clock is its own.
        const model = new StorageModel(storage, random, TOMORROW);
        await checkViews(model, random, TOMORROW, () => {});
        storage.close();
      }),
  );
}

Deno.test("a view of many changes is read in several steps, and between them others have their turn", async () => {
  const storage = new MemoryStorage();
  const value = new Uint8Array([1]);
  storage.put("k", "first", { value });
  storage.put("k", "removed", { value });
  const moment = momentOf(storage);
  const turns: number[] = [];
  const view = new UndoView(storage, (work) => {
    turns.push(storage.headRevision());
    const result = work();
    // Somebody writes as soon as the turn is over.
    storage.put("k", `${storage.headRevision()}`, { value });
    return result;
  }, moment);
  for (let n = 0; n < 25_000; n++) {
    storage.put("l", `${n % 10}`, { value: new Uint8Array([n]) });
  }
  storage.remove("k", "removed");
  const { items, rest } = await view.keys("k", ALL_KEYS);
  assertEquals([items, rest], [["first", "removed"], undefined]);
  assertEquals(turns.length, 3);
});

Deno.test("a page of keys that were all created since is empty, and has the place to continue", async () => {
  const storage = new MemoryStorage();
  const value = new Uint8Array([1]);
  storage.put("k", "a", { value });
  storage.put("k", "z", { value });
  const view = viewOf(storage, momentOf(storage));
  for (let n = 0; n < 1_000; n++) {
    storage.put("k", `n${String(n).padStart(4, "0")}`, { value });
  }
  storage.remove("k", "a");
  for (const reverse of [false, true]) {
    const found: string[][] = [];
    for (let rest: KeyRange | undefined = ALL_KEYS; rest;) {
      const page: Page<string> = await view.keys("k", rest, { reverse });
      found.push(page.items);
      rest = page.rest;
    }
    // It undoes 256 changes a page.
    assertEquals(found.length, 4);
    assertEquals(found.flat(), reverse ? ["z", "a"] : ["a", "z"]);
  }
  assertEquals(await view.count("k", ALL_KEYS), 2);
  assertEquals(await view.kinds(), ["k"]);
});

Deno.test("a view whose read is aborted rejects with the signal's reason", async () => {
  const storage = new MemoryStorage();
  const view = new UndoView(storage, (work, signal) => {
    signal?.throwIfAborted();
    return work();
  }, momentOf(storage));
  const signal = AbortSignal.abort("enough");
  const reads: (() => Promise<unknown>)[] = [
    () => view.value("k", "a", signal),
    () => view.some("k", ["a"], signal),
    () => view.keys("k", ALL_KEYS, {}, signal),
    () => view.count("k", ALL_KEYS, 1, signal),
    () => view.kinds(signal),
  ];
  for (const read of reads) {
    assertEquals(await read().catch((reason) => reason), "enough");
  }
});
