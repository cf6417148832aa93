/**
 * The past as a far engine reads it: page by page, on a line that is cut, while
 * others write.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  StoreUnavailableError,
  WatchOverflowError,
} from "../../src/contract/errors.ts";
import type { Page, PageOptions } from "../../src/engine/page.ts";
import type { View } from "../../src/engine/view.ts";
import {
  ALL_KEYS,
  type KeyRange,
  prefixRange,
} from "../../src/keys/key_range.ts";
import { Random, withSeed } from "../support/random.ts";
import { ending, withTime } from "../support/remote/frozen_client.ts";
import { CUTS } from "../support/remote/line.ts";
import { withClient, withTwoClients } from "../support/remote/open_clients.ts";
import {
  atomic,
  KIND,
  put,
  rangeRemoval,
  remove,
  set,
} from "../support/remote/operations.ts";
import { Server } from "../support/remote/server.ts";

/** Every entry of a range, read in pages. */
async function readAll(view: View, range: KeyRange, page: PageOptions) {
  const pages = [];
  for (let rest: KeyRange | undefined = range; rest;) {
    const read: Page<unknown> = await view.entries(KIND, rest, page);
    pages.push(...read.items);
    rest = read.rest;
  }
  return pages;
}

for (const cut of CUTS) {
  Deno.test(`a page of the past is not left out if it is cut ${cut}`, () =>
    withClient(async ({ engine, line, write }) => {
      const keys = Array.from({ length: 10 }, (_, i) => `k${i}`);
      await write(atomic(keys.map((key) => put(key, key))));
      const past = await engine.openPast();
      await write(atomic([rangeRemoval()]));
      const first = await past.keys(KIND, ALL_KEYS, { limit: 4 });
      line.cutNext(cut, cut);
      const second = await past.keys(KIND, first.rest!, { limit: 4 });
      const third = await past.keys(KIND, second.rest!, { limit: 4 });
      assertEquals(third.rest, undefined);
      assertEquals(
        [first, second, third].map(({ items }) => items),
        [keys.slice(0, 4), keys.slice(4, 8), keys.slice(8)],
      );
    }));
}

Deno.test(
  "a page of the past that cannot be read now can be read again",
  withTime({ busyTimeout: 20 }, async ({ engine, line, write }, time) => {
    const keys = ["a", "b", "c"];
    await ending(time, write(atomic(keys.map((key) => put(key, key)))));
    const past = await ending(time, engine.openPast());
    const read = async () =>
      (await ending(time, Promise.resolve(past.keys(KIND, ALL_KEYS)))).items;
    assertEquals(await read(), keys);
    line.cut();
    await assertRejects(read, StoreUnavailableError);
    line.mend();
    assertEquals(await read(), keys);
  }),
);

Deno.test("a past revision is unaffected by later writes", () =>
  withSeed("past", (random) =>
    withTwoClients(async (a, b) => {
      const keys = Array.from({ length: 12 }, (_, i) => `${"ab"[i % 2]}${i}`);
      const own = new Random(`${random.seed} writes`);
      const writeAny = () => {
        const key = own.pick(keys);
        const value = String(own.below(1_000));
        if (own.chance(0.05)) return b.write(atomic([rangeRemoval()]));
        return b.write(own.chance(0.4) ? remove(key) : set(key, value));
      };
      for (let n = 0; n < 30; n++) await writeAny();
      for (let round = 0; round < 15; round++) {
        const range = own.pick([ALL_KEYS, prefixRange("a")]);
        const reverse = own.chance(0.5);
        const expected = await readAll(a.engine, range, { reverse });
        const past = await a.engine.openPast();
        const writing = Array.from({ length: own.below(20) }, writeAny);
        const page = { limit: own.between(1, 5), reverse };
        assertEquals(await readAll(past, range, page), expected);
        // The same revision is the same, whoever asks for it, and when.
        const again = await b.engine.openPast(past.revision);
        assertEquals(await readAll(again, range, page), expected);
        await Promise.all(writing);
      }
    }, { random, cuts: 0.1 })));

Deno.test("a past revision has no entries that had expired, but those that expired later", () =>
  withClient(async ({ engine, write }) => {
    const now = Date.now();
    await write(atomic([
      put("a", "1"),
      put("b", "1", now + 1_000_000),
      put("c", "1", now + 2_000_000),
    ]));
    const keysAt = async (time?: number) => {
      const past = await engine.openPast(3, time);
      return (await past.keys(KIND, ALL_KEYS)).items;
    };
    assertEquals(await keysAt(), ["a", "b", "c"]);
    assertEquals(await keysAt(now + 999_999), ["a", "b", "c"]);
    assertEquals(await keysAt(now + 1_000_000), ["a", "c"]);
    assertEquals(await keysAt(now + 2_000_000), ["a"]);
  }));

Deno.test("a server that forgot its snapshots reads the past on", () =>
  withClient(async ({ engine, server, write }) => {
    await write(set("a", "1"));
    const past = await engine.openPast();
    assertEquals(server.snapshots, 0);
    server.dropSnapshots();
    await write(set("a", "2"));
    assertEquals((await past.entry(KIND, "a"))?.version, 1);
    past.close();
  }));

Deno.test("a past revision that the log does not reach is an overflow, which tells why", () =>
  withClient(async ({ engine, server, write }) => {
    await write(set("x", "first"));
    const past = await engine.openPast();
    for (let n = 0; n < 40; n++) await write(set("x", String(n)));
    assert(server.oldest > 2, "Nothing was pruned");
    const reads: [reason: string, read: () => unknown][] = [
      ["pruned", () => past.value(KIND, "x")],
      ["pruned", () => past.kinds()],
      ["pruned", () => past.keys(KIND, ALL_KEYS)],
      ["pruned", () => engine.openPast(server.oldest - 2)],
      ["ahead", () => engine.openPast(42)],
    ];
    for (const [reason, read] of reads) {
      const error = await assertRejects(async () => {
        await read();
      }, WatchOverflowError);
      assertEquals(error.reason, reason);
    }
    const oldest = await engine.openPast(server.oldest - 1);
    assertEquals(oldest.revision, server.oldest - 1);
    assertEquals((await oldest.entry(KIND, "x"))?.revision, oldest.revision);
  }, { server: new Server({ history: 10 }) }));
