/**
 * A cluster that has used up its space quota. Writes reject with the reason, and
 * nothing is lost. Reads and watches continue, and writes too after space is freed.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { StoreFullError } from "../../mod.ts";
import { compact, defragment, disarm } from "../support/etcd/call.ts";
import { startNode } from "../support/etcd/cluster.ts";
import { openTestStore } from "../support/etcd/stores.ts";
import { testEtcdServer } from "../support/etcd/test_etcd.ts";

const QUOTA = 4_000_000;

testEtcdServer(
  "a full cluster refuses writes with StoreFullError, and loses nothing",
  async (binary) => {
    await using node = await startNode({ binary, quota: QUOTA });
    await using store = await openTestStore({
      endpoints: [node.url],
      prefix: "zestor",
    });
    const reader = store.watch("text", { after: 0 }).getReader();
    const text = "x".repeat(100_000);
    let acknowledged = 0;
    let full: StoreFullError | undefined;
    while (!full) {
      try {
        await store.set("text", "a", `${acknowledged} ${text}`);
        acknowledged++;
      } catch (error) {
        assert(error instanceof StoreFullError, `${error}`);
        full = error;
      }
      assert(acknowledged < 100, "It was never full");
    }
    assertEquals(full.code, "FULL");
    // Every kind of write is refused as a whole.
    const writes = await Promise.allSettled([
      store.set("k", "a", 1),
      store.setAll("k", { b: 1, c: 2 }),
      store.update("k", "n", (n) => n + 1, { initial: 0 }),
      store.atomic().set("k", "d", 1).set("k", "e", 1).commit(),
    ]);
    for (const write of writes) {
      assert(write.status === "rejected");
      assert(write.reason instanceof StoreFullError, `${write.reason}`);
    }
    assertEquals(await store.keys("k"), []);
    // The store has only acknowledged writes: etcd refuses also the write that
    // uses up the space.
    const found = await store.get("text", "a");
    assertEquals(found?.split(" ")[0], `${acknowledged - 1}`);
    for (let i = 0; i < acknowledged; i++) {
      assertEquals((await reader.read()).value?.value, `${i} ${text}`);
    }

    await compact(node);
    await defragment(node);
    await disarm(node);
    await store.set("text", "a", "short");
    assertEquals((await reader.read()).value?.value, "short");
    await store.setAll("k", { b: 1, c: 2 });
    assertEquals(await store.keys("k"), ["b", "c"]);
    await reader.cancel();
  },
);
