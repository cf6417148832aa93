/**
 * Tests of closing: new operations are refused, waiting writes are finished,
 * watches end, and a second call does nothing.
 *
 * @module
 */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Store } from "../../contract/store.ts";
import { StoreClosedError } from "../../contract/errors.ts";
import { promiseCallsOf, streamCalls } from "../calls.ts";
import type { Cases } from "../case.ts";
import { assertEnded, numberedKeys, turn } from "../reading.ts";
import { keysOfOneWrite } from "../sizes.ts";

const ARGS = { kind: "users", key: "alice" };

/** Every operation that returns a stream throws at once if the store is closed. */
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
  "close: every operation on a closed store is refused": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const begun = store.atomic().set("users", "alice", 1);
    await store.close();
    for (const [operation, call] of Object.entries(promiseCallsOf(supports))) {
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

  "close: refuses operations from the call on": async (open, supports) => {
    await using store = await open();
    const first = store.set("users", "alice", 1);
    const closed = store.close();
    await Promise.all(
      Object.entries(promiseCallsOf(supports)).map(([operation, call]) =>
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

  "close: finishes the writes that wait": async (open, supports) => {
    await using store = await open();
    const writes = numberedKeys(500).map((key, n) =>
      store.set("users", key, n)
    );
    const many = keysOfOneWrite(10_000, supports);
    const bulk = store.setAll(
      "groups",
      many.map((key) => [key, 1] as const),
    );
    const atomic = store.atomic().set("users", "last", 1).commit();
    await store.close();
    const statuses = (await Promise.all(writes)).map(({ status }) => status);
    assertEquals(statuses, Array(500).fill("created"));
    assertEquals((await bulk).created, many.length);
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

  "close: again waits for the same": async (open, supports) => {
    await using store = await open();
    const ended = new Set<string>();
    const note = (what: string) => () => ended.add(what);
    const keys = keysOfOneWrite(20_000, supports);
    const entries = keys.map((key) => [key, 1] as const);
    const ends = [
      store.watch("users").getReader().closed.then(note("watch")),
      store.setAll("users", entries).then(note("write")),
      store.close().then(note("first close")),
    ];
    await store.close();
    // The others may learn of it a little later, but in the same turn.
    await turn();
    assertEquals([...ended].sort(), ["first close", "watch", "write"]);
    await Promise.all(ends);
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
