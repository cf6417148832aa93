/**
 * Watches of etcd whose first events lack the previous values, as a busy etcd
 * sends them.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { type WatchEvent, WatchOverflowError } from "../../mod.ts";
import { compact } from "../support/etcd/call.ts";
import { startNode } from "../support/etcd/cluster.ts";
import { endpointOf, forward } from "../support/etcd/forwarding.ts";
import { openTestStore, type TestStore } from "../support/etcd/stores.ts";
import {
  freshPrefix,
  testEtcd,
  testEtcdServer,
} from "../support/etcd/test_etcd.ts";

/** Forwards to a server. Watches lack previous values; `onEvents` is called before events go on. */
function serveWithoutPrevious(
  url: string,
  onEvents: () => void | Promise<void> = () => {},
): Deno.HttpServer<Deno.NetAddr> {
  const filter = () =>
    new TransformStream({
      async transform(line, controller) {
        const answer = JSON.parse(line);
        const { events } = answer.result ?? {};
        for (const event of events ?? []) delete event.prev_kv;
        if (events) await onEvents();
        controller.enqueue(JSON.stringify(answer));
      },
    });
  return forward(url, { filter });
}

/** Creates, replaces and deletes entries, also many at once. */
async function makeChanges(store: TestStore): Promise<void> {
  await store.set("k", "a", 1);
  await store.set("k", "a", 2);
  const many = Array.from({ length: 50 }, (_, n) => [`b${n}`, n] as const);
  await store.setAll("k", many);
  await store.setAll("k", many.map(([key, n]) => [key, n + 1]));
  await store.atomic().delete("k", "b0").set("k", "a", 3).set("k", "a", 4)
    .commit();
  await store.deleteAll("k", { prefix: "b" });
  await store.delete("k", "a");
  await store.set("k", "end", 0);
}

/** The changes of a kind after a revision, up to the last one. */
async function changesAfter(
  store: TestStore,
  after: number,
): Promise<WatchEvent<number>[]> {
  const events: WatchEvent<number>[] = [];
  for await (const event of store.watch("k", { after, previous: true })) {
    events.push(event);
    if (event.key === "end") break;
  }
  return events;
}

testEtcd("a watch reads the previous values that etcd left out", async ({
  url,
}) => {
  await using server = serveWithoutPrevious(url);
  const prefix = freshPrefix();
  await using writer = await openTestStore({ endpoints: [url], prefix });
  const endpoints = [endpointOf(server)];
  await using store = await openTestStore({ endpoints, prefix });
  const { revision } = await writer.set("text", "begin", "now");
  const live = changesAfter(store, revision);
  await makeChanges(writer);
  const late = changesAfter(store, revision);
  const expected = await changesAfter(writer, revision);
  assertEquals(await live, expected);
  assertEquals(await late, expected);
});

testEtcdServer(
  "a watch overflows if etcd compacts a previous value that it left out",
  async (binary) => {
    await using node = await startNode({ binary });
    let compacting: Promise<void> | undefined;
    const compactOnce = async () => {
      await writer.set("k", "a", 3);
      await compact(node);
    };
    await using server = serveWithoutPrevious(
      node.url,
      () => compacting ??= compactOnce(),
    );
    const prefix = freshPrefix();
    await using writer = await openTestStore({
      endpoints: [node.url],
      prefix,
    });
    const endpoints = [endpointOf(server)];
    await using store = await openTestStore({ endpoints, prefix });
    const { revision: after } = await writer.set("k", "a", 1);
    await writer.set("k", "a", 2);
    const watch = store.watch("k", { after }).getReader();
    const error = await assertRejects(() => watch.read(), WatchOverflowError);
    assertEquals(error.reason, "pruned");
  },
);
