/**
 * A member that answers at once, but sends changes late, because it is busy.
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
  return forward(url, () =>
    new TransformStream({
      async transform(line, controller) {
        if (line.includes('"events"')) await delay(LATE_MS);
        controller.enqueue(line);
        if (line.includes('"created"')) onBegun();
      },
    }));
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
