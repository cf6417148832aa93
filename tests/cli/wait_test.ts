/**
 * `zestor watch --wait`, before there is a store.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openStore } from "../../mod.ts";
import { hereIn, runCli, spawnCli } from "../support/cli.ts";
import { drivers } from "../support/drivers.ts";
import { revisionAt } from "../support/place.ts";
import { TextReader } from "../support/processes/text_reader.ts";
import { tempDir } from "../support/temp_dir.ts";

const [{ test }] = drivers;

/** Windows has no signals to send to another process. */
const testWithSignals = Deno.build.os === "windows" ? Deno.test.ignore : test;

/** A watch, and what it says on standard error. */
interface Waiting extends AsyncDisposable {
  readonly child: Deno.ChildProcess;
  readonly printed: TextReader;
  readonly errors: TextReader;
}

/** Starts a watch with a cursor. */
async function start(cwd: string, args: string[]): Promise<Waiting> {
  const child = spawnCli(
    ["watch", "k", "--wait", "--cursor", "place", ...args],
    hereIn(cwd),
  );
  await child.stdin.close();
  const printed = new TextReader(child.stdout);
  const errors = new TextReader(child.stderr);
  return {
    child,
    printed,
    errors,
    async [Symbol.asyncDispose]() {
      await printed[Symbol.asyncDispose]();
      await errors[Symbol.asyncDispose]();
      await child[Symbol.asyncDispose]();
    },
  };
}

/** Starts a watch that waits. */
async function startWaiting(
  cwd: string,
  args: string[] = [],
  path = "app.db",
): Promise<Waiting> {
  const waiting = await start(cwd, args);
  assertEquals(
    await waiting.errors.line(),
    `zestor: There is no store at ${path} yet: waiting for it`,
  );
  return waiting;
}

/** Asserts that a watch tells of these keys and nothing else, until it is interrupted. */
async function assertTells(
  { child, printed, errors }: Waiting,
  keys: string[],
): Promise<void> {
  const found: string[] = [];
  for (const _ of keys) found.push(JSON.parse(await printed.line()).key);
  assertEquals(found, keys);
  child.kill("SIGINT");
  assertEquals([await printed.rest(), await errors.rest()], ["", ""]);
  assertEquals((await child.status).code, 0);
}

async function write(path: string, keys: string[]): Promise<void> {
  await using store = await openStore({ path, driver: "builtin" });
  for (const key of keys) await store.set("k", key, 1);
}

testWithSignals(
  "watch --wait begins when the file is made, and misses nothing in it",
  async () => {
    await using dir = await tempDir();
    await using watch = await startWaiting(dir.path);
    // Others come and go in the directory.
    await Deno.writeTextFile(dir.file("other"), "x");
    await Deno.remove(dir.file("other"));
    await write(dir.file("app.db"), ["a", "b"]);
    await assertTells(watch, ["a", "b"]);
    assertEquals(await revisionAt(dir.file("place")), 2);
  },
);

testWithSignals(
  "watch --wait waits for directories that are missing, too, and for the file of a link",
  async () => {
    await using dir = await tempDir();
    await Deno.symlink("deep/er/app.db", dir.file("link.db"));
    await using watch = await startWaiting(
      dir.path,
      ["--db", "link.db"],
      "link.db",
    );
    await Deno.mkdir(dir.file("deep"));
    await Deno.mkdir(dir.file("deep/er"));
    await write(dir.file("deep/er/app.db"), ["a"]);
    await assertTells(watch, ["a"]);
  },
);

testWithSignals(
  "watch --wait waits for a store in a file that is empty",
  async () => {
    await using dir = await tempDir();
    await Deno.writeTextFile(dir.file("app.db"), "");
    await using watch = await startWaiting(dir.path);
    await write(dir.file("app.db"), ["a"]);
    await assertTells(watch, ["a"]);
  },
);

testWithSignals(
  "watch --wait on a file that is there begins now",
  async () => {
    await using dir = await tempDir();
    await write(dir.file("app.db"), ["a"]);
    const changes = Deno.watchFs(dir.path);
    await using watch = await start(dir.path, []);
    const place = dir.file("place");
    for await (const _ of changes) {
      if (await Deno.stat(place).then(() => true, () => false)) break;
    }
    await write(dir.file("app.db"), ["b"]);
    await assertTells(watch, ["b"]);
  },
);

testWithSignals(
  "watch --wait replays a file that is put there and whose log begins later",
  async () => {
    await using dir = await tempDir();
    {
      await using store = await openStore({
        path: dir.file("made.db"),
        driver: "builtin",
        history: 1,
        wal: false,
      });
      for (let i = 0; i < 50; i++) await store.set("k", `${i % 2}`, i);
      const { oldest } = (await store.info()).log!;
      assert(oldest > 1);
    }
    await using watch = await startWaiting(dir.path);
    await Deno.rename(dir.file("made.db"), dir.file("app.db"));
    await assertTells(watch, ["0", "1"]);
  },
);

testWithSignals(
  "watch --wait ends when it is interrupted",
  async () => {
    await using dir = await tempDir();
    await using watch = await startWaiting(dir.path);
    await assertTells(watch, []);
    assertEquals(await Array.fromAsync(Deno.readDir(dir.path)), []);
  },
);

test("a missing file is an error without --wait; with it, an impossible one is", async () => {
  await using dir = await tempDir();
  const here = hereIn(dir.path);
  await Deno.writeTextFile(dir.file("other.db"), "no database ".repeat(100));
  const permissions = ["--allow-read=app.db,other.db", "--allow-env"];
  const [missing, other, denied] = await Promise.all([
    runCli(["watch", "k"], here),
    runCli(["watch", "k", "--wait", "--db", "other.db"], here),
    runCli(["watch", "k", "--wait"], { ...here, permissions }),
  ]);
  assertStringIncludes(missing.stderr, "there is no such file");
  assertStringIncludes(other.stderr, "not a database");
  assertStringIncludes(denied.stderr, "run deno with --allow-read=.");
  assertEquals([missing.code, other.code, denied.code], [3, 3, 2]);
});
