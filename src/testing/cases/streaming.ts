/**
 * Tests of the watch as a standard stream: it works with every function that
 * takes a `ReadableStream`, and closes exactly once (W9).
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import type { Store, WatchEvent } from "../../contract/mod.ts";
import type { Cases } from "../case.ts";
import {
  assertEnded,
  brief,
  drain,
  fill,
  keysOf,
  next,
  numberedKeys,
  type Reader,
  take,
} from "../reading.ts";

export const streaming: Cases = {
  "watch in a for await ends when the loop is left": async (open) => {
    await using store = await open();
    await fill(store, "users", ["a", "b", "c"]);
    const stream = store.watch("users", { initial: true });
    const seen: WatchEvent[] = [];
    for await (const event of stream) {
      seen.push(event);
      if (event.key === "b") break;
    }
    assertEquals(keysOf(seen), ["a", "b"]);
    assertEquals(stream.locked, false);
    await assertEnded(stream.getReader());
  },

  "watch in a for await ends when the loop throws": async (open) => {
    await using store = await open();
    await fill(store, "users", ["a", "b"]);
    const stream = store.watch("users", { initial: true });
    await assertRejects(
      async () => {
        for await (const { key } of stream) throw new Error(key);
      },
      Error,
      "a",
    );
    await assertEnded(stream.getReader());
  },

  "watch in a for await ends when its body aborts the signal": async (
    open,
  ) => {
    await using store = await open();
    await fill(store, "users", ["a", "b", "c"]);
    const controller = new AbortController();
    const { signal } = controller;
    const seen: string[] = [];
    for await (const { key } of store.watch("users", { signal, after: 0 })) {
      seen.push(key);
      controller.abort();
    }
    assertEquals(seen[0], "a");
  },

  "watch through pipeTo": async (open) => {
    await using store = await open();
    const controller = new AbortController();
    const { signal } = controller;
    const seen: string[] = [];
    const piping = store.watch("users", { signal }).pipeTo(
      new WritableStream({
        write({ key }) {
          seen.push(key);
          if (key === "last") controller.abort();
        },
      }),
    );
    const keys = numberedKeys(300);
    await Promise.all(keys.map((key) => store.set("users", key, 1)));
    await store.set("users", "last", 1);
    await piping;
    assertEquals(seen, [...keys, "last"]);
  },

  "watch through pipeTo ends with the pipe's signal": async (open) => {
    await using store = await open();
    const stop = new AbortController();
    const reason = new Error("stop");
    const stream = store.watch("users");
    const piping = stream.pipeTo(
      new WritableStream({
        write() {
          stop.abort(reason);
        },
      }),
      { signal: stop.signal },
    );
    const stopped = assertRejects(() => piping, Error, "stop");
    await store.set("users", "a", 1);
    await stopped;
    await assertEnded(stream.getReader());
  },

  "watch through pipeThrough": async (open) => {
    await using store = await open();
    const keys = numberedKeys(300);
    const lines = store.watch("users").pipeThrough(
      new TransformStream<WatchEvent, string>({
        transform(event, controller) {
          controller.enqueue(JSON.stringify(event));
        },
      }),
    );
    await Promise.all(keys.map((key) => store.set("users", key, 1)));
    const seen: string[] = [];
    for await (const line of lines) {
      seen.push(JSON.parse(line).key);
      if (seen.length === keys.length) break;
    }
    assertEquals(seen, keys);
  },

  "watch through tee": async (open) => {
    await using store = await open();
    const branches = store.watch("users").tee()
      .map((branch) => branch.getReader());
    const keys = numberedKeys(100);
    await Promise.all(keys.map((key) => store.set("users", key, 1)));
    for (const branch of branches) {
      assertEquals(keysOf(await take(branch, keys.length)), keys);
    }
    await Promise.all(branches.map((branch) => branch.cancel()));
    for (const branch of branches) await assertEnded(branch);
  },

  "watch through reads that do not wait for each other": async (open) => {
    await using store = await open();
    const reader = store.watch("users", { bufferSize: 3 }).getReader();
    const keys = numberedKeys(50);
    const reads = keys.map(() => next(reader));
    await Promise.all(keys.map((key) => store.set("users", key, 1)));
    assertEquals(keysOf(await Promise.all(reads)), keys);
  },

  "watch goes on with another reader": async (open) => {
    await using store = await open();
    await fill(store, "users", ["a", "b", "c"]);
    const stream = store.watch("users", { initial: true });
    const first = stream.getReader();
    assertEquals(keysOf([await next(first)]), ["a"]);
    first.releaseLock();
    const second = stream.getReader();
    assertEquals(keysOf(await take(second, 2)), ["b", "c"]);
  },

  "watch ends with a cancel of its reader": async (open) => {
    await using store = await open();
    const reader = store.watch("users").getReader();
    await store.set("users", "a", 1);
    await next(reader);
    const pending = reader.read();
    await reader.cancel(new Error("enough"));
    assertEquals(await pending, { done: true, value: undefined });
    await assertEnded(reader);
    await store.set("users", "b", 1);
    await assertEnded(reader);
  },

  "watch ends with a cancel before it is read": async (open) => {
    await using store = await open();
    const stream = store.watch("users", { initial: true });
    await stream.cancel();
    await assertEnded(stream.getReader());
    assertEquals((await store.set("users", "a", 1)).status, "created");
  },

  "watch ends with a cancel in its consumer's own handler": async (open) => {
    await using store = await open();
    const reader = store.watch("users").getReader();
    const keys: string[] = [];
    const handled = (async function handle(): Promise<void> {
      const { done, value } = await reader.read();
      if (done) return;
      keys.push(value.key);
      await reader.cancel();
      await handle();
    })();
    await Promise.all([
      store.set("users", "a", 1),
      store.set("users", "b", 1),
      store.set("users", "c", 1),
    ]);
    await handled;
    assertEquals(keys, ["a"]);
  },

  "W9 a watch closes once, in whatever order it is ended": async (open) => {
    for (const order of ORDERS) {
      await using store = await open();
      const { reader, ends } = endableWatch(store);
      const pending = reader.read();
      for (const end of order) await ends[end]();
      const what = order.join(", then ");
      assertEquals(await pending, { done: true, value: undefined }, what);
      await assertEnded(reader);
    }
  },

  "W9 a watch closes once, ended in every way at the same time": async (
    open,
  ) => {
    for (const order of ORDERS) {
      await using store = await open();
      const { reader, ends } = endableWatch(store);
      const pending = reader.read();
      await Promise.all(order.map((end) => ends[end]()));
      const what = order.join(" and ");
      assertEquals(await pending, { done: true, value: undefined }, what);
      await assertEnded(reader);
    }
  },

  "W9 a watch closes once, ended while events come": async (open) => {
    for (const order of ORDERS) {
      await using store = await open();
      const keys = numberedKeys(50);
      await fill(store, "users", keys.slice(0, 20));
      const { reader, ends } = endableWatch(store, {
        initial: true,
        bufferSize: 4,
      });
      const reading = drain(reader);
      const writes = keys.slice(20).map((key) => store.set("users", key, 1));
      await writes[0];
      await Promise.all(order.map((end) => ends[end]()));
      const { chunks, error } = await reading;
      assertEquals(error, undefined, order.join(" and "));
      assertEquals(keysOf(chunks), keys.slice(0, chunks.length));
      await assertEnded(reader);
      assertEquals((await Promise.allSettled(writes)).map((w) => w.status), [
        ...Array(30).fill("fulfilled"),
      ]);
    }
  },

  "W9 a watch that errored in a pipe is let go": async (open) => {
    await using store = await open();
    const stream = store.watch("users");
    const piping = stream.pipeTo(
      new WritableStream({
        write() {
          throw new Error("full");
        },
      }),
    );
    const failed = assertRejects(() => piping, Error, "full");
    await store.set("users", "a", 1);
    await failed;
    await assertEnded(stream.getReader());
    const anew = store.watch("users", { initial: true }).getReader();
    assertEquals(brief([await next(anew)]), ["create a@1"]);
  },
};

type End = "cancel" | "abort" | "close";

const ORDERS: readonly End[][] = [
  ["cancel", "abort", "close"],
  ["cancel", "close", "abort"],
  ["abort", "cancel", "close"],
  ["abort", "close", "cancel"],
  ["close", "cancel", "abort"],
  ["close", "abort", "cancel"],
];

function endableWatch(
  store: Store,
  options: { initial?: boolean; bufferSize?: number } = {},
): { reader: Reader<WatchEvent>; ends: Record<End, () => Promise<void>> } {
  const controller = new AbortController();
  const { signal } = controller;
  const reader = store.watch("users", { ...options, signal }).getReader();
  return {
    reader,
    ends: {
      cancel: () => reader.cancel(),
      abort: () => Promise.resolve(controller.abort()),
      close: () => store.close(),
    },
  };
}
