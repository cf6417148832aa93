/**
 * Runs the command `zestor` on a store in etcd, which a URL names.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openStore } from "../../mod.ts";
import { openTestStore } from "../support/etcd/stores.ts";
import { freshPrefix, testEtcd } from "../support/etcd/test_etcd.ts";
import { type CliResult, runCli, spawnCli } from "../support/cli.ts";
import { TextReader } from "../support/processes/text_reader.ts";
import { tempDir } from "../support/temp_dir.ts";

/** A store to run the command on. */
interface Here {
  readonly dir: string;
  /** The store's URL. */
  readonly db: string;
  readonly prefix: string;
  readonly endpoint: string;
  /** Runs the command in a folder, on the store. Returns its output. */
  zestor(...args: string[]): Promise<string>;
  run(...args: string[]): Promise<CliResult>;
}

function testCli(name: string, test: (here: Here) => Promise<void>): void {
  testEtcd(name, async ({ url: endpoint }) => {
    await using dir = await tempDir();
    const prefix = freshPrefix().replaceAll("/", "-");
    const { host } = new URL(endpoint);
    const db = `etcd://${host}/${prefix}`;
    const permissions = [
      "--no-prompt",
      `--allow-net=${host}`,
      "--allow-env=ZESTOR_DB",
      `--allow-read=${dir.path}`,
      `--allow-write=${dir.path}`,
    ];
    const run = (...args: string[]) =>
      runCli(args, { cwd: dir.path, env: { ZESTOR_DB: db }, permissions });
    const zestor = async (...args: string[]) => {
      const { code, stdout, stderr } = await run(...args);
      assertEquals({ code, stderr }, { code: 0, stderr: "" }, args.join(" "));
      return stdout;
    };
    await test({ dir: dir.path, db, prefix, endpoint, zestor, run });
  });
}

testCli("entries are set, read, listed and deleted", async ({ zestor }) => {
  await zestor("set", "k", "a", "1");
  await zestor("set", "k", "b", "2");
  assertEquals(await zestor("get", "k", "a"), "1\n");
  assertEquals(await zestor("keys", "k"), '"a"\n"b"\n');
  assertStringIncludes(await zestor("list", "k"), "2");
  assertStringIncludes(await zestor("kinds"), "k");
  await zestor("delete", "k", "a");
  assertEquals(await zestor("count", "k"), "1\n");
  const log = await zestor("log", "k");
  for (const word of ["create", "delete"]) assertStringIncludes(log, word);
  assertStringIncludes(await zestor("info"), "etcd");
  await zestor("verify");
});

testCli("a watch tells what a store writes", async (here) => {
  const { prefix, endpoint, db, dir } = here;
  await using store = await openTestStore({ endpoints: [endpoint], prefix });
  await store.set("k", "a", 1);
  await using child = spawnCli(["watch", "k", "--initial"], {
    cwd: dir,
    env: { ZESTOR_DB: db },
  });
  await using printed = new TextReader(child.stdout);
  await using errors = new TextReader(child.stderr);
  await printed.until('"a"');
  await store.set("k", "b", 2);
  await printed.until('"b"');
  await child.stdin.close();
  child.kill("SIGINT");
  await printed.rest();
  assertEquals(await errors.rest(), "");
  assertEquals((await child.status).code, 0);
});

testCli("a file is copied to etcd, and back", async ({ dir, db, zestor }) => {
  {
    await using file = await openStore({ path: `${dir}/from.db` });
    await file.setAll("k", { a: 1, b: "two", c: null });
    await file.set("other", "x", { y: 1 });
    await file.delete("k", "c");
  }
  await zestor("copy", "--from", "from.db", "--to", db);
  await zestor("copy", "--from", db, "--to", "back.db");
  const exported = await zestor("export");
  assertStringIncludes(exported, '"two"');
  assertEquals(exported, await zestor("export", "--db", "back.db"));
  assertEquals(exported, await zestor("export", "--db", "from.db"));
});

testCli(
  "a store that is missing is not made by a read",
  async ({ run, prefix, endpoint }) => {
    const { code, stderr } = await run("list", "k");
    assert(code !== 0);
    assertStringIncludes(stderr, "zestor: Cannot open store");
    // The command did not create the store.
    const opening = openTestStore({
      endpoints: [endpoint],
      prefix,
      readOnly: true,
    });
    const name = await opening.then(() => "opened", ({ name }) => name);
    assertEquals(name, "StoreOpenError");
  },
);

Deno.test("no message tells the password of an etcd URL", async () => {
  await using dir = await tempDir();
  const url = "etcd://u:s3cret@127.0.0.1:1/db";
  const lines = [
    ["kinds", "--db", url],
    ["kinds", "--db", url.replace("etcd:", "etcds:"), "--debug"],
    ["kinds", "--db", "etcd://u:s3cret@[::1:1/db"],
    ["kinds", url],
  ];
  for (const args of lines) {
    const { code, stdout, stderr } = await runCli(args, { cwd: dir.path });
    assert(code !== 0, `${args}`);
    assert(!/s3cret/.test(stdout + stderr), `${args}: ${stdout}${stderr}`);
  }
});
