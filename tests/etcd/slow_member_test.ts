/**
 * Members that answer at once, but send changes late, because they are busy, or
 * never, because the line is cut silently.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { delay } from "@std/async";
import { endpointOf, forward } from "../support/etcd/forwarding.ts";
import { openTestStore } from "../support/etcd/stores.ts";
import { freshPrefix, testEtcd } from "../support/etcd/test_etcd.ts";

/** How late the changes come, in ms: later than a store waits for them at first. */
const LATE_MS = 2_800;

/** Forwards to a server, and reports each watch that begins. The changes of a watch come late. */
function serveLate(
  url: string,
  onBegun: () => void,
): Deno.HttpServer<Deno.NetAddr> {
  const filter = () =>
    new TransformStream({
      async transform(line, controller) {
        if (line.includes('"events"')) await delay(LATE_MS);
        controller.enqueue(line);
        if (line.includes('"created"')) onBegun();
      },
    });
  return forward(url, { filter });
}

testEtcd("the only member sends changes late, and a watch sees them", async ({
  url,
}) => {
  const begun = Promise.withResolvers<void>();
  await using server = serveLate(url, begun.resolve);
  const endpoints = [endpointOf(server)];
  const prefix = freshPrefix();
  await using writer = await openTestStore({ endpoints: [url], prefix });
  await using store = await openTestStore({ endpoints, prefix });
  const watch = store.watch("k").getReader();
  for (const value of [1, 2]) {
    const event = watch.read();
    await begun.promise;
    await writer.set("k", "a", value);
    assertEquals((await event).value?.value, value);
  }
  await watch.cancel();
});

testEtcd("a watch that is behind leaves a line that is silent", async ({
  url,
}) => {
  let watches = 0;
  const filter = () => {
    const isSilent = ++watches === 1;
    return new TransformStream({
      transform(line, controller) {
        if (!isSilent || line.includes('"created"')) controller.enqueue(line);
      },
    });
  };
  await using server = forward(url, { filter });
  const endpoints = [endpointOf(server)];
  const prefix = freshPrefix();
  await using store = await openTestStore({ endpoints, prefix });
  const { revision: after } = await store.set("k", "a", 1);
  for (const value of [2, 3]) await store.set("k", "a", value);
  // A watch that is not persistent starts no shared stream.
  const watch = store.watch("k", { after, persistent: false });
  const values: unknown[] = [];
  for await (const { value } of watch) {
    if (values.push(value) === 2) break;
  }
  assertEquals(values, [2, 3]);
  assertEquals(watches, 2);
});
