/**
 * The tasks of deno.json that run the command, on a fresh checkout.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { openStore } from "../../mod.ts";
import { drivers } from "../support/drivers.ts";
import { tempDir } from "../support/temp_dir.ts";
import { TextReader } from "../support/processes/text_reader.ts";

const [{ test }] = drivers;

/** Windows has no signals to send to another process. */
const testWithSignals = Deno.build.os === "windows" ? Deno.test.ignore : test;

const checkout = fileURLToPath(new URL("../../", import.meta.url));

/** Copies what a checkout has, and nothing that was made in it. */
async function copyCheckout(to: string): Promise<void> {
  const names = ["deno.json", "mod.ts", "src", "examples", "tools"];
  const { code } = await new Deno.Command("cp", {
    args: ["-r", ...names.map((name) => checkout + name), to],
  }).output();
  assertEquals(code, 0);
}

testWithSignals(
  "`deno task pages` begins without a store, and follows it",
  async () => {
    await using dir = await tempDir();
    await copyCheckout(dir.path);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["task", "pages"],
      cwd: dir.path,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      // So that a signal reaches the task and what it runs, as Ctrl-C does.
      detached: true,
    }).spawn();
    await using printed = new TextReader(child.stdout);
    await using errors = new TextReader(child.stderr);
    assertEquals(await printed.line(), "pages.md: 0 pages");
    {
      await using store = await openStore({
        path: dir.file("pages.db"),
        driver: "builtin",
      });
      await store.set("pages", "a", { title: "First", text: "Hello" });
    }
    assertEquals(await printed.line(), "pages.md: 1 pages");
    assertStringIncludes(
      await Deno.readTextFile(dir.file("pages.md")),
      "# First\n\nHello\n",
    );
    Deno.kill(-child.pid, "SIGINT");
    assertEquals(await printed.rest(), "");
    await errors.rest();
    await child.status;
  },
);
