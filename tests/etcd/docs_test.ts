/**
 * Checks docs/etcd.md: its code runs with the permissions that it names, and it
 * lists every option.
 *
 * @module
 */
import { assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { base64, callEtcd } from "../support/etcd/call.ts";
import { startNode } from "../support/etcd/cluster.ts";
import { openTestStore } from "../support/etcd/stores.ts";
import { testEtcdServer } from "../support/etcd/test_etcd.ts";
import { denoRun } from "../support/processes/deno_run.ts";
import { tempDir } from "../support/temp_dir.ts";

const text = await Deno.readTextFile(
  new URL("../../docs/etcd.md", import.meta.url),
);

testEtcdServer(
  "docs/etcd.md: the code runs, with --allow-net alone",
  async (binary) => {
    await using node = await startNode({ binary });
    await using dir = await tempDir();
    const codes = Array.from(
      text.matchAll(/^```ts ignore\n(.*?)^```/gms),
      ([, it]) => it,
    );
    assertGreater(codes.length, 0);
    for (const [i, code] of codes.entries()) {
      const file = dir.file(`block_${i}.ts`);
      const url = "http://127.0.0.1:2379";
      assertStringIncludes(code, url);
      await Deno.writeTextFile(file, code.replaceAll(url, node.url));
      const { success, stdout, stderr } = await denoRun(file, {
        flags: ["--no-prompt", `--allow-net=${new URL(node.url).host}`],
        stdout: "piped",
        stderr: "piped",
      }).output();
      assertEquals(new TextDecoder().decode(stderr), "");
      assertEquals(success, true);
      assertEquals(new TextDecoder().decode(stdout), "create alice Alice\n");
    }
  },
);

testEtcdServer(
  "docs/etcd.md: a role with the keys of the prefix is enough",
  async (binary) => {
    await using node = await startNode({ binary });
    const call = (path: string, body: object) =>
      callEtcd(node, `/v3/auth/${path}`, body);
    await call("user/add", { name: "root", password: "root" });
    await call("user/grant", { user: "root", role: "root" });
    for (
      const [role, permType] of [["writer", "READWRITE"], ["reader", "READ"]]
    ) {
      await call("role/add", { name: role });
      const perm = {
        permType,
        // The range that etcdctl makes from --prefix=true.
        key: base64("app"),
        range_end: base64("apq"),
      };
      await call("role/grant", { name: role, perm });
      await call("user/add", { name: role, password: role });
      await call("user/grant", { user: role, role });
    }
    await call("enable", {});
    const open = (role: string, readOnly: boolean) =>
      openTestStore({
        endpoints: [node.url],
        prefix: "app",
        username: role,
        password: role,
        readOnly,
      });
    await using writer = await open("writer", false);
    await writer.set("k", "a", 1, { expireIn: 3_600_000 });
    await writer.deleteAll("k");
    await writer.set("k", "b", 2);
    await using reader = await open("reader", true);
    assertEquals(await reader.keys("k"), ["b"]);
    const events = reader.watch("k", { after: 0 }).getReader();
    assertEquals((await events.read()).value?.key, "a");
    await events.cancel();
    assertEquals((await Array.fromAsync(reader.history("k"))).length, 3);
  },
);

Deno.test("docs/etcd.md lists every option of its own", async () => {
  const file = new URL("../../src/etcd/etcd_options.ts", import.meta.url);
  const source = await Deno.readTextFile(file);
  const [, own] = /interface EtcdStoreOptions(.*?)^}/ms.exec(source)!;
  const options = Array.from(own.matchAll(/^ {2}(\w+)\?:/gm), ([, it]) => it);
  assertGreater(options.length, 5);
  for (const name of options) assertStringIncludes(text, `| \`${name}\``);
});
