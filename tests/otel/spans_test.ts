/**
 * Tests the spans of operations and commits. OpenTelemetry's own SDK records them.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import {
  AlwaysOffSampler,
  ParentBasedSampler,
  type ReadableSpan,
} from "@opentelemetry/sdk-trace";
import { openStore, type Store, VersionConflictError } from "../../mod.ts";
import { openMemoryStore } from "../../src/memory/open_memory_store.ts";
import {
  instrument,
  type InstrumentOptions,
} from "../../src/otel/instrument.ts";
import { openOn, testOnEachDriver } from "../support/drivers.ts";
import {
  idOf,
  linksOf,
  parentOf,
  Recorder,
  rooted,
} from "../support/otel/recorder.ts";
import { lockedStore } from "../support/otel/locked_store.ts";
import { stoppedClock } from "../support/stopped_clock.ts";
import { testOnEachStore } from "../support/stores.ts";
import { tempDir } from "../support/temp_dir.ts";

/** Runs a test on an instrumented store of each kind. */
function testSpans(
  name: string,
  test: (store: Store, recorder: Recorder) => Promise<void>,
  options?: InstrumentOptions,
): void {
  testOnEachStore(
    name,
    rooted(async (open) => {
      const recorder = new Recorder();
      await using store = instrument(await open(), { ...recorder, ...options });
      await test(store, recorder);
    }),
  );
}

/** Runs work inside a span of the test. Returns that span. */
async function inSpan(
  { tracerProvider }: Recorder,
  work: () => Promise<unknown>,
): Promise<{ spanContext: ReadableSpan["spanContext"] }> {
  const tracer = tracerProvider.getTracer("test");
  return await tracer.startActiveSpan("caller", async (span) => {
    await work();
    span.end();
    return span;
  });
}

testSpans(
  "each operation has a span of its name and kind",
  async (store, recorder) => {
    await store.set("k", "a", 1);
    await store.setAll("k", { b: 2, c: 3 });
    await store.update("k", "a", () => 4);
    await store.delete("k", "c");
    await store.deleteAll("k", { prefix: "b" });
    await store.atomic().set("k", "d", 1).set("other", "d", 2).commit();
    const writes = ["set k", "setAll k", "update k", "delete k", "deleteAll k"];
    assertEquals(
      recorder.names.filter((name) => name !== "commit"),
      [...writes, "atomic"],
    );
    recorder.reset();

    await store.get("k", "a");
    await store.has("k", "a");
    await store.entry("k", "a");
    await store.getMany("k", ["a"]);
    await store.list("k");
    await store.keys("k");
    await store.values("k");
    await store.count("k");
    await store.kinds();
    await store.getAll();
    await store.waitFor("k", "a");
    await (await store.mirror("k")).close();
    await store.verify();
    await Array.fromAsync(store.entries("k"));
    await Array.fromAsync(store.history("k", "a"));
    const lines = await Array.fromAsync(store.export());
    await store.import(ReadableStream.from(lines));
    assertEquals(recorder.names.filter((name) => name !== "commit"), [
      "get k",
      "has k",
      "entry k",
      "getMany k",
      "list k",
      "keys k",
      "values k",
      "count k",
      "kinds",
      "getAll",
      "waitFor k",
      "mirror k",
      "verify",
      "entries k",
      "history k",
      "export",
      "import",
    ]);
  },
);

testSpans(
  "a kind's own operations, and those of a snapshot, have spans",
  async (store, recorder) => {
    await store.kind("k").set("a", 1);
    await using snapshot = await store.snapshot();
    recorder.reset();
    assertEquals(await store.kind("k").get("a"), 1);
    assertEquals(await snapshot.get("k", "a"), 1);
    assertEquals(await Array.fromAsync(snapshot.entries("k"), (it) => it.key), [
      "a",
    ]);
    assertEquals(recorder.names, ["get k", "get k", "entries k"]);
  },
);

testSpans(
  "a span has the attributes of the conventions, and no key or value",
  async (store, recorder) => {
    await store.set("k", "secret key", "secret value");
    await store.get("k", "secret key");
    const { attributes, kind, status, instrumentationScope } = recorder.span(
      "get k",
    );
    const isInMemory = attributes["db.system.name"] === "memory";
    assertEquals(attributes, {
      ...(isInMemory
        ? { "db.system.name": "memory" }
        : { "db.system.name": "sqlite", "db.namespace": ":memory:" }),
      "db.operation.name": "get",
      "db.collection.name": "k",
    });
    assertEquals(kind, isInMemory ? SpanKind.INTERNAL : SpanKind.CLIENT);
    assertEquals(status, { code: SpanStatusCode.UNSET });
    assertEquals(instrumentationScope.name, "@zestor/store");
    const { attributes: ofCommit, kind: kindOfCommit } = recorder.span(
      "commit",
    );
    assertEquals(ofCommit["db.operation.name"], "commit");
    assertEquals(kindOfCommit, SpanKind.INTERNAL);
    const told = JSON.stringify(
      recorder.spans.map(({ attributes, events, name }) => [
        attributes,
        events,
        name,
      ]),
    );
    assert(!told.includes("secret"), told);
  },
);

