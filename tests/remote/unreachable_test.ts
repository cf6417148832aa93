/**
 * A server that cannot be reached: each call ends in time, and says whether
 * something may have been written. Time is the test's.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  StoreClosedError,
  StoreOpenError,
  StoreUnavailableError,
} from "../../src/contract/errors.ts";
import { FrozenTime } from "../support/manual_time.ts";
import {
  atomic,
  decision,
  increment,
  put,
  rangeRemoval,
  remove,
  type Result,
  set,
} from "../support/remote/operations.ts";
import { ending, timeOf, withTime } from "../support/remote/frozen_client.ts";
import type { DecidedEntryChange } from "../../src/remote/batch_plan.ts";
import {
  openClient,
  readLog,
  withClient,
} from "../support/remote/open_clients.ts";

const TIMEOUT_MS = 100;
const PATIENCE = { busyTimeout: TIMEOUT_MS };

/** What became of each: `"done"`, or the error's name. */
async function endings(writing: readonly Promise<Result>[]) {
  const results = await Promise.allSettled(writing);
  return results.map((result) =>
    result.status === "fulfilled" ? "done" : result.reason.name as string
  );
}

Deno.test(
  "a write that was never sent is given up in time, and writes nothing",
  withTime(PATIENCE, async (client, time) => {
    const { line, write } = client;
    line.cut();
    const writing = [write(set("a", "1")), write(increment("b"))];
    const ended = endings(writing);
    const took = await timeOf(time, ended);
    assertEquals(await ended, [
      "StoreUnavailableError",
      "StoreUnavailableError",
    ]);
    assert(took >= TIMEOUT_MS && took < 2 * TIMEOUT_MS, `It took ${took} ms`);
    line.mend();
    assertEquals(await ending(time, readLog(client)), []);
  }),
);

Deno.test(
  "a write that cannot be decided is given up in time, without waiting twice",
  withTime(PATIENCE, async (client, time) => {
    const { line, write } = client;
    line.silence();
    const ended = endings([write(increment("a")), write(remove("a"))]);
    const took = await timeOf(time, ended);
    assertEquals(await ended, [
      "StoreUnavailableError",
      "StoreUnavailableError",
    ]);
    assert(took >= TIMEOUT_MS && took < 2 * TIMEOUT_MS, `It took ${took} ms`);
  }),
);

Deno.test(
  "a write that was never sent is sent when the connection is back",
  withTime(PATIENCE, async ({ line, write }, time) => {
    line.cut();
    const writing = [write(set("a", "1")), write(increment("a"))];
    await time.advance(TIMEOUT_MS / 2);
    line.mend();
    assertEquals(await ending(time, endings(writing)), ["done", "done"]);
  }),
);

for (const how of ["cut", "silence"] as const) {
  Deno.test(
    `a batch whose answer never comes is unclear in time (${how})`,
    withTime(PATIENCE, async (client, time) => {
      const { line, server, write, get } = client;
      await ending(time, write(set("n", "0")));
      line.cutNext(undefined, "after");
      const writing = [
        write(increment("none")),
        write(atomic([decision("none", () => "keep")])),
        write(increment("n")),
        write(increment("none")),
        write(set("a", "1")),
        write(atomic([])),
      ];
      const ended = endings(writing);
      const start = performance.now();
      // The decisions are read, the batch is sent and carried out.
      await time.until(() => server.calls === 4, () => server.calls);
      line[how]();
      await ending(time, ended);
      const took = performance.now() - start;
      // What changes nothing has written nothing, whatever became of the batch.
      assertEquals(await ended, [
        "StoreUnavailableError",
        "StoreUnavailableError",
        "UnknownOutcomeError",
        "StoreUnavailableError",
        "UnknownOutcomeError",
        "StoreUnavailableError",
      ]);
      assert(took >= TIMEOUT_MS && took < 2 * TIMEOUT_MS, `It took ${took} ms`);
      line.mend();
      assertEquals(await ending(time, get("n")), "1");
      // The next batch is done, once.
      await ending(time, write(increment("n")));
      assertEquals(await ending(time, get("n")), "2");
    }),
  );
}

