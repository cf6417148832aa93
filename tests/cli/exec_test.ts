/**
 * What `zestor watch --exec` starts ends with the watch; and an entry that
 * cannot be passed on stops no watch.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openStore } from "../../mod.ts";
import { yaml } from "../../src/values/codecs/yaml.ts";
import { cliForShell, hereIn, quoteForShell } from "../support/cli.ts";
import { drivers } from "../support/drivers.ts";
import { revisionAt } from "../support/place.ts";
import { startCli } from "../support/running_cli.ts";
import { tempDir } from "../support/temp_dir.ts";
import { testOnTerminal } from "../support/terminal.ts";
import { TextReader } from "../support/processes/text_reader.ts";

const [{ test }] = drivers;

/** Windows has no sessions, and no signals to send to another process. */
const testWithSignals = Deno.build.os === "windows" ? Deno.test.ignore : test;

/** A directory with a store that has an entry, and the options to run the command there. */
async function setUp(key = "a") {
  const dir = await tempDir();
  const store = await openStore({
    path: dir.file("app.db"),
    driver: "builtin",
    durability: "normal",
  });
  await store.set("k", key, 1);
  return {
    store,
    dir,
    here: hereIn(dir.path),
    async [Symbol.asyncDispose]() {
      await store.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

const WATCH = ["watch", "k", "--after", "0"];

/** Whether a process runs; one that has ended and that nobody waited for does not. */
async function isRunning(pid: string): Promise<boolean> {
  const { stdout } = await new Deno.Command("ps", {
    args: ["-o", "stat=", "-p", pid],
  }).output();
  const state = new TextDecoder().decode(stdout).trim();
  return state !== "" && !state.startsWith("Z");
}

/**
 * Processes of every kind that a shell starts; each has its id in a file.
 * `$$` of a shell that is started names that one.
 */
const TREE = `
note() { sh -c 'echo $$ >>pids; exec "$@"' sh "$@"; }
(note sleep 1000) &
(trap "" TERM; note sleep 1000) &
if command -v setsid >setsid; then setsid sh -c 'echo $$ >>pids; sleep 1000; :' & fi
if command -v timeout >timeout; then note timeout 1000 sleep 1000 & fi
note sh -c 'sleep 1000 & echo $! >>pids; wait'`;

/** Waits until every process of the tree is there, and gives their ids. */
async function idsIn(dir: string): Promise<string[]> {
  const read = async (name: string) =>
    (await Deno.readTextFile(`${dir}/${name}`).catch(() => ""))
      .split("\n").filter((line) => line !== "");
  const changes = Deno.watchFs(dir);
  for await (const _ of changes) {
    const optional = await Promise.all([read("setsid"), read("timeout")]);
    const ids = await read("pids");
    if (ids.length === 4 + optional.flat().length) return ids;
  }
  throw new Error("unreachable");
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  testWithSignals(
    `${signal} ends all that a command has started, before the watch ends`,
    async () => {
      await using it = await setUp();
      const ids = idsIn(it.dir.path);
      const watch = startCli(
        [...WATCH, "--exec", `{ ${TREE}\n} >/dev/null 2>&1`],
        {
          ...it.here,
          permissions: ["--allow-read", "--allow-run=sh", "--allow-env"],
        },
      );
      const started = await ids;
      const before = await Promise.all(started.map(isRunning));
      assert(before.every((running) => running));
      watch.kill(signal);
      assertEquals(await watch.ended(), { code: 0, stdout: "", stderr: "" });
      const after = await Promise.all(started.map(isRunning));
      assertEquals(after, started.map(() => false));
    },
  );
}

testWithSignals(
  "background processes of a command end with the watch, not before",
  async () => {
    await using it = await setUp();
    await it.store.set("k", "b", 1);
    const watch = startCli([
      ...WATCH,
      "--exec",
      'sleep 1000 >/dev/null 2>&1 & echo "$!"',
    ], it.here);
    const ids = [await watch.line(), await watch.line()];
    assertEquals(await Promise.all(ids.map(isRunning)), [true, true]);
    watch.kill("SIGTERM");
    assertEquals(await watch.ended(), { code: 0, stdout: "", stderr: "" });
    assertEquals(await Promise.all(ids.map(isRunning)), [false, false]);
  },
);

testWithSignals(
  "background processes of other commands also end when a command fails",
  async () => {
    await using it = await setUp();
    await it.store.set("k", "b", 1);
    const watch = startCli([
      ...WATCH,
      "--exec",
      'test "$ZESTOR_KEY" = a || exit 7; sleep 1000 >/dev/null 2>&1 & echo "$!"',
    ], it.here);
    const id = await watch.line();
    const { code, stderr } = await watch.ended();
    assertEquals(code, 3);
    assertStringIncludes(stderr, "it exited with 7\n");
    assertEquals(await isRunning(id), false);
  },
);

testWithSignals(
  "if a watch is killed, the processes of its command end",
  async () => {
    await using it = await setUp();
    const watch = startCli([
      ...WATCH,
      "--exec",
      `sh -c 'trap "echo told; exit" TERM; echo started; while :; do sleep 0.1; done'; :`,
    ], it.here);
    assertEquals(await watch.line(), "started");
    watch.kill("SIGKILL");
    // It prints to the pipe of the watch, which closes when it has ended.
    const { stdout } = await watch.ended();
    assertEquals(stdout, "told\n");
  },
);

testOnTerminal(
  "Ctrl-C on a terminal ends the watch, and tells the command once",
  async () => {
    await using it = await setUp();
    const exec =
      `trap "echo told; exit 1" TERM INT; echo started; while :; do sleep 0.1; done`;
    const line = [
      cliForShell(),
      ...[...WATCH, "--exec", exec]
        .map(quoteForShell),
    ].join(" ");
    const child = new Deno.Command("script", {
      args: ["-qec", `stty -echo; exec ${line}`, "/dev/null"],
      cwd: it.dir.path,
      env: { SHELL: "/bin/sh", ZESTOR_DB: "app.db", NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    await using screen = new TextReader(child.stdout);
    const keyboard = child.stdin.getWriter();
    assertEquals((await screen.line()).trim(), "started");
    await keyboard.write(new Uint8Array([3]));
    assertEquals((await screen.line()).replace("^C", "").trim(), "told");
    assertEquals(await screen.rest(), "");
    await keyboard.close();
    assertEquals((await child.status).code, 0);
  },
);

/** Longer than any environment can be. */
const LONG = "k".repeat(3_000_000);

testWithSignals(
  "a key that is too long for the environment is skipped, with an error, and never again",
  async () => {
    await using it = await setUp();
    for (const key of ["x".repeat(200_000), LONG, "b"]) {
      await it.store.set("k", key, 1);
    }
    const args = [...WATCH, "--cursor", "place", "--exec"];
    const watch = startCli([...args, 'echo "<$ZESTOR_KEY>"'], it.here);
    assertEquals([await watch.line(), await watch.line()], ["<a>", "<b>"]);
    watch.kill("SIGTERM");
    const { code, stdout, stderr } = await watch.ended();
    assertEquals([code, stdout], [0, ""]);
    const [first, second, ...rest] = stderr.split("\n");
    assertStringIncludes(first, 'run the command for create "k"/"xxx');
    assertStringIncludes(first, "at revision 2: ");
    assertStringIncludes(
      first,
      "the event is skipped; its kind and key are too long",
    );
    assertStringIncludes(first, "--record");
    assertStringIncludes(second, "at revision 3: ");
    assertEquals(rest, [""]);
    assert(first.length < 1_000);
    await it.store.set("k", "c", 1);
    const again = startCli([...args, 'echo "<$ZESTOR_KEY>"'], it.here);
    assertEquals(await again.line(), "<c>");
    again.kill("SIGTERM");
    assertEquals(await again.ended(), { code: 0, stdout: "", stderr: "" });
  },
);

testWithSignals(
  "with --record a command reads the whole event, however long it is",
  async () => {
    await using it = await setUp();
    await it.store.set("k", LONG, { n: 1 });
    const watch = startCli(
      [...WATCH, "--record", "--exec", 'echo "<$ZESTOR_KEY>"; cat'],
      { ...it.here, env: { ...it.here.env, ZESTOR_KEY: "another watch's" } },
    );
    assertEquals(
      [await watch.line(), await watch.line(), await watch.line()],
      [
        "<a>",
        '{"type":"create","kind":"k","key":"a","value":1,"version":1,"revision":1}',
        "<>",
      ],
    );
    const { key, value } = JSON.parse(await watch.line());
    assertEquals([key === LONG, value], [true, { n: 1 }]);
    watch.kill("SIGTERM");
    assertEquals(await watch.ended(), { code: 0, stdout: "", stderr: "" });
  },
);

testWithSignals(
  "a value that JSON has no form for is skipped, with an error, and never again",
  async () => {
    await using dir = await tempDir();
    await using store = await openStore({
      path: dir.file("app.db"),
      driver: "builtin",
      codec: yaml,
    });
    await store.set("k", "a", 1);
    await store.set("k", "endless", Infinity);
    await store.set("k", "b", 1);
    for (
      const exec of [[], ["--exec", 'echo "{\\"key\\":\\"$ZESTOR_KEY\\"}"']]
    ) {
      const place = exec.length === 0 ? "printed" : "run";
      const watch = startCli(
        [...WATCH, "--codec", "yaml", "--cursor", place, ...exec],
        hereIn(dir.path),
      );
      const keys = [await watch.line(), await watch.line()]
        .map((line) => JSON.parse(line).key);
      assertEquals(keys, ["a", "b"]);
      watch.kill("SIGTERM");
      const { code, stderr } = await watch.ended();
      assertEquals(code, 0);
      assertEquals(
        stderr,
        `zestor: Cannot print create "k"/"endless" at revision 2: JSON cannot represent Infinity${
          exec.length === 0 ? " at value" : ""
        }; the event is skipped; read the entry with "zestor get --format yaml"\n`,
      );
      assertEquals(await revisionAt(dir.file(place)), 3);
    }
  },
);
