/**
 * A failover to a replica that lacks the last writes.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { WatchOverflowError } from "../../mod.ts";
import { openTestStore, proxyOf } from "../support/postgres/faults.ts";
import { startServer } from "../support/postgres/server.ts";
import { testServer } from "../support/postgres/test_server.ts";

for (const reason of ["ahead", "history"] as const) {
  testServer(`a watch hears of a failover: ${reason}`, async (binaries) => {
    await using primary = await startServer({ binaries });
    const { url, port } = primary;
    await using store = await openTestStore({ url, busyTimeout: 20_000 });
    await store.set("k", "a", 1);
    const reader = store.watch("k", { after: 0 }).getReader();
    const shared = (await reader.read()).value!.cursor;

    await using line = proxyOf(url);
    await using standby = await primary.standby({ port: line.port });
    await standby.caughtUp(primary);
    await line.refuse();
    line.cut();
    await store.set("k", "lost", 2);
    const lost = (await reader.read()).value!.cursor;
    // It waits for what comes next.
    const waiting = reader.read();
    waiting.catch(() => {});

    await primary.kill();
    await standby.promote();
    await standby.stop();
    const settings = join(standby.dir, "data", "postgresql.conf");
    await Deno.writeTextFile(settings, `port = ${port}\n`, { append: true });
    await standby.start();
    if (reason === "history") await store.set("k", "b", 3);
    const error = await assertRejects(() => waiting, WatchOverflowError);
    assert(["ahead", "history"].includes(error.reason));
    if (reason === "history") await store.set("k", "c", 4);

    const next = (after: string) =>
      store.watch("k", { after }).getReader().read();
    const refused = await assertRejects(() => next(lost), WatchOverflowError);
    assertEquals(refused.reason, reason);
    if (reason === "ahead") await store.set("k", "b", 3);
    const { value } = await next(shared);
    assertEquals([value!.key, value!.value], ["b", 3]);
  });
}
