/**
 * The queue and its engine: what one may assume of the other, with an engine
 * that answers as a test tells it to.
 *
 * @module
 */
import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { StoreError, UnknownOutcomeError } from "../mod.ts";
import {
  all,
  Busy,
  first,
  queueOn,
  refuse,
  ScriptedEngine,
  write,
} from "./support/scripted_engine.ts";

Deno.test("writes that an engine did not answer for come again, in their order", async () => {
  const engine = new ScriptedEngine(first(1), first(2));
  const queue = queueOn(engine);
  const settled: string[] = [];
  await Promise.all(
    ["a", "b", "c", "d"].map(async (name) =>
      settled.push(await queue.write(write(name)))
    ),
  );
  assertEquals(engine.batches, [["a", "b", "c", "d"], ["b", "c", "d"], ["d"]]);
  assertEquals(settled, ["a", "b", "c", "d"]);
});

Deno.test("a write of more than may be shared comes alone", async () => {
  const engine = new ScriptedEngine();
  const queue = queueOn(engine);
  const sizes = [1, 4, 3, 1];
  await Promise.all(sizes.map((size, i) => queue.write(write(`${i}`, size))));
  assertEquals(engine.batches, [["0"], ["1"], ["2", "3"]]);
});

Deno.test("a write that may change many entries in one change comes alone", async () => {
  const engine = new ScriptedEngine(all, all, refuse(new Busy()));
  const queue = queueOn(engine);
  const bulk = { ...write("bulk"), isBulk: true };
  await Promise.all([
    queue.write(write("a")),
    queue.write(bulk),
    queue.write(bulk),
    queue.write(write("b")),
    queue.write(write("c")),
  ]);
  assertEquals(engine.batches, [["a"], ["bulk"], ["bulk"], ["bulk"], [
    "b",
    "c",
  ]]);
});

Deno.test("conditions count for the size of a shared transaction", async () => {
  const engine = new ScriptedEngine();
  const queue = queueOn(engine);
  const check = { kind: "k", key: "a", exists: true };
  const heavy = { ...write("heavy"), checks: [check, check, check] };
  const light = { ...write("light"), checks: [check, check] };
  await Promise.all([light, light, heavy].map((each) => queue.write(each)));
  assertEquals(engine.batches, [["light", "light"], ["heavy"]]);
});

Deno.test("if nothing of a batch was written, each write comes alone, and fails alone", async () => {
  const failure = new Error("no");
  const engine = new ScriptedEngine(refuse(failure), refuse(failure));
  const queue = queueOn(engine);
  const results = await Promise.allSettled(
    ["a", "b", "c"].map((name) => queue.write(write(name))),
  );
  assertEquals(engine.batches, [["a", "b", "c"], ["a"], ["b"], ["c"]]);
  assertEquals(
    results.map((result) =>
      result.status === "rejected" ? result.reason.message : result.value
    ),
    ["Cannot a: no", "b", "c"],
  );
});

Deno.test("if the engine is busy, the writes come again together", async () => {
  const engine = new ScriptedEngine(refuse(new Busy()), refuse(new Busy()));
  const queue = queueOn(engine);
  await Promise.all([queue.write(write("a")), queue.write(write("b"))]);
  assertEquals(engine.batches, [["a", "b"], ["a", "b"], ["a", "b"]]);
});

Deno.test("a busy engine is asked no longer than `busyTimeout`", async () => {
  const engine = new ScriptedEngine(refuse(new Busy("busy")));
  const queue = queueOn(engine, 0);
  const failure = await assertRejects(
    () => queue.write(write("a")),
    StoreError,
  );
  assertEquals(failure.message, "Cannot a: busy");
  assertEquals(engine.batches.length, 1);
});

Deno.test("an unclear outcome is reported as such, and the others are unaffected", async () => {
  const lost = new Error("the line was cut");
  const check = { kind: "k", key: "a", revision: 1 };
  const found = { version: 2, revision: 3 };
  const engine = new ScriptedEngine((writes) => [
    { type: "refused", check, found },
    { type: "failed", error: lost },
    ...writes.slice(2).map(() => ({ type: "unclear", error: lost }) as const),
  ]);
  const queue = queueOn(engine);
  const told: unknown[] = [];
  const refused = {
    ...write("a"),
    refused: (...args: unknown[]) => {
      told.push(...args);
      return "a refused";
    },
  };
  const [first, failed, unclear] = await Promise.allSettled(
    [refused, write("b"), write("c")].map((each) => queue.write(each)),
  );
  assertEquals(first, { status: "fulfilled", value: "a refused" });
  assertEquals(told, [check, found]);
  assertEquals(failed, { status: "rejected", reason: lost });
  const { reason } = unclear as PromiseRejectedResult;
  assertInstanceOf(reason, UnknownOutcomeError);
  assertStrictEquals(reason.cause, lost);
});

Deno.test("an engine that takes writes and answers none is not asked for ever", async () => {
  const engine = new ScriptedEngine(() => []);
  const queue = queueOn(engine);
  await assertRejects(
    () => queue.write(write("a")),
    StoreError,
    "answered none of them",
  );
  assertEquals(await queue.write(write("b")), "b");
});

Deno.test("a write that was aborted in the engine, and is passed back, is dropped", async () => {
  const stop = new AbortController();
  const engine = new ScriptedEngine((writes) => {
    stop.abort("stop");
    return first(1)(writes);
  });
  const queue = queueOn(engine);
  const results = await Promise.allSettled([
    queue.write(write("a")),
    queue.write(write("b"), stop.signal),
    queue.write(write("c")),
  ]);
  assertEquals(results, [
    { status: "fulfilled", value: "a" },
    { status: "rejected", reason: "stop" },
    { status: "fulfilled", value: "c" },
  ]);
  assertEquals(engine.batches, [["a", "b", "c"], ["c"]]);
});

Deno.test("a turn comes between the writes around it, and reads wait for what was called before", async () => {
  const engine = new ScriptedEngine();
  const queue = queueOn(engine);
  const order: string[] = [];
  const note = (name: string) => () => void order.push(name);
  const before = queue.write(write("a")).then(note("a"));
  const turn = queue.turn({
    action: "compact",
    run: () => Promise.resolve().then(note("turn")),
  });
  const read = queue.settled().then(note("read"));
  const after = queue.write(write("b")).then(note("b"));
  await Promise.all([before, turn, read, after]);
  assertEquals(order, ["a", "turn", "read", "b"]);
  assertEquals(engine.batches, [["a"], ["b"]]);
});
