/**
 * `zestor compact`, as a process of its own.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { openStore } from "../../mod.ts";
import { hereIn, outputOfCli, runCli } from "../support/cli.ts";
import { drivers } from "../support/drivers.ts";
import { tempDir } from "../support/temp_dir.ts";

const [{ test }] = drivers;

test("compact shrinks a file that a store has open, and prints by how much", async () => {
  await using dir = await tempDir();
  const here = hereIn(dir.path);
  await using store = await openStore({
    path: dir.file("app.db"),
    driver: "builtin",
  });
  await store.set("k", "a", "x".repeat(100_000));
  await store.set("k", "a", "short");
  const sizes = async () => {
    const { size, walSize } = await store.info();
    return size + walSize;
  };
  const before = await sizes();
  const printed = await outputOfCli(["compact"], here);
  const after = await sizes();
  assertEquals(JSON.parse(printed), { before, after });
  assert(after < before);
  assertEquals(await store.get("k", "a"), "short");
  assertEquals(
    await outputOfCli(["compact", "--format", "table"], here),
    `BEFORE  ${after} bytes\nAFTER   ${after} bytes\n`,
  );
});

test("compact makes no file, and says why it cannot open one", async () => {
  await using dir = await tempDir();
  const { code, stdout, stderr } = await runCli(["compact"], hereIn(dir.path));
  assertEquals([code, stdout], [3, ""]);
  assertMatch(stderr, /^zestor: Cannot open store at app\.db: .*\n$/);
  assertEquals(await Array.fromAsync(Deno.readDir(dir.path)), []);
});
