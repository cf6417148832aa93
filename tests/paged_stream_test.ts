/**
 * Streams of pages' items: which items are made before they are asked for, and
 * what becomes of one that fails.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { pagedStream, type Pages } from "../src/base/paged_stream.ts";

interface Item {
  readonly n: number;
}

type Make = (n: number) => Item | Promise<Item | undefined> | undefined;

const itemOf = (n: number): Item => ({ n });

/** Pages of so many items; notes which pages were read, and which items made. */
function countedPages(sizes: readonly number[], make: Make = itemOf) {
  const made: number[] = [];
  const read: number[] = [];
  async function* pages(): Pages<Item> {
    let n = 0;
    for (const [page, size] of sizes.entries()) {
      read.push(page);
      const numbers = Array.from({ length: size }, () => n++);
      yield numbers.values().map((n) => {
        made.push(n);
        return make(n);
      });
    }
  }
  return { pages: pages(), made, read };
}

/** Reads to the end, or to an error. */
async function readAll(stream: ReadableStream<Item>) {
  const numbers: number[] = [];
  try {
    for await (const { n } of stream) numbers.push(n);
    return { numbers };
  } catch (error) {
    return { numbers, error: (error as Error).message };
  }
}

Deno.test("a stream makes a few items of a page ahead, and reads no page ahead", async () => {
  const { pages, made, read } = countedPages([3, 100]);
  const reader = pagedStream(pages, { ahead: true }).getReader();
  assertEquals([made.length, read.length], [0, 0]);
  assertEquals((await reader.read()).value, { n: 0 });
  assertEquals([made.length, read.length], [3, 1]);
  await reader.read();
  await reader.read();
  assertEquals([made.length, read.length], [3, 1]);
  assertEquals((await reader.read()).value, { n: 3 });
  assertEquals([made.length, read.length], [35, 2]);
  await reader.cancel();
});

Deno.test("a stream makes each item when it is asked for, unless it may go ahead", async () => {
  const { pages, made } = countedPages([3]);
  const reader = pagedStream(pages, { ahead: false }).getReader();
  for (let n = 0; n < 3; n++) {
    await reader.read();
    assertEquals(made.length, n + 1);
  }
  assertEquals((await reader.read()).done, true);
});

for (const ahead of [true, false]) {
  Deno.test(`a stream gives every item in order, also those that come later (ahead: ${ahead})`, async () => {
    const make: Make = (n) => {
      if (n % 5 === 2) return Promise.resolve(n === 7 ? undefined : itemOf(n));
      return n % 5 === 3 ? undefined : itemOf(n);
    };
    const { pages } = countedPages([0, 40, 1, 0, 3], make);
    const expected = Array.from({ length: 44 }, (_, n) => n)
      .filter((n) => n !== 7 && n % 5 !== 3);
    const found = await readAll(pagedStream(pages, { ahead }));
    assertEquals(found, { numbers: expected });
  });

  Deno.test(`a stream gives the items before a failing one (ahead: ${ahead})`, async () => {
    const fails: Make[] = [
      (n) => {
        if (n === 5) throw new Error("item 5");
        return itemOf(n);
      },
      (n) => n === 5 ? Promise.reject(new Error("item 5")) : itemOf(n),
    ];
    for (const make of fails) {
      const { pages } = countedPages([10], make);
      const found = await readAll(pagedStream(pages, { ahead }));
      assertEquals(found, { numbers: [0, 1, 2, 3, 4], error: "item 5" });
    }
  });
}

Deno.test("an item that fails after the stream was cancelled is ignored", async () => {
  const { promise, reject } = Promise.withResolvers<Item>();
  const make: Make = (n) => n === 1 ? promise : itemOf(n);
  const { pages } = countedPages([3], make);
  const reader = pagedStream(pages, { ahead: true }).getReader();
  await reader.read();
  await reader.cancel();
  reject(new Error("late"));
  await assertRejects(() => promise, Error, "late");
});
