/**
 * Tests the metrics of operations, commits, lock waits, watches and the change
 * log. OpenTelemetry's own SDK collects them.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertRejects,
} from "@std/assert";
import { type Store, StoreBusyError, VersionConflictError } from "../../mod.ts";
import { openMemoryStore } from "../../src/memory/open_memory_store.ts";
import { instrument } from "../../src/otel/instrument.ts";
import { testOnEachDriver } from "../support/drivers.ts";
import { lockedStore } from "../support/otel/locked_store.ts";
import { type Metric, Recorder, rooted } from "../support/otel/recorder.ts";
import { stoppedClock } from "../support/stopped_clock.ts";
import { testOnEachStore } from "../support/stores.ts";
import { tempDir } from "../support/temp_dir.ts";

const NAMESPACE = { "db.namespace": "app" };

/** Runs a test on an instrumented store of each kind, whose log keeps 4 changes. */
function testMetrics(
  name: string,
  test: (store: Store, recorder: Recorder) => Promise<void>,
): void {
  testOnEachStore(
    name,
    rooted(async (open) => {
      const recorder = new Recorder();
      await using store = instrument(await open({ history: 4 }), {
        ...recorder,
        attributes: NAMESPACE,
      });
      await test(store, recorder);
    }),
  );
}

/** Collects a metric now. */
async function metric(recorder: Recorder, name: string): Promise<Metric> {
  const found = (await recorder.metrics()).get(name);
  assert(found, `there is no metric ${name}`);
  return found;
}

testMetrics(
  "the duration of each operation is measured by its name and kind",
  async (store, recorder) => {
    await store.set("k", "a", 1);
    await store.set("k", "a", 2);
    await store.get("other", "a");
    await store.kinds();
    await assertRejects(
      () => store.set("k", "a", 3, { ifVersion: 9 }),
      VersionConflictError,
    );
    const { unit, points } = await metric(
      recorder,
      "db.client.operation.duration",
    );
    assertEquals(unit, "s");
    const system = points[0].attributes["db.system.name"];
    const of = (operation: string, kind?: string) => ({
      "db.system.name": system,
      ...NAMESPACE,
      "db.operation.name": operation,
      ...(kind === undefined ? {} : { "db.collection.name": kind }),
    });
    assertEquals(points.map(({ attributes, count }) => [attributes, count]), [
      [of("set", "k"), 2],
      [of("get", "other"), 1],
      [of("kinds"), 1],
      [{ ...of("set", "k"), "error.type": "VersionConflictError" }, 1],
    ]);
    for (const { value } of points) assertGreater(value, 0);
  },
);

testMetrics(
  "the writes that share a commit are counted",
  async (store, recorder) => {
    await store.set("k", "a", 1);
    using _clock = stoppedClock();
    await Promise.all([
      store.set("k", "b", 1),
      store.delete("k", "a"),
      store.atomic().set("k", "c", 1).set("k", "d", 1).commit(),
    ]);
    const writes = await metric(recorder, "zestor.commit.writes");
    assertEquals(writes.unit, "{write}");
    assertEquals(writes.points.map(({ value, count }) => [value, count]), [
      [4, 2],
    ]);
    const duration = await metric(recorder, "zestor.commit.duration");
    assertEquals(duration.unit, "s");
    assertEquals(duration.points.map(({ count }) => count), [2]);
    assertEquals(
      (await recorder.metrics()).has("zestor.lock.wait.duration"),
      false,
    );
  },
);

testMetrics(
  "the lag of each event of a watch is measured by its kind",
  async (store, recorder) => {
    const reader = store.watch(["k", "other"]).getReader();
    await store.set("k", "a", 1);
    await store.set("other", "a", 1);
    for (let events = 0; events < 2; events++) await reader.read();
    const lag = await metric(recorder, "zestor.watch.lag");
    assertEquals(lag.unit, "s");
    assertEquals(
      lag.points.map(({ attributes, count }) => [
        attributes["db.collection.name"],
        count,
      ]),
      [["k", 1], ["other", 1]],
    );
    for (const { value } of lag.points) assertGreaterOrEqual(value, 0);
    await reader.cancel();
  },
);

