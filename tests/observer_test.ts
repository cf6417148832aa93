/**
 * What an observer is told by the queue, with an engine that answers as a test
 * tells it to.
 *
 * @module
 */
import { assertEquals, assertGreater, assertRejects } from "@std/assert";
import type { BatchEnd, Observer } from "../src/engine/observer.ts";
import { StoreError } from "../mod.ts";
import {
  all,
  Busy,
  first,
  queueOn,
  refuse,
  ScriptedEngine,
  write,
} from "./support/scripted_engine.ts";

/** A batch as an observer was told of it. */
interface Told {
  /** What was returned for the call of the first write. */
  readonly first: unknown;
  tries: number;
  /** What was returned for the calls of its writes. */
  calls?: unknown[];
  end?: BatchEnd;
}

/** Numbers the calls, and keeps what it is told. */
class Listener implements Observer {
  readonly batches: Told[] = [];
  calls = 0;

  called(): number {
    return ++this.calls;
  }

  batch(first: unknown) {
    const told: Told = { first, tries: 0 };
    this.batches.push(told);
    return {
      run<T>(work: () => T): T {
        told.tries++;
        return work();
      },
      end(end: BatchEnd) {
        if (told.end) throw new Error("It has ended already");
        told.calls = end.writes.map(({ call }) => call);
        told.end = end;
      },
    };
  }

  given(): void {}

  /** Each batch: its first call, its tries, its calls, and whether it failed. */
  get summary() {
    return this.batches.map(({ first, tries, calls, end }) => [
      first,
      tries,
      calls,
      end?.error === undefined ? "done" : "failed",
    ]);
  }
}

function observed(engine: ScriptedEngine, busyTimeout?: number) {
  const queue = queueOn(engine, busyTimeout);
  const listener = new Listener();
  queue.observer = listener;
  return { queue, listener };
}

Deno.test("an observer is told of each batch the writes that it answered for", async () => {
  const { queue, listener } = observed(new ScriptedEngine(first(1), all));
  await Promise.all(["a", "b", "c"].map((name) => queue.write(write(name))));
  assertEquals(listener.summary, [
    [1, 1, [1], "done"],
    [2, 1, [2, 3], "done"],
  ]);
  const [{ end }] = listener.batches;
  assertEquals(end?.writes.map(({ write }) => write.action), ["a"]);
  assertEquals(end?.lockWait, undefined);
});

Deno.test("tries while somebody else holds the lock are one batch", async () => {
  const busy = refuse(new Busy());
  const { queue, listener } = observed(new ScriptedEngine(busy, busy, all));
  await Promise.all([queue.write(write("a")), queue.write(write("b"))]);
  await queue.write(write("c"));
  assertEquals(listener.summary, [
    [1, 3, [1, 2], "done"],
    [3, 1, [3], "done"],
  ]);
  assertGreater(listener.batches[0].end!.lockWait!, 0);
  assertEquals(listener.batches[1].end!.lockWait, undefined);
});

Deno.test("a wait that all give up is a failed batch without writes", async () => {
  const engine = new ScriptedEngine(refuse(new Busy()));
  const { queue, listener } = observed(engine, 0);
  await assertRejects(() => queue.write(write("a")), StoreError);
  await queue.drained();
  assertEquals(listener.summary, [[1, 1, [], "failed"]]);
  assertEquals(listener.batches[0].end!.error instanceof StoreError, true);
  assertGreater(listener.batches[0].end!.lockWait!, 0);
});

Deno.test("a wait that an abort ends is over when the next turn begins", async () => {
  const stop = new AbortController();
  const engine = new ScriptedEngine(() => {
    stop.abort();
    throw new Busy();
  });
  const { queue, listener } = observed(engine);
  const writing = assertRejects(
    () => queue.write(write("a"), stop.signal),
    DOMException,
  );
  const turn = queue.turn({ action: "turn", run: () => Promise.resolve() });
  await Promise.all([writing, turn]);
  assertEquals(listener.summary, [[1, 1, [], "done"]]);
});

Deno.test("a batch that fails is told with its writes, and then each alone", async () => {
  const engine = new ScriptedEngine(refuse(new Error("no")));
  const { queue, listener } = observed(engine);
  await Promise.all([queue.write(write("a")), queue.write(write("b"))]);
  assertEquals(listener.summary, [
    [1, 1, [1, 2], "failed"],
    [1, 1, [1], "done"],
    [2, 1, [2], "done"],
  ]);
});

Deno.test("to ask for the newest revision is no call", async () => {
  const engine = new ScriptedEngine();
  const { queue, listener } = observed(engine);
  const writing = queue.write(write("a"));
  const head = queue.head();
  await Promise.all([writing, head]);
  assertEquals(listener.calls, 1);
  assertEquals(listener.batches[0].calls, [1, undefined]);
});