testSpans(
  "an operation is a child of the caller's span, and a commit of the operation's",
  async (store, recorder) => {
    const caller = await inSpan(recorder, () => store.set("k", "a", 1));
    const set = recorder.span("set k");
    const commit = recorder.span("commit");
    assertEquals(parentOf(set), idOf(caller));
    assertEquals(parentOf(commit), idOf(set));
    assertEquals(linksOf(commit), [idOf(set)]);
    assertEquals("db.operation.batch.size" in commit.attributes, false);
  },
);

testSpans(
  "a commit of several writes has a link to each",
  async (store, recorder) => {
    using _clock = stoppedClock();
    const callers = await Promise.all([
      inSpan(recorder, () => store.set("k", "a", 1)),
      inSpan(recorder, () => store.update("k", "a", () => 2)),
      inSpan(recorder, () => store.atomic().set("k", "b", 1).commit()),
    ]);
    const writes = ["set k", "update k", "atomic"].map((name) =>
      recorder.span(name)
    );
    const commit = recorder.span("commit");
    assertEquals(writes.map(parentOf), callers.map(idOf));
    assertEquals(linksOf(commit), writes.map(idOf));
    assertEquals(parentOf(commit), idOf(writes[0]));
    assertEquals(commit.attributes["db.operation.batch.size"], 3);
    const traces = recorder.spans.map((span) => span.spanContext().traceId);
    assertEquals(new Set(traces).size, 3);
  },
);

testSpans(
  "a commit is in the trace of its own first write",
  async (store, recorder) => {
    // The queue runs in the context of the call that started it.
    const second = Promise.withResolvers<unknown>();
    await store.update("k", "a", (n) => {
      second.resolve(inSpan(recorder, () => store.setAll("k", { b: 1, c: 2 })));
      return n;
    }, { initial: 1 });
    await second.promise;
    const setAll = recorder.span("setAll k");
    const commit = recorder.spans.find((span) =>
      linksOf(span).includes(idOf(setAll))
    );
    assertEquals(commit && parentOf(commit), linksOf(commit!)[0]);
    assertEquals(setAll.attributes["db.operation.batch.size"], 2);
  },
);

testSpans(
  "several entries of one operation are its batch",
  async (store, recorder) => {
    await store.setAll("k", { a: 1, b: 2, c: 3 });
    await store.atomic().set("k", "a", 2).delete("k", "b").commit();
    await store.setAll("other", { a: 1 });
    const lines = await Array.fromAsync(store.export());
    await store.import(ReadableStream.from(lines));
    const sizeOf = (name: string) =>
      recorder.span(name).attributes["db.operation.batch.size"];
    assertEquals(sizeOf("setAll k"), 3);
    assertEquals(sizeOf("atomic"), 2);
    assertEquals(sizeOf("setAll other"), undefined);
    assertEquals(sizeOf("import"), 3);
  },
);

testSpans(
  "what fails tells the class of its error alone",
  async (store, recorder) => {
    await store.set("k", "a", 1);
    recorder.reset();
    await assertRejects(
      () => store.set("k", "a", 2, { ifVersion: 7 }),
      VersionConflictError,
    );
    await assertRejects(
      () => store.get("k", "a", { signal: AbortSignal.abort() }),
      DOMException,
    );
    await assertRejects(() => store.get("k", 1 as unknown as string));
    const failures = recorder.spans.filter(({ name }) => name !== "commit");
    assertEquals(
      failures.map(({ attributes }) => attributes["error.type"]),
      ["VersionConflictError", "AbortError", "InvalidNameError"],
    );
    for (const { status, events } of failures) {
      assertEquals(status, { code: SpanStatusCode.ERROR });
      assertEquals(events, []);
    }
    // Other writes of the transaction, if any, were committed.
    assertEquals(recorder.span("commit").status.code, SpanStatusCode.UNSET);
  },
);

testSpans(
  "with `details`, spans tell keys, and messages of errors",
  async (store, recorder) => {
    await assertRejects(
      () => store.set("k", "a", 2, { ifVersion: 7 }),
      VersionConflictError,
    );
    const { attributes, status, events } = recorder.span("set k");
    assertEquals(attributes["zestor.key"], "a");
    assert(status.message?.includes('"k"/"a"'), status.message);
    assertEquals(events.map(({ name }) => name), ["exception"]);
    assertEquals("zestor.key" in recorder.span("commit").attributes, false);
  },
  { details: true },
);

testSpans(
  "attributes that are given stand in every span, in place of the store's own",
  async (store, recorder) => {
    await store.set("k", "a", 1);
    for (const { attributes } of recorder.spans) {
      assertEquals(attributes["db.namespace"], "orders");
      assertEquals(attributes["team"], "a");
    }
    assertEquals(recorder.names, ["commit", "set k"]);
  },
  { attributes: { "db.namespace": "orders", team: "a" } },
);

