/**
 * A member that answers at once, but sends changes late, because it is busy.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { delay } from "@std/async";
import { openTestStore } from "../support/etcd/stores.ts";
import { freshPrefix, testEtcd } from "../support/etcd/test_etcd.ts";

/** How late the changes come, in ms: later than a store waits for them at first. */
const LATE_MS = 2_800;

/** Forwards requests to a server. The changes of a watch come late. */
function serveLate(url: string): Deno.HttpServer<Deno.NetAddr> {
  const late = () => {
    let isFirst = true;
    return new TransformStream<Uint8Array, Uint8Array>({
      async transform(chunk, controller) {
        // The first one says that the watch has begun.
        if (!isFirst) await delay(LATE_MS);
        isFirst = false;
        controller.enqueue(chunk);
      },
    });
  };
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      const { status, body } = await fetch(new URL(pathname, url), {
        method: request.method,
        body: await request.text(),
      });
      const isWatch = pathname.endsWith("/watch");
      return new Response(isWatch ? body?.pipeThrough(late()) : body, {
        status,
      });
    },
  );
}

testEtcd("the only member sends changes late, and a watch sees them", async ({
  url,
}) => {
  await using server = serveLate(url);
  const endpoints = [`http://127.0.0.1:${server.addr.port}`];
  const prefix = freshPrefix();
  await using writer = await openTestStore({ endpoints: [url], prefix });
  await using store = await openTestStore({ endpoints, prefix });
  const watch = store.watch("k").getReader();
  for (const value of [1, 2]) {
    const event = watch.read();
    await writer.set("k", "a", value);
    assertEquals((await event).value?.value, value);
  }
  await watch.cancel();
});
