/**
 * Clusters with users, and clusters with TLS.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { StoreOpenError } from "../../mod.ts";
import { base64, callEtcd } from "../support/etcd/call.ts";
import { startNode } from "../support/etcd/cluster.ts";
import type { Member } from "../support/etcd/member.ts";
import { openTestStore } from "../support/etcd/stores.ts";
import { testEtcdServer } from "../support/etcd/test_etcd.ts";
import { until } from "../support/postgres/until.ts";
import { tempDir } from "../support/temp_dir.ts";
import { certify } from "../support/postgres/certificate.ts";

const prefix = "zestor";
const password = "p'a\\s:s@/ä";
const ROOT = "root-password";

/** Enables authentication with two users: `root`, and `app`, which may use the store's keys. */
async function enableUsers(node: Member): Promise<void> {
  const call = (path: string, body: object) =>
    callEtcd(node, `/v3/auth/${path}`, body);
  await call("user/add", { name: "root", password: ROOT });
  await call("user/grant", { user: "root", role: "root" });
  await call("user/add", { name: "app", password });
  await call("role/add", { name: "store" });
  await call("role/grant", {
    name: "store",
    perm: {
      permType: "READWRITE",
      key: base64(prefix),
      range_end: base64(`${prefix}\x01`),
    },
  });
  await call("user/grant", { user: "app", role: "store" });
  await call("enable", {});
}

async function tokenOf(node: Member): Promise<string> {
  const { token } = await callEtcd<{ token: string }>(
    node,
    "/v3/auth/authenticate",
    { name: "root", password: ROOT },
  );
  return token;
}

const app = { username: "app", password };

testEtcdServer(
  "a token that the server has forgotten is renewed, and nothing is lost",
  async (binary) => {
    await using node = await startNode({ binary });
    await enableUsers(node);
    await using store = await openTestStore({
      endpoints: [node.url],
      prefix,
      ...app,
      busyTimeout: 30_000,
    });
    const reader = store.watch("k", { after: 0 }).getReader();
    await store.set("k", "a", 1);
    assertEquals((await reader.read()).value?.value, 1);
    // The server keeps its tokens in memory, so they are gone.
    await node.kill();
    await node.start();
    const writes = Array.from(
      { length: 10 },
      () => store.update("k", "a", (n) => n + 1),
    );
    await Promise.all(writes);
    for (let i = 2; i <= 11; i++) {
      assertEquals((await reader.read()).value?.value, i);
    }
    await reader.cancel();
  },
);

testEtcdServer("a token that has run out is renewed", async (binary) => {
  await using node = await startNode({ binary, tokenTtl: 1 });
  await enableUsers(node);
  await using store = await openTestStore({
    endpoints: [node.url],
    prefix,
    ...app,
  });
  await store.set("k", "a", 1);
  // A use would extend the life of a token, so each token is used once.
  const tokens: string[] = [];
  for (let i = 0; i < 200; i++) tokens.push(await tokenOf(node));
  await until("a token has run out", async () => {
    const range = { key: base64("a") };
    const token = tokens.pop()!;
    return await callEtcd(node, "/v3/kv/range", range, { token }).then(
      () => false,
      () => true,
    );
  });
  assertEquals(await store.get("k", "a"), 1);
  await store.set("k", "a", 2);
  assertEquals(await store.get("k", "a"), 2);
});

testEtcdServer(
  "rights that change meanwhile make no call fail",
  async (binary) => {
    await using node = await startNode({ binary });
    await enableUsers(node);
    await using store = await openTestStore({
      endpoints: [node.url],
      prefix,
      ...app,
    });
    const token = await tokenOf(node);
    for (let i = 0; i < 5; i++) {
      await callEtcd(node, "/v3/auth/role/add", { name: `r${i}` }, { token });
      const [{ value }] = await Promise.all([
        store.update("k", "a", (n) => n + 1, { initial: 0 }),
        store.get("k", "a"),
      ]);
      assertEquals(value, i + 1);
    }
  },
);

testEtcdServer(
  "a wrong password opens nothing, and no message tells a password",
  async (binary) => {
    await using node = await startNode({ binary });
    await enableUsers(node);
    const open = (credentials: object) =>
      openTestStore({ endpoints: [node.url], prefix, ...credentials });
    for (
      const credentials of [
        { ...app, password: "secret-1" },
        { ...app, username: "nobody", password: "secret-2" },
        {},
      ]
    ) {
      const error = await assertRejects(
        () => open(credentials),
        StoreOpenError,
      );
      const shown = Deno.inspect(error, { depth: 20, showHidden: true });
      assert(!/secret-\d/.test(shown), shown);
    }
  },
);

testEtcdServer(
  "a user without the right to the prefix opens nothing there",
  async (binary) => {
    await using node = await startNode({ binary });
    await enableUsers(node);
    const error = await assertRejects(
      () => openTestStore({ endpoints: [node.url], prefix: "other", ...app }),
      StoreOpenError,
    );
    assertStringIncludes(error.message, "permission denied");
  },
);

testEtcdServer("TLS by an authority of one's own", async (binary) => {
  await using node = await startNode({ binary, tls: true });
  const ca = await Deno.readTextFile(node.authority!);
  const place = { endpoints: [node.url], prefix };
  await using store = await openTestStore({ ...place, tls: { caCerts: [ca] } });
  const reader = store.watch("k", { after: 0 }).getReader();
  await store.set("k", "a", 1);
  assertEquals((await reader.read()).value?.value, 1);
  assertEquals(await store.get("k", "a"), 1);
  await reader.cancel();

  await using dir = await tempDir();
  const { authority } = await certify(dir.path);
  const other = await Deno.readTextFile(authority);
  for (const tls of [undefined, { caCerts: [other] }]) {
    const error = await assertRejects(
      () => openTestStore({ ...place, tls, busyTimeout: 1_000 }),
      StoreOpenError,
    );
    assertStringIncludes(error.message, "certificate");
  }
});

testEtcdServer("TLS and users together", async (binary) => {
  await using node = await startNode({ binary, tls: true });
  await enableUsers(node);
  const ca = await Deno.readTextFile(node.authority!);
  await using store = await openTestStore({
    endpoints: [node.url],
    prefix,
    ...app,
    tls: { caCerts: [ca] },
  });
  await store.set("k", "a", 1);
  assertEquals(await store.get("k", "a"), 1);
});
