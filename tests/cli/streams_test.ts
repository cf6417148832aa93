/**
 * The command among others: readers that leave or dawdle, and signals.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { cliForShell, openBeside, runCli, spawnCli } from "../support/cli.ts";
import { drivers } from "../support/drivers.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";

const [{ test }] = drivers;

/** There are shells, devices and signals to send elsewhere only. */
const testOnUnix = Deno.build.os === "windows" ? Deno.test.ignore : test;

/** More than any pipe holds. */
const MANY = 20_000;

async function largeStore(): Promise<TempDir> {
  const dir = await tempDir();
  await using store = await openBeside(dir.file("app.db"));
  const text = "x".repeat(100);
  await store.setAll(
    "k",
    Array.from({ length: MANY }, (_, i) => [`${i}`, { i, text }] as const),
  );
  return dir;
}

/** Runs a line of a shell; `zestor` in it is the command. */
async function shell(line: string, cwd: string): Promise<string> {
  const script = `zestor() { ${cliForShell()} "$@"; }; ${line}`;
  const { stdout } = await new Deno.Command("bash", {
    args: ["-c", script],
    cwd,
    env: { NO_COLOR: "1", ZESTOR_DB: "app.db" },
    stdin: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}

testOnUnix(
  "a reader that has seen enough ends the command, without a word",
  async () => {
    await using dir = await largeStore();
    const lines = await Promise.all(
      ["ndjson", "json", "yaml", "table"].map((format) =>
        shell(
          `{ zestor list k --format ${format} | head -c 5 >/dev/null; } 2>&1; echo "\${PIPESTATUS[@]}"; ` +
            `zestor list k --format ${format} 2>errors-${format} | head -n 1 >/dev/null; echo "\${PIPESTATUS[@]}"; cat errors-${format}`,
          dir.path,
        )
      ),
    );
    assertEquals(lines, Array(4).fill("0 0\n0 0\n"));
  },
);

testOnUnix("output that cannot be written is an error", async () => {
  await using dir = await largeStore();
  if (!await Deno.stat("/dev/full").then(() => true, () => false)) return;
  const printed = await shell(
    `zestor list k 2>&1 >/dev/full; echo $?; zestor count k 2>&1 >/dev/full; echo $?`,
    dir.path,
  );
  const [error, code, ...same] = printed.trimEnd().split("\n");
  assertMatch(error, /^zestor: Cannot print: No space left on device/);
  assertEquals(code, "3");
  assertEquals(same, [error, code]);
});

test("piped output is complete at any size", async () => {
  await using dir = await largeStore();
  const options = { cwd: dir.path, env: { ZESTOR_DB: "app.db" } };
  const [lines, json, reverse] = await Promise.all([
    runCli(["list", "k"], options),
    runCli(["list", "k", "--format", "json"], options),
    runCli(["keys", "k", "--reverse"], options),
  ]);
  const records = lines.stdout.trimEnd().split("\n");
  assertEquals(records.length, MANY);
  assertEquals(
    JSON.parse(json.stdout),
    records.map((line) => JSON.parse(line)),
  );
  assertEquals(
    reverse.stdout.trimEnd().split("\n").reverse(),
    records.map((line) => JSON.stringify(JSON.parse(line).key)),
  );
});

/** Sends a signal to a command once it prints, or is at work; gives what became of it. */
async function interrupted(
  child: Deno.ChildProcess,
  signal: Deno.Signal,
): Promise<{ code: number; stderr: string }> {
  child.kill(signal);
  const [{ code }, stderr] = await Promise.all([
    child.status,
    new Response(child.stderr).text(),
  ]);
  return { code, stderr };
}

for (
  const [signal, expected] of [["SIGINT", 130], ["SIGTERM", 143]] as const
) {
  testOnUnix(
    `${signal} ends a list that waits for its reader, with exit code ${expected}`,
    async () => {
      await using dir = await largeStore();
      await using child = spawnCli(["list", "k", "--db", "app.db"], {
        cwd: dir.path,
      });
      await child.stdin.close();
      const reader = child.stdout.getReader();
      assert((await reader.read()).value);
      const { code, stderr } = await interrupted(child, signal);
      assertEquals([code, stderr], [expected, ""]);
      await reader.cancel();
    },
  );
}

testOnUnix(
  "SIGINT ends a set that waits for its value, and no file is made",
  async () => {
    await using dir = await tempDir();
    await using child = spawnCli(["set", "k", "a", "--db", "app.db"], {
      cwd: dir.path,
    });
    const writer = child.stdin.getWriter();
    // More than a pipe holds: when it is written, it is being read.
    await writer.write(new TextEncoder().encode(`"${"x".repeat(1_000_000)}`));
    const { code, stderr } = await interrupted(child, "SIGINT");
    assertEquals([code, stderr], [130, ""]);
    await writer.abort().catch(() => {});
    await child.stdout.cancel();
    assertEquals(await Array.fromAsync(Deno.readDir(dir.path)), []);
  },
);

test("commands that write at once wait for each other", async () => {
  await using dir = await tempDir();
  const path = dir.file("app.db");
  await using store = await openBeside(path);
  await store.set("k", "a", 0);
  const results = await Promise.all(
    Array.from(
      { length: 8 },
      (_, i) =>
        runCli(["set", "k", `${i}`, `${i}`, "--db", "app.db"], {
          cwd: dir.path,
        }),
    ),
  );
  for (const { code, stderr } of results) assertEquals([code, stderr], [0, ""]);
  assertEquals(await store.count("k"), 9);
});
