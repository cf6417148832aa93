/**
 * Snapshots of a store in etcd that still contains expired entries.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { openTestStore } from "../support/etcd/stores.ts";
import { freshPrefix, testEtcd } from "../support/etcd/test_etcd.ts";
import { until } from "../support/postgres/until.ts";

testEtcd(
  "a snapshot lists a kind whose entries are deleted later",
  async ({ url }) => {
    const place = { endpoints: [url], prefix: freshPrefix() };
    {
      await using writer = await openTestStore(place);
      await writer.atomic().set("k", "kept", 1)
        .set("k", "mortal", 1, { expireIn: 200 }).commit();
    }
    // Only a store that may write removes expired entries, and none is open.
    await using reader = await openTestStore({ ...place, readOnly: true });
    const isGone = async () => !await reader.has("k", "mortal");
    await until("the entry has expired", isGone);
    await using snapshot = await reader.snapshot();
    await using writer = await openTestStore(place);
    await writer.deleteAll("k");
    assertEquals(await reader.kinds(), []);
    assertEquals(await snapshot.keys("k"), ["kept"]);
    assertEquals(await snapshot.kinds(), ["k"]);
  },
);
