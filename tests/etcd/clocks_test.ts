/**
 * A clock that jumps while a store is open. Expiry follows the clock of the
 * program, but the order of changes does not.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { openTestStore } from "../support/etcd/stores.ts";
import { freshPrefix, testEtcd } from "../support/etcd/test_etcd.ts";
import { readWholeStore } from "../support/whole_store.ts";

const HOUR = 3_600_000;

/** A wrong system clock. Disposing of it restores the right one. */
class WrongClock implements Disposable {
  readonly #real = Date.now;
  /** How many ms it is ahead. */
  ahead = 0;

  constructor() {
    Date.now = () => this.#real.call(Date) + this.ahead;
  }

  [Symbol.dispose](): void {
    Date.now = this.#real;
  }
}

testEtcd(
  "a clock that jumps ahead ends what expires then, once",
  async ({ url }) => {
    using clock = new WrongClock();
    const place = { endpoints: [url], prefix: freshPrefix() };
    await using store = await openTestStore(place);
    await using other = await openTestStore(place);
    await store.set("k", "kept", 0);
    await store.set("k", "a", 1, { expireIn: HOUR });
    await store.set("k", "b", 1, { expireIn: 5 * HOUR });
    const watches = [store, other].map((each) =>
      each.watch("k", { after: 3 }).getReader()
    );
    clock.ahead = 2 * HOUR;
    assertEquals(await store.keys("k"), ["b", "kept"]);
    assertEquals(await store.get("k", "a"), undefined);
    assertEquals((await store.set("k", "c", 1, { ifVersion: 0 })).version, 1);
    // The expired entry stays expired, and its key is free.
    const seen = [(await watches[0].read()).value!];
    while (seen.at(-1)!.type !== "delete") {
      seen.push((await watches[0].read()).value!);
    }
    clock.ahead = 0;
    assertEquals(await store.get("k", "a"), undefined);
    assertEquals((await store.set("k", "a", 2)).status, "created");
    const lines = await Promise.all(watches.map(async (watch, i) => {
      const events = i === 0 ? seen : [];
      while (events.length < 3) events.push((await watch.read()).value!);
      await watch.cancel();
      return events.map(({ revision, type, key }) =>
        `${revision} ${type} ${key}`
      );
    }));
    assertEquals(lines[0], lines[1]);
    assertEquals(
      lines[0].map((line) => line.slice(2)).sort(),
      ["create a", "create c", "delete a"],
    );
    const { head, changes } = await readWholeStore(other);
    assertEquals(head, 6);
    assertEquals(changes.map(({ revision }) => revision), [1, 2, 3, 4, 5, 6]);
    assertEquals(await store.verify(), []);
  },
);

testEtcd(
  "a clock that jumps back loses nothing, and expires later",
  async ({ url }) => {
    using clock = new WrongClock();
    const place = { endpoints: [url], prefix: freshPrefix() };
    await using store = await openTestStore(place);
    const watch = store.watch("k", { after: 0 }).getReader();
    await store.set("k", "a", 1, { expireIn: 100 });
    clock.ahead = -HOUR;
    await store.set("k", "b", 1);
    assertEquals((await store.update("k", "b", (n) => n + 1)).version, 2);
    assertEquals((await store.entry("k", "a"))?.version, 1);
    assertEquals(await store.keys("k"), ["a", "b"]);
    clock.ahead = 0;
    const seen: string[] = [];
    while (seen.length < 4) {
      const { revision, type, key } = (await watch.read()).value!;
      seen.push(`${revision} ${type} ${key}`);
    }
    assertEquals(seen, [
      "1 create a",
      "2 create b",
      "3 update b",
      "4 delete a",
    ]);
    assertEquals(await store.keys("k"), ["b"]);
    assertEquals(await store.verify(), []);
    await watch.cancel();
  },
);
