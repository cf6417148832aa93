/**
 * The live changes: every browser gets each change once, in order, also after
 * it was away; and what nobody reads any more is freed.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Store } from "../../mod.ts";
import type { LiveChange, StreamEvents } from "../../src/inspector/api.ts";
import { openMemoryStore } from "../../src/memory/open_memory_store.ts";
import { inspectionOf } from "../../src/store/inspection.ts";
import type { BrowserStream } from "../support/inspector/browser_stream.ts";
import { drivers } from "../support/drivers.ts";
import { testOnEveryStore } from "../support/inspector/every_store.ts";
import { serveInspector } from "../support/inspector/serve.ts";
import { until } from "../support/postgres/until.ts";

const [{ test }] = drivers;

/** The next changes, so many of them. */
async function changesOf(
  stream: BrowserStream<StreamEvents>,
  count: number,
): Promise<LiveChange[]> {
  const found: LiveChange[] = [];
  while (found.length < count) {
    found.push(...(await stream.expect("changes")).changes);
  }
  return found;
}

function watchesOf(store: Store): number {
  return inspectionOf(store)!.watches;
}

/** Waits until a store has so many open watches. */
async function untilWatches(store: Store, count: number): Promise<void> {
  await until(`there are ${count} watches`, () => watchesOf(store) === count);
}

testOnEveryStore(
  "two browsers see the changes of all kinds as they happen",
  async (open) => {
    await using store = await open();
    await store.set("old", "a", 0);
    await using served = await serveInspector(store);
    await using one = await served.events();
    await using two = await (await served.login()).events();
    for (const stream of [one, two]) {
      const start = await stream.expect("start");
      assertEquals(start, { revision: 1, isResumed: false });
    }
    await store.set("k", "a", { x: 1 }, { expireIn: 3_600_000 });
    await store.set("k", "a", { x: 2 });
    await store.set("later", "<b>", "</script>");
    await store.delete("k", "a");
    for (const stream of [one, two]) {
      const changes = await changesOf(stream, 4);
      assertEquals(
        changes.map(({ revision, kind, key, type, version, size, preview }) => [
          revision,
          kind,
          key,
          type,
          version,
          size,
          preview.state === "text" && preview.text,
        ]),
        [
          [2, "k", "a", "create", 1, 7, '{"x":1}'],
          [3, "k", "a", "update", 2, 7, '{"x":2}'],
          [4, "later", "<b>", "create", 1, 11, '"</script>"'],
          [5, "k", "a", "delete", 2, 7, '{"x":2}'],
        ],
      );
      assert(changes[0].expiresAt !== undefined);
      assert(!Number.isNaN(Date.parse(changes[0].seenAt)));
    }
  },
);

testOnEveryStore("a browser that comes back misses no change", async (open) => {
  await using store = await open();
  await using served = await serveInspector(store);
  let lastId: string;
  {
    await using stream = await served.events();
    await stream.expect("start");
    await store.set("k", "a", 1);
    await changesOf(stream, 1);
    lastId = stream.lastId;
  }
  await store.set("k", "a", 2);
  await store.set("k", "a", 3);
  const response = await served.fetch("api/events?after=ignored", {
    headers: { "last-event-id": lastId },
  });
  assertEquals(response.status, 200);
  assertEquals(
    response.headers.get("cache-control"),
    "no-store, no-transform",
  );
  await response.body!.cancel();
  await using stream = await served.events(lastId);
  assertEquals(await stream.expect("start"), {
    revision: 1,
    isResumed: true,
  });
  const changes = await changesOf(stream, 2);
  assertEquals(changes.map(({ revision }) => revision), [2, 3]);
});

testOnEveryStore(
  "a browser that saw nothing yet can come back, too",
  async (open) => {
    await using store = await open();
    await store.set("k", "a", 1);
    await using served = await serveInspector(store);
    let lastId: string;
    {
      await using stream = await served.events();
      await stream.expect("start");
      lastId = stream.lastId;
    }
    await store.set("k", "a", 2);
    await using stream = await served.events(lastId);
    assertEquals((await stream.expect("start")).isResumed, true);
    assertEquals((await changesOf(stream, 1))[0].revision, 2);
  },
);

testOnEveryStore(
  "a browser that was away for too long begins again, with a message",
  async (open) => {
    await using store = await open({ history: 2 });
    await using served = await serveInspector(store);
    let lastId: string;
    {
      await using stream = await served.events();
      await stream.expect("start");
      await store.set("k", "a", 0);
      await changesOf(stream, 1);
      lastId = stream.lastId;
    }
    for (let i = 1; i < 60; i++) await store.set("k", "a", i);
    await using stream = await served.events(lastId);
    const start = await stream.expect("start");
    assertEquals([start.isResumed, start.revision], [false, 60]);
    assert(start.message!.includes("no longer has it"), start.message);
    await store.set("k", "a", 60);
    assertEquals((await changesOf(stream, 1))[0].revision, 61);
  },
);