for (const how of ["cut", "silence"] as const) {
  Deno.test(
    `a removal of a range whose answer never comes is unclear in time (${how})`,
    withTime(PATIENCE, async (client, time) => {
      const { line, server, write } = client;
      await ending(time, write(atomic([put("a", "1"), put("b", "1")])));
      line.cutNext("after");
      const { calls } = server;
      const ended = endings([write(atomic([rangeRemoval()]))]);
      await time.until(() => server.calls > calls, () => server.calls);
      line[how]();
      assertEquals(await ending(time, ended), ["UnknownOutcomeError"]);
      line.mend();
      // What comes next is not removed.
      await ending(time, write(set("a", "2")));
      const log = await ending(time, readLog(client));
      assertEquals(log.map(({ type, key }) => `${type} ${key}`), [
        ...["create a", "create b", "delete a", "delete b", "create a"],
      ]);
    }),
  );
}

Deno.test(
  "a batch that is given up does not arrive after the next one",
  withTime(PATIENCE, async (client, time) => {
    const { line, server, write } = client;
    const { handle } = server;
    // The first one is held up on the way, and nothing else arrives meanwhile.
    let arrive: (() => void) | undefined;
    const { request } = line;
    line.request = (name, ask, signal) => {
      if (name !== "write" || arrive) {
        return request.call(line, name, ask, signal);
      }
      arrive = () => handle.call(server, name, ask);
      line.silence();
      return request.call(line, name, ask, signal);
    };
    const first = endings([write(set("a", "1"))]);
    assertEquals(await ending(time, first), [
      "UnknownOutcomeError",
    ]);
    line.mend();
    await ending(time, write(set("a", "2")));
    arrive!();
    const log = await ending(time, readLog(client));
    assertEquals(log.map(({ version }) => version), [1]);
    assertEquals(await ending(time, client.get("a")), "2");
  }),
);

Deno.test(
  "a decision that others make stale again and again is given up in time",
  withTime(PATIENCE, async ({ line, server, write, get }, time) => {
    await ending(time, write(set("n", "0")));
    const client = "other";
    server.handle("hello", { client });
    const { request } = line;
    let batch = 0;
    line.request = async (name, ask, signal) => {
      if (name !== "write") return await request.call(line, name, ask, signal);
      const changes = [put("n", `${++batch}`) as DecidedEntryChange];
      const writes = [{ checks: [], seen: [], changes, end: "done" }] as const;
      server.handle("write", { client, batch, writes });
      const answer = await request.call(line, name, ask, signal);
      if (batch === 3) await time.advance(TIMEOUT_MS);
      return answer;
    };
    const writing = ending(time, write(increment("n")));
    await assertRejects(
      () => writing,
      StoreUnavailableError,
      "again and again",
    );
    assertEquals(batch, 3);
    assertEquals(await ending(time, get("n")), "3");
  }),
);

Deno.test(
  "writes that wait behind a batch that is given up are not sent, and given up together",
  withTime(PATIENCE, async ({ line, server, write }, time) => {
    // Each is too large to share a request.
    const changes = Array.from({ length: 30 }, (_, i) => put(`k${i}`, "x"));
    const writing = Array.from({ length: 10 }, () => write(atomic(changes)));
    const ended = endings(writing);
    await time.until(() => line.pending > 0, () => "sent");
    line.silence();
    const took = await timeOf(time, ended);
    assertEquals(await ended, [
      "UnknownOutcomeError",
      ...Array(9).fill("StoreUnavailableError"),
    ]);
    // The batch, the question whether the server is there, and their own time.
    assert(took < 4 * TIMEOUT_MS, `It took ${took} ms`);
    line.mend();
    assertEquals(server.oldest, 1);
  }),
);

Deno.test(
  "reads are given up in time",
  withTime(PATIENCE, async ({ engine, line }, time) => {
    line.cut();
    const reading = engine.value("k", "a");
    const took = await timeOf(time, reading);
    await assertRejects(() => reading, StoreUnavailableError, "Cannot read");
    assert(took >= TIMEOUT_MS && took < 2 * TIMEOUT_MS, `It took ${took} ms`);
  }),
);

