/**
 * Checks that an idle store, and a watch that is not persistent, do not keep the
 * process running, whether the cluster can be reached or not.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { openTestStore } from "../support/etcd/stores.ts";
import { freshPrefix, testEtcd } from "../support/etcd/test_etcd.ts";
import { proxyOf } from "../support/postgres/faults.ts";
import { startLifePeer, startStorePeer } from "../support/processes/peer.ts";

for (const cluster of ["there", "away"] as const) {
  testEtcd(
    `an idle store lets its process exit, with a cluster that is ${cluster}`,
    async ({ url }) => {
      await using proxy = proxyOf(url);
      const place = { endpoints: [proxy.url(url)], prefix: freshPrefix() };
      await using peer = startLifePeer("idle", place);
      assertEquals(await peer.next(), "idle");
      if (cluster === "away") {
        await proxy.refuse();
        proxy.cut();
      }
      await peer.hangUp();
      await peer.exited();
    },
  );
}

for (
  const [name, options] of [
    ["that was aborted", { persistent: true, isAborted: true }],
    ["that is not persistent", { persistent: false, isAborted: false }],
  ] as const
) {
  testEtcd(
    `a watch ${name} does not try for ever to reach a cluster`,
    async ({ url }) => {
      await using proxy = proxyOf(url);
      const place = { endpoints: [proxy.url(url)], prefix: freshPrefix() };
      await using peer = startLifePeer("readOn", { ...place, ...options });
      assertEquals(await peer.next(), "a");
      await proxy.refuse();
      proxy.cut();
      await peer.hangUp();
      await peer.exited();
    },
  );
}

testEtcd(
  "a persistent watch keeps its process running, also while the cluster is away",
  async ({ url }) => {
    const prefix = freshPrefix();
    await using proxy = proxyOf(url);
    const place = { endpoints: [proxy.url(url)], prefix };
    await using store = await openTestStore({ endpoints: [url], prefix });
    await store.set("k", "a", 1);
    const options = { after: 0, persistent: true };
    const args = { ...place, kind: "k", options };
    await using peer = startStorePeer("followUntilKilled", args);
    assertEquals((await peer.next<{ key: string }>()).key, "a");
    await peer.hangUp();
    await proxy.refuse();
    proxy.cut();
    await store.set("k", "b", 1);
    proxy.mend();
    assertEquals((await peer.next<{ key: string }>()).key, "b");
  },
);

testEtcd(
  "a watch that is not persistent lets its process exit",
  async ({ url }) => {
    const place = { endpoints: [url], prefix: freshPrefix() };
    await using peer = startStorePeer("readOne", {
      ...place,
      persistent: false,
    });
    assertEquals(await peer.next(), "reading");
    await peer.hangUp();
    await peer.exited();
  },
);

for (const end of ["cancel", "abort", "close"] as const) {
  testEtcd(
    `a read of a watch that ends by ${end} lets its process exit`,
    async ({ url }) => {
      const place = { endpoints: [url], prefix: freshPrefix() };
      await using peer = startStorePeer("endRead", { ...place, end });
      assertEquals(await peer.next(), "reading");
      assertEquals(await peer.next(), true);
      await peer.exited();
    },
  );
}