testSpans(
  "the span of a stream ends when the stream does",
  async (store, recorder) => {
    await store.setAll("k", { a: 1, b: 2 });
    recorder.reset();
    const reader = store.entries("k").getReader();
    await reader.read();
    assertEquals(recorder.names, []);
    await reader.cancel();
    assertEquals(recorder.names, ["entries k"]);

    recorder.reset();
    const stop = new AbortController();
    const entries = store.entries("k", { signal: stop.signal }).getReader();
    await entries.read();
    stop.abort();
    await assertRejects(() => entries.read(), DOMException);
    assertEquals(
      recorder.span("entries k").attributes["error.type"],
      "AbortError",
    );
  },
);

testSpans(
  "a stream of an instrumented store errors with the error of the store",
  async (store, recorder) => {
    await store.set("k", "a", 1);
    const reader = store.export().getReader();
    const closed = assertRejects(() => reader.closed);
    await store.close();
    await closed;
    assertEquals(
      recorder.span("export").attributes["error.type"],
      "StoreClosedError",
    );
  },
);

testOnEachStore(
  "what is not sampled is not traced, nor is its commit",
  rooted(async (open) => {
    const recorder = new Recorder(
      new ParentBasedSampler({ root: new AlwaysOffSampler() }),
    );
    await using store = instrument(await open(), { ...recorder });
    await store.set("k", "a", 1);
    assertEquals(await store.get("k", "a"), 1);
    assertEquals(recorder.names, []);
    const { points } = (await recorder.metrics()).get(
      "db.client.operation.duration",
    )!;
    assertEquals(points.map(({ count }) => count), [1, 1]);
  }),
);

testOnEachStore(
  "without a provider, an instrumented store works as ever",
  rooted(async (open) => {
    await using store = instrument(await open());
    await store.set("k", "a", 1);
    assertEquals(await store.get("k", "a"), 1);
    const entries = await Array.fromAsync(store.entries("k"));
    assertEquals(entries.map(({ key }) => key), ["a"]);
    assertEquals(trace.getActiveSpan(), undefined);
  }),
);

testOnEachDriver(
  "what a function of `update` does is inside the commit's span",
  rooted(async (driver) => {
    const recorder = new Recorder();
    await using store = instrument(
      await openOn<{ k: number }>(driver, { path: ":memory:" }),
      { ...recorder },
    );
    let active: string | undefined;
    await store.update("k", "a", (n) => {
      active = trace.getActiveSpan()?.spanContext().spanId;
      return n + 1;
    }, { initial: 0 });
    assertEquals(active, idOf(recorder.span("commit")));
  }),
);

testOnEachDriver(
  "the operations of a file have spans, too",
  rooted(async (driver) => {
    await using dir = await tempDir();
    const recorder = new Recorder();
    await using store = instrument(
      await openOn<{ k: number }>(driver, { path: dir.file("app.db") }),
      { ...recorder },
    );
    await store.set("k", "a", 1);
    recorder.reset();
    await store.info();
    await store.compact();
    await store.backup(dir.file("copy.db"));
    assertEquals(recorder.names, ["info", "compact", "backup"]);
    for (const { attributes } of recorder.spans) {
      assertEquals(attributes["db.namespace"], "app.db");
    }
  }),
);

testOnEachDriver(
  "a commit that waits for a lock has one span, which tells so",
  rooted(async (driver) => {
    await using dir = await tempDir();
    const recorder = new Recorder();
    await using locked = await lockedStore(driver, dir.file("app.db"), {
      until: 2,
    });
    instrument(locked.store, { ...recorder });
    await locked.store.set("k", "a", 1);
    const { attributes, status } = recorder.span("commit");
    assert(Number(attributes["zestor.lock.wait.duration"]) > 0);
    assertEquals(status.code, SpanStatusCode.UNSET);
  }),
);

Deno.test("what is no store, is instrumented already, or is no option cannot be instrumented", async () => {
  await using store = await openMemoryStore();
  assertThrows(
    () => instrument({} as typeof store),
    TypeError,
    "Cannot instrument the store: expected a store that this copy of @zestor/store opened",
  );
  const wrong: object[] = [
    { tracer: true },
    { details: 1 },
    { attributes: "a" },
    { tracerProvider: {} },
    { meterProvider: 1 },
  ];
  for (const options of wrong) {
    assertThrows(() => instrument(store, options), TypeError);
  }
  assertStrictEquals(instrument(store), store);
  assertThrows(
    () => instrument(store),
    TypeError,
    "Cannot instrument the store: it is instrumented already",
  );
});

Deno.test("an instrumented store keeps its type", async () => {
  await using store = instrument(
    await openStore<{ users: { name: string } }>({ path: ":memory:" }),
  );
  await store.set("users", "alice", { name: "Alice" });
  const user: { name: string } | undefined = await store.get("users", "alice");
  assertEquals(user?.name, "Alice");
  assertEquals((await store.info()).log?.newest, 1);
});