for (const how of ["cut", "silence"] as const) {
  Deno.test(
    `an abort ends a read at once (${how})`,
    withTime(PATIENCE, async ({ engine, line }, time) => {
      line[how]();
      const stop = new AbortController();
      const reading = engine.value("k", "a", stop.signal);
      await time.advance(TIMEOUT_MS / 2);
      stop.abort("enough");
      assertEquals(await timeOf(time, reading), 0);
      assertEquals(await reading.catch((reason) => reason), "enough");
    }),
  );

  Deno.test(
    `a write that has not begun can be aborted (${how})`,
    withTime(PATIENCE, async ({ line, write, get }, time) => {
      line[how]();
      // It finds out that the server cannot be reached.
      const first = endings([write(set("a", "1"))]);
      await ending(time, first);
      const stop = new AbortController();
      const second = write(set("a", "2"), stop.signal);
      await time.advance(0);
      stop.abort("enough");
      assertEquals(await timeOf(time, second), 0);
      assertEquals(await second.catch((reason) => reason), "enough");
      line.mend();
      // It is not sent later.
      await ending(time, write(remove("a", 5)));
      assertEquals(await ending(time, get("a")), undefined);
    }),
  );
}

Deno.test(
  "an abort comes too late for a write that has begun",
  withTime(PATIENCE, async ({ line, write, get }, time) => {
    line.cutNext("before");
    const stop = new AbortController();
    const writing = write(set("a", "1"), stop.signal);
    await time.until(() => line.pending > 0, () => "sent");
    stop.abort("too late");
    assert("revision" in await ending(time, writing));
    assertEquals(await ending(time, get("a")), "1");
  }),
);

for (const how of ["cut", "silence"] as const) {
  Deno.test(
    `close() does not hang (${how})`,
    withTime(PATIENCE, async ({ engine, line, queue, write }, time) => {
      await ending(time, write(set("a", "1")));
      const stop = new AbortController();
      const { signal } = stop;
      const wait = { kinds: ["k"], after: 1, persistent: true, signal };
      const waiting = engine.log.wait(wait);
      const snapshot = await ending(time, engine.openSnapshot());
      line[how]();
      const reading = endings([
        engine.value("k", "a") as unknown as Promise<Result>,
      ]);
      const writing = endings([write(set("a", "2")), write(set("b", "2"))]);
      // As a store does: it waits until the queue is empty, then closes.
      await ending(time, queue.drained());
      const took = await timeOf(time, engine.close());
      assert(took < TIMEOUT_MS, `It took ${took} ms`);
      await ending(time, reading);
      assertEquals((await ending(time, writing)).length, 2);
      assertEquals(await ending(time, waiting), 1);
      await ending(time, Promise.resolve(snapshot.close()));
    }),
  );

  Deno.test(
    `close() ends a batch that was sent (${how})`,
    withTime(PATIENCE, async ({ engine, line, write }, time) => {
      const writing = endings([write(set("a", "1")), write(set("b", "1"))]);
      await time.until(() => line.pending > 0, () => "sent");
      line[how]();
      await timeOf(time, engine.close());
      // The batch may have arrived, so that nothing is certain any more.
      assertEquals(await ending(time, writing), [
        "UnknownOutcomeError",
        "UnknownOutcomeError",
      ]);
    }),
  );
}

Deno.test(
  "close() ends a batch that was not sent",
  withTime(PATIENCE, async ({ engine, line, write }, time) => {
    // It reads what is to be decided on first.
    const writing = endings([write(set("a", "1")), write(increment("a"))]);
    await time.until(() => line.pending > 0, () => "read");
    line.silence();
    await timeOf(time, engine.close());
    assertEquals(await ending(time, writing), [
      "StoreClosedError",
      "StoreClosedError",
    ]);
  }),
);

Deno.test(
  "calls on a closed engine reject",
  withTime(PATIENCE, async ({ engine, write }, time) => {
    await ending(time, engine.close());
    const read = ending(time, engine.value("k", "a"));
    await assertRejects(() => read, StoreClosedError);
    const writing = ending(time, write(atomic([put("a", "1")])));
    await assertRejects(() => writing, StoreClosedError);
  }),
);

Deno.test("opening gives up in time, and leaves nothing", async () => {
  using time = new FrozenTime();
  const first = await ending(time, openClient({ longest: 0 }));
  await ending(time, first.engine.close());
  const { server } = first;
  const opening = openClient({ server, longest: 0, cuts: 1, busyTimeout: 20 });
  await assertRejects(
    () => ending(time, opening),
    StoreOpenError,
    "Cannot open",
  );
  assertEquals(time.timers, []);
});

Deno.test("a client that says bye leaves nothing on the server", () =>
  withClient(async ({ server, engine, write }) => {
    await write(set("a", "1"));
    await engine.openSnapshot();
    assertEquals([server.clients, server.snapshots], [1, 1]);
    await engine.close();
    assertEquals([server.clients, server.snapshots], [0, 0]);
  }));
