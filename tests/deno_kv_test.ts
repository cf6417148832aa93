/**
 * What docs/from-deno-kv.md shows of Deno KV, and the example that copies a
 * Deno KV database. They run in processes that have `--unstable-kv`.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { openStore } from "@zestor/store";
import { structured } from "@zestor/store/structured";
import { denoRun } from "./support/processes/deno_run.ts";
import { drivers } from "./support/drivers.ts";
import { tempDir } from "./support/temp_dir.ts";

const [{ test }] = drivers;

const page = await Deno.readTextFile(
  new URL("../docs/from-deno-kv.md", import.meta.url),
);

const example = fileURLToPath(
  new URL("../examples/copy_deno_kv.ts", import.meta.url),
);

/** Runs a program that may use Deno KV, and gives what it prints. */
async function runWithKv(file: string, ...args: string[]) {
  const flags = ["--unstable-kv", "--allow-read", "--allow-write"];
  const { code, stdout, stderr } = await denoRun(file, {
    flags,
    args,
    env: { NO_COLOR: "1" },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  );
  return { code, out, err };
}

test("docs/from-deno-kv.md: the code for Deno KV runs", async () => {
  await using dir = await tempDir();
  const blocks = Array.from(
    page.matchAll(/^```ts ignore\n(.*?)^```/gms),
    ([, code]) => `{\n${code}}\n`,
  );
  await Deno.writeTextFile(dir.file("blocks.ts"), blocks.join(""));
  const { code, err, out } = await runWithKv(dir.file("blocks.ts"));
  assertEquals({ code, err }, { code: 0, err: "" });
  assertEquals(
    out.replace(/[\da-f]{20}/, "VERSIONSTAMP"),
    `Alice VERSIONSTAMP
[ "users", "eu", "alice" ] { name: "Alice" }
true
{ name: "Alice" }
`,
  );
});

test("a Deno KV database is copied, and what cannot be is reported", async () => {
  await using dir = await tempDir();
  const [from, to] = [dir.file("kv.db"), dir.file("app.db")];
  await Deno.writeTextFile(
    dir.file("make.ts"),
    `using kv = await Deno.openKv(Deno.args[0]);
    const entries: [Deno.KvKey, unknown][] = [
      [["users", "eu", "alice"], new Map([["since", new Date(0)]])],
      [["pages", 7], "seven"],
      [["visits", "home"], new Deno.KvU64(5n)],
      [["gone", "one"], undefined],
      [["pages", "0000000000000007"], "not a number"],
      [["users", "a/b"], 1],
      [["users"], 1],
      [["bytes", new Uint8Array([1])], 1],
    ];
    for (const [key, value] of entries) await kv.set(key, value);`,
  );
  const made = await runWithKv(dir.file("make.ts"), from);
  assertEquals([made.code, made.err], [0, ""]);

  const copied = await runWithKv(example, from, to);
  assertEquals([copied.code, copied.out], [1, "3 entries copied\n"]);
  assertEquals(copied.err.trimEnd().split("\n").length, 5);
  await using store = await openStore({
    path: to,
    codec: structured,
    driver: "builtin",
  });
  assertEquals(
    await store.getAll(),
    new Map<string, Map<string, unknown>>([
      ["pages", new Map([["0000000000000007", "seven"]])],
      ["users", new Map([["eu/alice", new Map([["since", new Date(0)]])]])],
      ["visits", new Map([["home", 5n]])],
    ]),
  );
  const { log } = await store.info();
  assertEquals((await runWithKv(example, from, to)).out, copied.out);
  assertEquals((await store.info()).log, log);
});
