/**
 * Reads of the past after a compaction of etcd: they get an error.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { RevisionUnavailableError, WatchOverflowError } from "../../mod.ts";
import { compact } from "../support/etcd/call.ts";
import { startNode } from "../support/etcd/cluster.ts";
import { openTestStore, type TestStore } from "../support/etcd/stores.ts";
import { testEtcdServer } from "../support/etcd/test_etcd.ts";
import { proxyOf } from "../support/postgres/faults.ts";

const prefix = "zestor";

async function writeMany(store: TestStore, from: number, until: number) {
  for (let i = from; i < until; i++) await store.set("k", "a", i);
}

testEtcdServer("a cursor before a compaction overflows", async (binary) => {
  await using node = await startNode({ binary });
  await using store = await openTestStore({ endpoints: [node.url], prefix });
  await writeMany(store, 0, 5);
  const reader = store.watch("k", { after: 0 }).getReader();
  const { cursor } = (await reader.read()).value!;
  await reader.cancel();
  await compact(node);
  for (const after of [0, 1, cursor]) {
    await assertRejects(
      () => store.watch("k", { after }).getReader().read(),
      WatchOverflowError,
    );
  }
  const history = store.history("k", "a", { after: 0 });
  await assertRejects(() => Array.fromAsync(history), RevisionUnavailableError);
  await assertRejects(
    async () => await (await store.snapshot({ at: 1 })).get("k", "a"),
    RevisionUnavailableError,
  );
  assertEquals(await store.get("k", "a"), 4);
});

testEtcdServer("the newest cursor outlives a compaction", async (binary) => {
  await using node = await startNode({ binary });
  await using store = await openTestStore({ endpoints: [node.url], prefix });
  await store.set("k", "a", 0);
  const reader = store.watch("k", { after: 0 }).getReader();
  const { cursor } = (await reader.read()).value!;
  await reader.cancel();
  await compact(node);
  await store.set("k", "a", 1);
  const resumed = store.watch("k", { after: cursor }).getReader();
  assertEquals((await resumed.read()).value?.value, 1);
  await resumed.cancel();
});

testEtcdServer(
  "a watch that has seen everything goes on past a compaction",
  async (binary) => {
    await using node = await startNode({ binary });
    await using store = await openTestStore({ endpoints: [node.url], prefix });
    const reader = store.watch("k", { after: 0, previous: true }).getReader();
    for (let i = 0; i < 10; i++) {
      await store.set("k", "a", i);
      assertEquals((await reader.read()).value?.value, i);
      await compact(node);
    }
    await reader.cancel();
  },
);

testEtcdServer(
  "a watch that is behind a compaction overflows, or gives all",
  async (binary) => {
    await using node = await startNode({ binary });
    await using store = await openTestStore({ endpoints: [node.url], prefix });
    const reader = store.watch("k", { after: 0, bufferSize: 10 }).getReader();
    await writeMany(store, 0, 300);
    assertEquals((await reader.read()).value?.value, 0);
    await compact(node);
    await writeMany(store, 300, 310);
    let next = 1;
    try {
      while (next < 310) {
        assertEquals((await reader.read()).value?.value, next++);
      }
    } catch (error) {
      if (!(error instanceof WatchOverflowError)) throw error;
    }
    await reader.cancel().catch(() => {});
    assertEquals(await store.get("k", "a"), 309);
  },
);

testEtcdServer(
  "a watch whose line is down during a compaction overflows",
  async (binary) => {
    await using node = await startNode({ binary });
    await using proxy = proxyOf(node.url);
    await using writer = await openTestStore({ endpoints: [node.url], prefix });
    await using store = await openTestStore({
      endpoints: [proxy.url(node.url)],
      prefix,
      busyTimeout: 30_000,
    });
    await writer.set("k", "a", 0);
    const reader = store.watch("k", { after: 0 }).getReader();
    assertEquals((await reader.read()).value?.value, 0);
    await proxy.refuse();
    proxy.cut();
    await writeMany(writer, 1, 5);
    await compact(node);
    proxy.mend();
    await assertRejects(() => reader.read(), WatchOverflowError);
    // A new watch of the current entries still works.
    const again = store.watch("k", { initial: true }).getReader();
    assertEquals((await again.read()).value?.value, 4);
    await again.cancel();
  },
);
