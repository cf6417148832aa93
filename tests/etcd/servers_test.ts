/**
 * Tests the etcd servers that tests start, and the server that they share.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { exists } from "../support/postgres/cache.ts";
import { until } from "../support/postgres/until.ts";
import {
  base64,
  callEtcd,
  type CallTarget,
  compact,
  defragment,
  disarm,
  headOf,
} from "../support/etcd/call.ts";
import { startCluster, startNode } from "../support/etcd/cluster.ts";
import { sharedEtcd } from "../support/etcd/shared.ts";
import {
  freshPrefix,
  testEtcd,
  testEtcdServer,
} from "../support/etcd/test_etcd.ts";

async function put(target: CallTarget, key: string, value: string) {
  const body = { key: base64(key), value: base64(value) };
  await callEtcd(target, "/v3/kv/put", body);
}

/** The value of a key; `undefined` if the key does not exist. */
async function get(
  target: CallTarget,
  key: string,
  revision?: number,
): Promise<string | undefined> {
  const { kvs: [found] = [] } = await callEtcd<{ kvs?: { value: string }[] }>(
    target,
    "/v3/kv/range",
    { key: base64(key), revision },
  );
  return found && new TextDecoder().decode(Uint8Array.fromBase64(found.value));
}

testEtcd("the shared server answers", async (server) => {
  const key = freshPrefix();
  assertEquals(await get(server, key), undefined);
  await put(server, key, "one");
  assertEquals(await get(server, key), "one");
  assert(freshPrefix() !== key);
});

testEtcd("two module graphs that ask at once share one server", async () => {
  const variable = "ZESTOR_TEST_ETCD_OF_TWO";
  try {
    // The query makes it a separate module.
    const other: { sharedEtcd: typeof sharedEtcd } = await import(
      new URL("../support/etcd/shared.ts?other", import.meta.url).href
    );
    assert(other.sharedEtcd !== sharedEtcd);
    const [one, two] = await Promise.all([
      sharedEtcd(variable),
      other.sharedEtcd(variable),
    ]);
    assert("url" in one);
    assertEquals(one, two);
  } finally {
    Deno.env.delete(variable);
  }
});

testEtcdServer("a crash and a start keep the data", async (binary) => {
  const node = await startNode({ binary });
  await put(node, "a", "one");
  await node.kill();
  assert(!node.isUp);
  await assertRejects(() => get(node, "a"));
  await node.start();
  assertEquals(await get(node, "a"), "one");
  await node[Symbol.asyncDispose]();
  assert(!await exists(node.dir));
});

testEtcdServer("TLS and a short life of tokens", async (binary) => {
  await using node = await startNode({ binary, tls: true, tokenTtl: 1 });
  assert(node.url.startsWith("https:"));
  await put(node, "a", "one");
  assertEquals(await get(node, "a"), "one");
  await assertRejects(() => get({ url: node.url }, "a"));
});

testEtcdServer("the past is removed by a compaction", async (binary) => {
  await using node = await startNode({ binary });
  await put(node, "a", "one");
  const past = await headOf(node);
  await put(node, "a", "two");
  assertEquals(await get(node, "a", past), "one");
  await compact(node);
  await assertRejects(() => get(node, "a", past), Error, "compacted");
});

testEtcdServer("a full quota refuses writes until disarmed", async (binary) => {
  const quota = 2_000_000;
  await using node = await startNode({ binary, quota });
  const fill = async () => {
    for (let i = 0; i < 60; i++) await put(node, "a", "x".repeat(100_000));
  };
  await assertRejects(fill, Error, "space exceeded");
  await compact(node);
  await defragment(node);
  await disarm(node);
  await put(node, "a", "one");
});

testEtcdServer(
  "a cluster loses its leader, and gets it back",
  async (binary) => {
    await using cluster = await startCluster({ binary });
    const leader = await cluster.leader();
    await put(leader, "a", "one");
    await leader.kill();
    const next = await cluster.leader();
    assert(next !== leader);
    await put(next, "a", "two");
    await leader.start();
    await until(
      "it follows the others",
      () => get(leader, "a").then((value) => value === "two", () => false),
    );

    await next.pause();
    const third = await cluster.leader();
    assert(third !== next);
    await put(third, "a", "three");
    await next.resume();
    await until(
      "it follows the others",
      () => get(next, "a").then((value) => value === "three", () => false),
    );
  },
);

testEtcdServer("a member is isolated, in both directions", async (binary) => {
  await using cluster = await startCluster({ binary, isolable: true });
  const old = await cluster.leader();
  await put(old, "a", "one");
  cluster.isolate(old);
  const next = await until("another member leads", async () => {
    const leader = await cluster.leader();
    return leader !== old && leader;
  });
  await put(next, "a", "two");
  await until(
    "it knows no leader",
    async () => (await old.status()).leader === "0",
  );
  cluster.heal();
  await until(
    "it follows the others",
    () => get(old, "a").then((value) => value === "two", () => false),
  );
});
