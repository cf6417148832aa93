/**
 * Watches that nobody reads: the events that they have not given stay in etcd.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { openTestStore } from "../support/etcd/stores.ts";
import { freshPrefix, testEtcd } from "../support/etcd/test_etcd.ts";
import { proxyOf } from "../support/postgres/faults.ts";
import type { Proxy } from "../support/postgres/proxy.ts";
import { readWholeStore } from "../support/whole_store.ts";

const WRITES = 300;
const BYTES = 100_000;
/** The most bytes that may wait in buffers between etcd and the watch, the system's included. */
const MOST_BYTES = WRITES * BYTES / 3;

/** Counts the bytes that a proxy forwards from the server. */
function countAnswers(proxy: Proxy): { readonly bytes: number } {
  const count = { bytes: 0 };
  proxy.cutNext("answer", ({ length }) => {
    count.bytes += length;
    return false;
  });
  return count;
}

const textOf = (i: number) => `${i} ${"x".repeat(BYTES)}`;

/** It reads tens of megabytes twice through a proxy. */
const testLong: typeof testEtcd = Deno.env.get("ZESTOR_LONG_TESTS")
  ? testEtcd
  : (name) => Deno.test.ignore(`${name} (it takes a minute)`, () => {});

testLong(
  "W8 a watch that is not read does not fetch what it does not give",
  async ({ url }) => {
    await using proxy = proxyOf(url);
    const prefix = freshPrefix();
    await using writer = await openTestStore({ endpoints: [url], prefix });
    await using store = await openTestStore({
      endpoints: [proxy.url(url)],
      prefix,
    });
    const count = countAnswers(proxy);
    const options = { after: 0, bufferSize: 8 };
    const waiting = store.watch("text", options).getReader();
    const unread = store.watch("text", { bufferSize: 8 });
    await writer.set("text", "a", textOf(0));
    assertEquals((await waiting.read()).value?.value, textOf(0));
    for (let i = 1; i < WRITES; i++) await writer.set("text", "a", textOf(i));

    const late = store.watch("text", options).getReader();
    assertEquals((await late.read()).value?.value, textOf(0));
    assert(count.bytes < MOST_BYTES, `It fetched ${count.bytes} bytes`);
    // No event is lost.
    for (let i = 1; i < WRITES; i++) {
      assertEquals((await waiting.read()).value?.value, textOf(i));
      assertEquals((await late.read()).value?.value, textOf(i));
    }
    const { value } = await unread.getReader().read();
    assertEquals(value?.value, textOf(0));
    await Promise.all([waiting.cancel(), late.cancel()]);
  },
);

testEtcd(
  "W8 a replay that is not read does not fetch all entries",
  async ({ url }) => {
    await using proxy = proxyOf(url);
    const prefix = freshPrefix();
    await using writer = await openTestStore({ endpoints: [url], prefix });
    const keys = Array.from(
      { length: WRITES },
      (_, i) => String(i).padStart(6, "0"),
    );
    for (let i = 0; i < WRITES; i++) {
      await writer.set("text", keys[i], textOf(i));
    }
    await using store = await openTestStore({
      endpoints: [proxy.url(url)],
      prefix,
    });
    const count = countAnswers(proxy);
    const replay = store.watch("text", { initial: true, bufferSize: 8 })
      .getReader();
    assertEquals((await replay.read()).value?.key, keys[0]);
    assert(count.bytes < MOST_BYTES, `It fetched ${count.bytes} bytes`);
    // The replay has the entries of the moment when the watch began.
    await writer.deleteAll("text");
    for (const key of keys.slice(1)) {
      const { value } = await replay.read();
      assertEquals([value?.type, value?.key], ["create", key]);
    }
    for (const key of keys) {
      const { value } = await replay.read();
      assertEquals([value?.type, value?.key], ["delete", key]);
    }
    await replay.cancel();
    assertEquals((await readWholeStore(writer)).head, 2 * WRITES);
  },
);
