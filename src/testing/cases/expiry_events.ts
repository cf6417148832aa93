/**
 * Tests of the events of expired entries (C9): one `delete` event for each, in
 * order with all others, without any operation.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { DeleteEvent, WatchEvent } from "../../contract/mod.ts";
import type { Cases } from "../case.ts";
import { HOUR, setExpired, SOON } from "../expiring.ts";
import {
  assertSound,
  brief,
  keysOf,
  next,
  numberedKey,
  revisionsOf,
  take,
  turn,
} from "../reading.ts";
import { countInOneWrite, keysOfOneWrite } from "../sizes.ts";

export const expiryEvents: Cases = {
  "C9 an entry that expires gives one delete event, marked as expired": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const events = store.watch("users").getReader();
    await store.set("users", "alice", { n: 1 });
    const { version, revision } = await store.set("users", "alice", { n: 2 }, {
      expireIn: SOON,
    });
    const [, , deleted] = await take(events, 3);
    const { cursor: _, ...told } = deleted;
    assertEquals(told, {
      kind: "users",
      key: "alice",
      type: "delete",
      value: { n: 2 },
      version,
      revision: revision + 1,
      expired: true,
    });
    assertEquals(await store.kinds(), []);
    const probe = await store.set("users", "probe", 1);
    assertEquals(probe.revision, revision + 2);
    assertEquals(brief([await next(events)]), ["create probe@1"]);
    await assertSound(store, supports);
  },

  "C9 an entry that was deleted before its expiry is not marked as expired":
    async (open) => {
      await using store = await open();
      const events = store.watch("users", { types: ["delete"] }).getReader();
      await store.set("users", "a", 1, { expireIn: HOUR });
      await store.delete("users", "a");
      await store.setAll("users", { b: 1, c: 1 }, { expireIn: HOUR });
      await store.atomic().delete("users", "b").commit();
      await store.deleteAll("users");
      for (const event of await take(events, 3)) {
        assert(!("expired" in event), event.key);
      }
    },

  "C9 every watch gets the expiries that its filter accepts": async (
    open,
  ) => {
    await using store = await open();
    const filters: Record<string, object> = {
      all: {},
      "of its key": { key: "a/1" },
      "of its prefix": { prefix: "a/" },
      "of deletions": { types: ["delete"] },
      "with values before": { previous: true },
      "with a small buffer": { bufferSize: 1 },
    };
    const watches = Object.entries(filters).map(([what, filter]) => ({
      what,
      reader: store.watch("users", filter).getReader(),
    }));
    const others = [
      store.watch("users", { prefix: "b" }),
      store.watch("users", { types: ["create"], prefix: "b" }),
    ].map((stream) => stream.getReader());
    await store.set("users", "a/1", 1, { expireIn: SOON });
    for (const { what, reader } of watches) {
      const event = await nextDelete(reader);
      assertEquals([event.key, event.expired], ["a/1", true], what);
    }
    await store.set("users", "b", 1);
    for (const reader of others) {
      assertEquals(brief([await next(reader)]), ["create b@1"]);
    }
  },

  "W1 expiries come in order with all other changes": async (open) => {
    await using store = await open();
    const events = store.watch("users").getReader();
    const { revision } = await store.set("users", "first", 1);
    await store.setAll("users", { a: 1, b: 1, c: 1 }, { expireIn: SOON });
    // Others write until all have expired.
    const seen: WatchEvent[] = [];
    let gone = 0;
    const reading = (async () => {
      while (gone < 3) {
        const event = await next(events);
        seen.push(event);
        if (event.type === "delete") gone++;
      }
    })();
    for (let n = 0; gone < 3; n++) {
      await store.set("users", `other ${n % 10}`, n);
      await turn();
    }
    await reading;
    assertEquals(
      revisionsOf(seen),
      seen.map((_, n) => revision + n),
    );
    const expired = seen.filter(({ type }) => type === "delete");
    assertEquals(keysOf(expired).sort(), ["a", "b", "c"]);
  },

  "W5 a watch resumes before and after an expiry": async (open) => {
    await using store = await open();
    const events = store.watch("users").getReader();
    const { revision } = await store.set("users", "a", 1, { expireIn: SOON });
    const [, expired] = await take(events, 2);
    const last = await store.set("users", "b", 1);
    const resumed = store.watch("users", { after: revision }).getReader();
    assertEquals(await next(resumed), expired);
    const later = store.watch("users", { after: expired.revision }).getReader();
    assertEquals((await next(later)).revision, last.revision);
  },

  "C9 entries expire in whichever order they were written": async (open) => {
    await using store = await open();
    const events = store.watch("users", { types: ["delete"] }).getReader();
    await store.set("users", "later", 1, { expireIn: HOUR });
    await store.set("users", "sooner", 1, { expireIn: SOON });
    assertEquals(brief([await next(events)]), ["delete sooner@1"]);
    // An expiry can be brought forward.
    await store.set("users", "later", 1, { expireIn: SOON });
    assertEquals(brief([await next(events)]), ["delete later@2"]);
    await store.set("users", "later", 1, { expireIn: HOUR });
    await store.update("users", "later", () => 2, { expireIn: SOON });
    assertEquals(brief([await next(events)]), ["delete later@2"]);
    // One after the other, each needs a look of its own.
    for (let n = 0; n < 3; n++) {
      await store.set("users", "a", n, { expireIn: SOON });
      assertEquals(brief([await next(events)]), ["delete a@1"]);
    }
  },

  "C9 many entries that expire at once each give one event": async (
    open,
    supports,
  ) => {
    await using store = await open({ history: 20_000 });
    const events = store.watch("users", { types: ["delete"] }).getReader();
    const keys = keysOfOneWrite(5_000, supports);
    const entries = keys.map((key) => [key, { of: key }] as const);
    await store.setAll("users", entries, { expireIn: SOON });
    const seen = await take(events, keys.length);
    assertEquals(keysOf(seen).sort(), keys);
    assert(seen.every((event) => event.type === "delete" && event.expired));
    assertEquals(
      revisionsOf(seen),
      seen.map((_, n) => seen[0].revision + n),
    );
    await store.set("users", "probe", 1);
    await store.delete("users", "probe");
    assertEquals(brief([await next(events)]), ["delete probe@1"]);
    assertEquals(await store.count("users"), 0);
    await assertSound(store, supports);
  },

  "C4 entries that expire are in the way of no write": async (
    open,
    supports,
  ) => {
    await using store = await open({ history: 20_000 });
    const events = store.watch("users", { types: ["delete"] }).getReader();
    const count = countInOneWrite(500, supports);
    const results = await Promise.all(
      Array.from({ length: 4 * count }, (_, n) => {
        const key = numberedKey(n);
        return n % 2 === 0
          ? store.set("users", key, n, { expireIn: SOON })
          : store.set("users", key, n);
      }),
    );
    assert(results.every(({ version }) => version === 1));
    const seen = await take(events, 2 * count);
    assertEquals(new Set(keysOf(seen)).size, 2 * count);
    assertEquals(await store.count("users"), 2 * count);
  },

  "C9 an entry can expire, and be written again, many times": async (open) => {
    await using store = await open();
    const events = store.watch("users").getReader();
    const expected: string[] = [];
    for (let n = 0; n < 5; n++) {
      await setExpired(store, "users", "a", n);
      expected.push("create a@1", "delete a@1");
    }
    const seen = await take(events, expected.length);
    assertEquals(brief(seen), expected);
    assertEquals(
      seen.map(({ value }) => value),
      [0, 0, 1, 1, 2, 2, 3, 3, 4, 4],
    );
    assertEquals(
      revisionsOf(seen),
      seen.map((_, n) => seen[0].revision + n),
    );
  },

  "C9 every kind gets its expiries": async (open) => {
    await using store = await open();
    const kinds = ["a", "b", "c"];
    const watches = kinds.map((kind) => store.watch(kind).getReader());
    const operation = store.atomic();
    for (const kind of kinds) {
      operation.set(kind, "x", kind, { expireIn: SOON });
    }
    await operation.commit();
    for (const [n, reader] of watches.entries()) {
      const { kind, value, expired } = await nextDelete(reader);
      assertEquals([kind, value, expired], [kinds[n], kinds[n], true]);
    }
    assertEquals(await store.kinds(), []);
  },

  "close: does not wait for entries that will expire": async (open) => {
    const store = await open();
    await store.set("users", "a", 1, { expireIn: HOUR });
    await store.set("users", "b", 1, { expireIn: SOON });
    await store.close();
  },
};

/** The next event of a deletion. */
async function nextDelete(
  reader: ReadableStreamDefaultReader<WatchEvent>,
): Promise<DeleteEvent> {
  for (;;) {
    const event = await next(reader);
    if (event.type === "delete") return event;
  }
}
