/**
 * What the command says of a store whose files belong to another user.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { denoRunArgs } from "../support/processes/deno_run.ts";
import { openBeside } from "../support/cli.ts";
import { drivers } from "../support/drivers.ts";
import { tempDir } from "../support/temp_dir.ts";

const [{ test }] = drivers;

/** Some user that has no files here. */
const OTHER = 65_534;

/** To root no file is denied, unless `setpriv` takes that right away. */
const WITHOUT_RIGHTS = [
  "--bounding-set=-dac_override,-dac_read_search",
  "--inh-caps=-dac_override,-dac_read_search",
];

const testDenied = Deno.build.os === "linux" && Deno.uid() === 0 &&
    await new Deno.Command("setpriv", { args: [...WITHOUT_RIGHTS, "true"] })
      .output().then(({ success }) => success, () => false)
  ? test
  : Deno.test.ignore;

/** Runs the command without root's right to every file; it must fail. */
async function errorOf(args: string[], cwd: string): Promise<string> {
  const main = new URL("../../src/cli/main.ts", import.meta.url);
  const { code, stderr } = await new Deno.Command("setpriv", {
    args: [
      ...WITHOUT_RIGHTS,
      Deno.execPath(),
      ...denoRunArgs(main, ["--no-check", "--no-prompt", "-A"]),
      ...args,
    ],
    cwd,
    env: { NO_COLOR: "1", ZESTOR_DB: "app.db" },
  }).output();
  const line = new TextDecoder().decode(stderr);
  assertEquals(code, 3, line);
  assertEquals(line.split("\n").length, 2);
  return line;
}

for (const suffix of ["-wal", "-shm"]) {
  testDenied(
    `another user's app.db${suffix} is named, with its owner`,
    async () => {
      await using dir = await tempDir();
      // While it is open, both are there.
      await using store = await openBeside(dir.file("app.db"));
      await store.set("k", "a", 1);
      const path = dir.file(`app.db${suffix}`);
      await Deno.chmod(path, 0o600);
      await Deno.chown(path, OTHER, OTHER);
      for (const args of [["get", "k", "a"], ["set", "k", "a", "2"]]) {
        const line = await errorOf(args, dir.path);
        assertStringIncludes(line, `app.db${suffix} (of user ${OTHER})`);
        assert(!line.includes("mode=rwc,"), line);
      }
    },
  );
}

testDenied(
  "a get in a directory of another user does not advise to write",
  async () => {
    await using dir = await tempDir();
    await (await openBeside(dir.file("app.db"))).close();
    await Deno.chown(dir.path, OTHER, OTHER);
    await Deno.chmod(dir.path, 0o755);
    const line = await errorOf(["get", "k", "a"], dir.path);
    assertStringIncludes(
      line,
      "make its directory writable, or copy the file",
    );
    assert(!line.includes("mode=rwc"), line);
  },
);
