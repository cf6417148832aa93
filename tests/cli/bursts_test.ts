/**
 * How the events of a watch are collected into bursts, on a clock that the test
 * moves.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import {
  type Burst,
  burstsOf,
  LONGEST_BURST,
  MOST_EVENTS,
} from "../../src/cli/watching/bursts.ts";
import type { Item } from "../../src/cli/watching/place.ts";
import { ManualTime } from "../support/manual_time.ts";

const QUIET = 100;

function event(revision: number, key = `${revision}`): Item {
  const cursor = `c${revision}`;
  const names = { kind: "k", key, value: 1, version: 1 };
  return { type: "create", ...names, revision, cursor };
}

function bookmark(revision: number): Item {
  return { type: "bookmark", revision, cursor: `c${revision}` };
}

/** Collects the bursts of a stream that the test fills. */
function collecting(lineOf = ({ key }: { key: string }) => key as string) {
  const time = new ManualTime();
  let controller!: ReadableStreamDefaultController<Item>;
  let isCancelled = false;
  const items = new ReadableStream<Item>({
    start: (it) => void (controller = it),
    cancel: () => void (isCancelled = true),
  });
  const bursts = burstsOf(items, { quiet: QUIET, lineOf });
  const found: string[] = [];
  const all = (async () => {
    for await (const { lines, revision, place } of bursts) {
      found.push(`${lines.join("+")} ${revision} ${place}`);
    }
  })();
  // A test awaits it when it has failed already.
  all.catch(() => {});
  return {
    time,
    all,
    bursts,
    found,
    get isCancelled() {
      return isCancelled;
    },
    emit: (...items: Item[]) =>
      items.forEach((item) => controller.enqueue(item)),
    close: () => controller.close(),
    fail: (error: Error) => controller.error(error),
    async [Symbol.asyncDispose]() {
      time[Symbol.dispose]();
      try {
        controller.close();
      } catch {
        // It has ended.
      }
      await all.catch(() => {});
    },
  };
}

Deno.test("a burst ends when no event has come for long enough", async () => {
  await using it = collecting();
  it.emit(event(1), event(2));
  await it.time.advance(QUIET - 1);
  it.emit(event(3));
  await it.time.advance(QUIET - 1);
  assertEquals(it.found, []);
  await it.time.advance(1);
  assertEquals(it.found, ["1+2+3 3 c3"]);
  await it.time.advance(100 * QUIET);
  it.emit(event(9));
  await it.time.advance(QUIET);
  assertEquals(it.found, ["1+2+3 3 c3", "9 9 c9"]);
  assertEquals(it.time.timers, []);
});

Deno.test("a burst that goes on is cut, and no event is lost", async () => {
  await using it = collecting();
  const step = QUIET / 2;
  const perBurst = LONGEST_BURST * QUIET / step;
  for (let revision = 1; revision <= 2 * perBurst; revision++) {
    it.emit(event(revision));
    await it.time.advance(step);
  }
  await it.time.advance(QUIET);
  const keys = it.found.map((burst) => burst.split(" ")[0].split("+"));
  assertEquals(keys[0].length, perBurst);
  assertEquals(
    keys.flat(),
    Array.from({ length: 2 * perBurst }, (_, i) => `${i + 1}`),
  );
});

Deno.test("a burst is bounded in events and in text", async () => {
  await using it = collecting();
  it.emit(...Array.from({ length: MOST_EVENTS + 5 }, (_, i) => event(i + 1)));
  await it.time.advance(QUIET);
  assertEquals(it.found.map((burst) => burst.split("+").length), [
    MOST_EVENTS,
    5,
  ]);
  await using long = collecting(({ key }) => key.repeat(10_000_000));
  long.emit(event(1, "a"), event(2, "b"), event(3, "c"));
  await long.time.advance(QUIET);
  const places = long.found.map((burst) => burst.split(" ").at(-1));
  assertEquals(places, ["c2", "c3"]);
});

Deno.test("the place of a burst is that of all that is in it, and past nothing else", async () => {
  await using it = collecting((event) => event.key);
  // Of an empty store.
  it.emit(bookmark(0));
  await it.time.advance(0);
  assertEquals(it.found, [" 0 c0"]);
  // In the middle of a replay there is none.
  it.emit(event(0, "a"), event(0, "b"));
  await it.time.advance(QUIET);
  it.emit(event(0, "c"), bookmark(7));
  await it.time.advance(QUIET - 1);
  it.emit(bookmark(8));
  // A bookmark is no event: the burst does not last longer.
  await it.time.advance(1);
  it.emit(bookmark(9));
  await it.time.advance(0);
  assertEquals(it.found.slice(1), ["a+b 0 undefined", "c 0 c8", " 0 c9"]);
});

Deno.test("an event without a line is in no burst, and its place is", async () => {
  await using it = collecting((event) =>
    event.key === "bad" ? undefined as unknown as string : event.key
  );
  it.emit(event(1, "bad"));
  await it.time.advance(0);
  it.emit(event(2, "a"), event(3, "bad"));
  await it.time.advance(QUIET);
  it.emit(event(0, "bad"));
  await it.time.advance(QUIET);
  assertEquals(it.found, [" 0 c1", "a 2 c3"]);
});

Deno.test("a failing watch gives the earlier events, then the error", async () => {
  await using it = collecting();
  it.emit(event(1));
  await it.time.advance(QUIET / 2);
  const error = new Error("lost");
  it.fail(error);
  assertEquals(await assertRejects(() => it.all), error);
  assertEquals(it.found, ["1 1 c1"]);
  assertEquals(it.time.timers, []);
});

Deno.test("a watch that ends drops the burst that waits", async () => {
  await using it = collecting();
  it.emit(event(1));
  await it.time.advance(QUIET / 2);
  it.close();
  await it.all;
  assertEquals(it.found, []);
  assertEquals(it.time.timers, []);
});

Deno.test("ending the bursts cancels the watch, also while it waits", async () => {
  using time = new ManualTime();
  let isCancelled = false;
  const items = new ReadableStream<Item>({
    start: (it) => it.enqueue(event(1)),
    cancel: () => void (isCancelled = true),
  });
  const bursts = burstsOf(items, { quiet: QUIET, lineOf: ({ key }) => key });
  const first = bursts.next();
  await time.advance(QUIET);
  const { value } = await first;
  assertEquals((value as Burst).lines, ["1"]);
  await bursts.return(undefined);
  assertEquals(isCancelled, true);
});