testOnEveryStore(
  "a cursor of another store begins again, and an invalid one is refused",
  async (open) => {
    await using store = await open();
    await using other = await openMemoryStore();
    await store.set("k", "a", 1);
    const watch = other.watch("k").getReader();
    await other.set("k", "a", 1);
    const { value } = await watch.read();
    await watch.cancel();
    await using served = await serveInspector(store);
    await using stream = await served.events(value!.cursor);
    assertEquals((await stream.expect("start")).isResumed, false);
    for (
      const after of [
        "x",
        "z1",
        "z1-1-abc",
        "z9-1-0000000000",
        "1",
        "a\0",
        "z1-9007199254740993-0000000000",
      ]
    ) {
      const { status, code } = await served.refusal("events", { after });
      assertEquals([status, code], [
        400,
        after === "a\0" ? "INVALID_NAME" : "BAD_REQUEST",
      ], after);
    }
  },
);

testOnEveryStore(
  "many changes come in order, none missing, none twice",
  async (open) => {
    await using store = await open();
    await using served = await serveInspector(store);
    await using stream = await served.events();
    await stream.expect("start");
    const count = 2_000;
    const writing = Promise.all(
      Array.from({ length: count }, (_, i) => store.set("k", `${i % 50}`, i)),
    );
    const changes = await changesOf(stream, count);
    await writing;
    assertEquals(
      changes.map(({ revision }) => revision),
      Array.from({ length: count }, (_, i) => i + 1),
    );
  },
);

testOnEveryStore("when a browser leaves, its watch ends", async (open) => {
  await using store = await open();
  await using served = await serveInspector(store);
  assertEquals(watchesOf(store), 0);
  const streams = await Promise.all([1, 2, 3].map(() => served.events()));
  for (const stream of streams) await stream.expect("start");
  assertEquals(watchesOf(store), 3);
  await streams[0][Symbol.asyncDispose]();
  await untilWatches(store, 2);
  for (const stream of streams) await stream[Symbol.asyncDispose]();
  await untilWatches(store, 0);
});

testOnEveryStore(
  "when the store closes, the browser gets a message, and the stream ends",
  async (open) => {
    const store = await open();
    await using served = await serveInspector(store);
    const streams = await Promise.all([1, 2].map(() => served.events()));
    for (const stream of streams) await stream.expect("start");
    await store.close();
    for (const stream of streams) {
      assertEquals(await stream.expect("end"), {
        message: "The store is closed",
      });
      assertEquals(await stream.next(), undefined);
    }
  },
);

test("when the server ends, the browser gets a message, and the server does not wait", async () => {
  await using store = await openMemoryStore();
  await using served = await serveInspector(store);
  const streams = await Promise.all([1, 2].map(() => served.events()));
  for (const stream of streams) await stream.expect("start");
  served.stop();
  for (const stream of streams) {
    assertEquals(await stream.expect("end"), { message: "The server ends" });
    assertEquals(await stream.next(), undefined);
  }
  await untilWatches(store, 0);
  // Whoever comes then is told at once.
  await using late = await served.events();
  assertEquals((await late.next())?.event, "end");
});

test("nothing is read for a browser that does not read", async () => {
  await using store = await openMemoryStore<{ k: string }>();
  await using served = await serveInspector(store);
  const { inspect, base, cookie } = served;
  // Without a web server between, nothing is sent ahead.
  const { body } = await inspect(
    new Request(`${base}api/events`, { headers: { cookie } }),
  );
  const reader = body!.getReader();
  const decoder = new TextDecoder();
  const read = async () => decoder.decode((await reader.read()).value);
  assertEquals(await read(), "retry: 1000\n\n");
  assert((await read()).includes("event: start"));
  // That it has caught up: an id, and no event.
  assert(/^id: \S+\n\n$/.test(await read()));
  let decoded = 0;
  const { values } = inspectionOf(store)!;
  const decode = values.decode.bind(values);
  values.decode = (...stored) => {
    decoded++;
    return decode(...stored);
  };
  // Another browser reads.
  await using other = await served.events();
  await other.expect("start");
  const count = 2_000;
  for (let i = 0; i < count; i++) await store.set("k", "a", `${i}`);
  await changesOf(other, count);
  assertEquals(decoded, count);
  await reader.cancel();
  assertEquals(watchesOf(store), 1);
});