testMetrics(
  "watches are counted, and how far the log reaches",
  async (store, recorder) => {
    const valueOf = async (name: string) => {
      const { unit, points } = await metric(recorder, name);
      return [unit, ...points.map(({ value }) => value)];
    };
    assertEquals(await valueOf("zestor.log.reach"), ["{revision}", 0]);
    assertEquals(await valueOf("zestor.log.age"), ["s", 0]);
    await store.set("k", "a", 1);
    assertEquals(await valueOf("zestor.log.reach"), ["{revision}", 1]);
    for (let n = 0; n < 20; n++) await store.set("k", "a", { n });
    const [, reach] = await valueOf("zestor.log.reach");
    const oldest = 21 - Number(reach);
    // A watch can resume from the measured reach.
    const watch = store.watch("k", { after: oldest }).getReader();
    assertEquals((await watch.read()).value?.revision, oldest + 1);
    assertEquals(await valueOf("zestor.watch.count"), ["{watch}", 1]);
    await watch.cancel();
    assertEquals(await valueOf("zestor.watch.count"), ["{watch}", 0]);
    const [unit, age] = await valueOf("zestor.log.age");
    assertEquals(unit, "s");
    assertGreaterOrEqual(Number(age), 0);
  },
);

testMetrics(
  "a store that is closed is measured no more",
  async (store, recorder) => {
    await store.close();
    const metrics = await recorder.metrics();
    assertEquals(metrics.has("zestor.log.reach"), false);
    assertEquals(metrics.has("zestor.watch.count"), false);
  },
);

Deno.test("two stores share the instruments, and are told apart", async () => {
  const recorder = new Recorder();
  const open = async (name: string) =>
    instrument(await openMemoryStore(), {
      ...recorder,
      attributes: { "db.namespace": name },
    });
  await using one = await open("one");
  await using two = await open("two");
  await one.set("k", "a", 1);
  await two.setAll("k", { a: 1, b: 2 });
  const { points } = await metric(recorder, "zestor.log.reach");
  assertEquals(
    points.map(({ attributes, value }) => [attributes["db.namespace"], value]),
    [["one", 1], ["two", 2]],
  );
});

testOnEachDriver(
  "a wait for the lock of another writer is measured",
  rooted(async (driver) => {
    await using dir = await tempDir();
    const recorder = new Recorder();
    await using locked = await lockedStore(driver, dir.file("app.db"), {
      until: 3,
    });
    instrument(locked.store, { ...recorder });
    await locked.store.set("k", "a", 1);
    const { unit, points } = await metric(
      recorder,
      "zestor.lock.wait.duration",
    );
    assertEquals(unit, "s");
    assertEquals(points.map(({ count }) => count), [1]);
    assertGreater(points[0].value, 0);
    const writes = await metric(recorder, "zestor.commit.writes");
    assertEquals(writes.points.map(({ value, count }) => [value, count]), [
      [1, 1],
    ]);
  }),
);

testOnEachDriver(
  "a wait that is given up is a failed commit",
  rooted(async (driver) => {
    await using dir = await tempDir();
    const recorder = new Recorder();
    await using locked = await lockedStore(driver, dir.file("app.db"), {
      until: Infinity,
      busyTimeout: 20,
    });
    instrument(locked.store, { ...recorder });
    await assertRejects(() => locked.store.set("k", "a", 1), StoreBusyError);
    const { points } = await metric(recorder, "zestor.lock.wait.duration");
    assertEquals(
      points.map(({ attributes, count }) => [attributes["error.type"], count]),
      [["StoreBusyError", 1]],
    );
    const errors = recorder.spans.map(({ name, attributes }) => [
      name,
      attributes["error.type"],
    ]);
    assertEquals(errors, [
      ["commit", "StoreBusyError"],
      ["set k", "StoreBusyError"],
    ]);
  }),
);
