/**
 * Tests of `after`: a watch resumes after any revision that is still in the
 * change log (W5), and fails at any other.
 *
 * @module
 */
import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import type { Store, WatchEvent } from "../../contract/mod.ts";
import { WatchOverflowError } from "../../contract/errors.ts";
import type { Cases } from "../case.ts";
import {
  brief,
  drain,
  keysOf,
  next,
  numberedKeys,
  take,
  takeUntil,
  writeInRounds,
} from "../reading.ts";

export const resuming: Cases = {
  "watch after: gives every change past the revision, then goes live": async (
    open,
  ) => {
    await using store = await open();
    const { revision } = await store.set("users", "a", 1);
    await store.set("users", "b", 1);
    await store.delete("users", "a");
    const events = store.watch("users", { after: revision }).getReader();
    assertEquals(brief(await take(events, 2)), ["create b@1", "delete a@1"]);
    await store.set("users", "c", 1);
    assertEquals(brief([await next(events)]), ["create c@1"]);
  },

  "watch after: the latest revision gives later changes only": async (open) => {
    await using store = await open();
    await store.set("users", "a", 1);
    const { revision } = await store.set("groups", "g", 1);
    const events = store.watch("users", { after: revision }).getReader();
    await store.set("users", "b", 1);
    assertEquals(brief([await next(events)]), ["create b@1"]);
  },

  "watch after: 0 on a fresh store gives everything": async (open) => {
    await using store = await open();
    const early = store.watch("users", { after: 0 }).getReader();
    const events = await history(store);
    const late = store.watch("users", { after: 0 }).getReader();
    assertEquals(await take(early, events.length), events);
    assertEquals(await take(late, events.length), events);
  },

  "watch after: writes called before it are past the revision, too": async (
    open,
  ) => {
    await using store = await open();
    const { revision } = await store.set("users", "a", 1);
    const write = store.set("users", "b", 1);
    const events = store.watch("users", { after: revision }).getReader();
    assertEquals(brief([await next(events)]), ["create b@1"]);
    await write;
  },

  "watch after: a revision yet to come errors the stream": async (open) => {
    await using store = await open();
    const { revision } = await store.set("users", "a", 1);
    const reader = store.watch("users", { after: revision + 1 }).getReader();
    const error = await assertRejects(() => reader.read(), WatchOverflowError);
    assertEquals(error.reason, "ahead");
    await assertRejects(() => reader.closed, WatchOverflowError);
    const far = store.watch("users", { after: Number.MAX_SAFE_INTEGER });
    const { reason } = await assertRejects(
      () => Array.fromAsync(far),
      WatchOverflowError,
    );
    assertEquals(reason, "ahead");
  },

  "watch after: a revision that the log no longer reaches errors the stream":
    async (open) => {
      await using store = await open({ history: 10 });
      const { revision } = await store.set("users", "a", 1);
      await writeInRounds(store, "users", numberedKeys(1_000));
      for (const after of [0, revision]) {
        const { chunks, error } = await drain(
          store.watch("users", { after }).getReader(),
        );
        assertInstanceOf(error, WatchOverflowError);
        assertEquals(error.reason, "pruned");
        assertEquals(chunks, []);
      }
    },

  "watch after: no filter hides that the log no longer reaches": async (
    open,
  ) => {
    await using store = await open({ history: 10 });
    const { revision: after } = await store.set("users", "a", 1);
    await writeInRounds(store, "groups", numberedKeys(1_000));
    for (
      const options of [
        { after },
        { after, key: "a" },
        { after, prefix: "b" },
        { after, types: ["delete"] as const },
        { after, bookmarks: true },
      ]
    ) {
      const reader = store.watch("users", options).getReader();
      await assertRejects(
        () => reader.read(),
        WatchOverflowError,
        undefined,
        JSON.stringify(options),
      );
    }
  },

  "W5 a watch resumes from every revision it saw": async (open) => {
    await using store = await open();
    const live = store.watch("users").getReader();
    const events = await history(store);
    assertEquals(await take(live, events.length), events);

    const resumed = events.map(({ revision }) =>
      store.watch("users", { after: revision }).getReader()
    );
    await store.set("users", "probe", 1);
    for (const [i, reader] of resumed.entries()) {
      const rest = await takeUntil(reader, "probe");
      assertEquals(rest.slice(0, -1), events.slice(i + 1), `after event ${i}`);
    }
  },

  "W5 a watch resumes from every revision of other kinds": async (open) => {
    await using store = await open();
    const revisions: number[] = [];
    for (const key of numberedKeys(10)) {
      await store.set("users", key, 1);
      revisions.push((await store.set("groups", key, 1)).revision);
    }
    for (const [i, after] of revisions.slice(0, -1).entries()) {
      const reader = store.watch("users", { after }).getReader();
      assertEquals(
        keysOf(await take(reader, 9 - i)),
        numberedKeys(10).slice(i + 1),
      );
    }
  },

  "W5 a watch resumes with filters": async (open) => {
    await using store = await open();
    const { revision: after } = await store.set("users", "a", 1);
    await history(store);
    await store.set("users", "probe", 1);
    const all = await takeUntil(
      store.watch("users", { after }).getReader(),
      "probe",
    );
    const deletes = store.watch("users", { after, types: ["delete"] });
    const ofKey = store.watch("users", { after, key: "k1" });
    const ofPrefix = store.watch("users", { after, prefix: "k" });
    await assertGives(deletes, all.filter(({ type }) => type === "delete"));
    await assertGives(ofKey, all.filter(({ key }) => key === "k1"));
    await assertGives(ofPrefix, all.filter(({ key }) => key.startsWith("k")));
  },

  "W5 a watch resumes in the middle of a transaction": async (open) => {
    await using store = await open();
    const live = store.watch("users").getReader();
    await store.setAll("users", { a: 1, b: 1, c: 1 });
    const [a] = await take(live, 3);
    const events = store.watch("users", { after: a.revision }).getReader();
    assertEquals(brief(await take(events, 2)), ["create b@1", "create c@1"]);
  },

  "W5 a consumer that comes and goes sees every change once": async (open) => {
    await using store = await open();
    const keys = numberedKeys(200);
    const writing = (async () => {
      for (const key of keys) await store.set("users", key, 1);
    })();
    const seen: string[] = [];
    let after = 0;
    while (seen.length < keys.length) {
      for await (const event of store.watch("users", { after })) {
        seen.push(event.key);
        after = event.revision;
        if (seen.length % 7 === 0 || seen.length === keys.length) break;
      }
    }
    await writing;
    assertEquals(seen, keys);
  },
};

/** Makes creates, updates and deletes among changes of other kinds, and returns their events. */
async function history(store: Store): Promise<WatchEvent[]> {
  const reader = store.watch("users").getReader();
  for (let n = 0; n < 12; n++) {
    await store.set("users", `k${n % 3}`, n);
    await store.set("groups", `k${n % 3}`, n);
    if (n % 4 === 3) await store.delete("users", `k${n % 3}`);
  }
  await store.setAll("users", { x: 1, y: 2, z: 3 });
  await store.atomic().delete("users", "x").set("groups", "x", 1)
    .set("users", "y", 3).commit();
  await store.delete("users", "z");
  const events = await takeUntil(reader, "z");
  events.push(await next(reader), await next(reader), await next(reader));
  await reader.cancel();
  return events;
}

async function assertGives(
  stream: ReadableStream<WatchEvent>,
  expected: WatchEvent[],
): Promise<void> {
  assertEquals(await take(stream.getReader(), expected.length), expected);
}
