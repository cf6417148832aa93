/**
 * Tests of closing: new operations are refused, waiting writes are finished,
 * watches end, and it can be done as often as one likes.
 *
 * @module
 */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Store } from "../../contract/store.ts";
import { StoreClosedError } from "../../contract/errors.ts";
import { promiseCalls, streamCalls } from "../calls.ts";
import type { Cases } from "../case.ts";
import { assertEnded, fill, numberedKeys, turn } from "../reading.ts";

const ARGS = { kind: "users", key: "alice" };

/** Every operation that gives a stream throws at once on a closed store. */
function assertStreamsRefused(store: Store): void {
  for (const [operation, call] of Object.entries(streamCalls)) {
    assertThrows(
      () => call(store, ARGS),
      StoreClosedError,
      undefined,
      operation,
    );
  }
}

export const closing: Cases = {
  "close: every operation on a closed store is refused": async (open) => {
    await using store = await open();
    const begun = store.atomic().set("users", "alice", 1);
    await store.close();
    for (const [operation, call] of Object.entries(promiseCalls)) {
      await assertRejects(
        () => call(store, ARGS),
        StoreClosedError,
        undefined,
        operation,
      );
    }
    assertStreamsRefused(store);
    await assertRejects(() => begun.commit(), StoreClosedError);
  },

  "close: refuses operations from the call on": async (open) => {
    await using store = await open();
    const first = store.set("users", "alice", 1);
    const closed = store.close();
    await Promise.all(
      Object.entries(promiseCalls).map(([operation, call]) =>
        assertRejects(
          () => call(store, ARGS),
          StoreClosedError,
          undefined,
          operation,
        )
      ),
    );
    assertStreamsRefused(store);
    await closed;
    assertEquals((await first).status, "created");
  },

  "close: finishes the writes that wait": async (open) => {
    await using store = await open();
    const writes = numberedKeys(500).map((key, n) =>
      store.set("users", key, n)
    );
    const bulk = store.setAll(
      "groups",
      numberedKeys(10_000).map((key) => [key, 1] as const),
    );
    const atomic = store.atomic().set("users", "last", 1).commit();
    await store.close();
    const statuses = (await Promise.all(writes)).map(({ status }) => status);
    assertEquals(statuses, Array(500).fill("created"));
    assertEquals((await bulk).created, 10_000);
    assertEquals((await atomic).ok, true);
  },

  "close: leaves no read hanging": async (open) => {
    await using store = await open();
    const write = store.set("users", "alice", 1);
    const reads = [
      store.get("users", "alice"),
      store.count("users"),
      store.list("users"),
    ].map((read) =>
      read.then((result) => result, (error) => (error as Error).name)
    );
    await store.close();
    const closed = new StoreClosedError().name;
    for (const [i, result] of (await Promise.all(reads)).entries()) {
      const expected = [1, 1, new Map([["alice", 1]])][i];
      assertEquals(result, result === closed ? closed : expected);
    }
    assertEquals((await write).status, "created");
  },

  "close: ends every watch": async (open) => {
    await using store = await open();
    await store.set("users", "alice", 1);
    const waiting = store.watch("users").getReader();
    const pending = waiting.read();
    const unread = store.watch("users").getReader();
    const elsewhere = store.watch("groups", { bookmarks: true }).getReader();
    await store.close();
    assertEquals(await pending, { done: true, value: undefined });
    await assertEnded(waiting);
    await assertEnded(unread);
    await assertEnded(elsewhere);
  },

  "close: ends the for await that called it": async (open) => {
    await using store = await open();
    await store.set("users", "alice", 1);
    let events = 0;
    for await (const _ of store.watch("users", { initial: true })) {
      events++;
      await store.close();
    }
    assertEquals(events, 1);
  },

  "close: again waits for the same": async (open) => {
    await using store = await open();
    const write = fill(store, "users", numberedKeys(20_000));
    let closed = false;
    const first = store.close().then(() => closed = true);
    await store.close();
    // The first may hear of it a little later, but in the same turn.
    await turn();
    assertEquals(closed, true);
    await Promise.all([write, first]);
    await store.close();
  },

  "asyncDispose closes the store": async (open) => {
    const store = await open();
    let reader;
    {
      await using disposed = store;
      reader = disposed.watch("users").getReader();
      await disposed.set("users", "alice", 1);
    }
    await assertRejects(() => store.get("users", "alice"), StoreClosedError);
    assertEquals((await reader.read()).done, true);
    await store[Symbol.asyncDispose]();
  },
};
