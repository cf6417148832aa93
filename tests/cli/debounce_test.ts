/**
 * `zestor watch --exec --debounce`, as a process of its own. How bursts are
 * collected has tests of its own.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { openStore } from "../../mod.ts";
import { yaml } from "../../src/values/codecs/yaml.ts";
import { hereIn, runCli } from "../support/cli.ts";
import { drivers } from "../support/drivers.ts";
import { revisionAt, revisionIn } from "../support/place.ts";
import { startCli } from "../support/running_cli.ts";
import { tempDir } from "../support/temp_dir.ts";

const [{ test }] = drivers;

/** Windows has no signals to send to another process. */
const testWithSignals = Deno.build.os === "windows" ? Deno.test.ignore : test;

/** A directory with a store of three entries, and the options to run the command there. */
async function setUp(codec?: typeof yaml) {
  const dir = await tempDir();
  const store = await openStore({
    path: dir.file("app.db"),
    driver: "builtin",
    durability: "normal",
    codec,
  });
  await store.set("k", "a", { n: 1 });
  await store.set("k", "b", 2);
  await store.set("k", "b", 3);
  return {
    store,
    dir,
    here: hereIn(dir.path),
    placeIn: (name: string) => revisionAt(dir.file(name)),
    async [Symbol.asyncDispose]() {
      await store.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

const WATCH = ["watch", "k", "--after", "0", "--cursor", "place"];

const RECORDS = [
  '{"type":"create","kind":"k","key":"a","value":{"n":1},"version":1,"revision":1}',
  '{"type":"create","kind":"k","key":"b","value":2,"version":1,"revision":2}',
  '{"type":"update","kind":"k","key":"b","value":3,"version":2,"revision":3}',
];

testWithSignals(
  "a command runs once for a burst, with all its events, and then keeps its place",
  async () => {
    await using it = await setUp();
    const command =
      'echo "$ZESTOR_KIND|$ZESTOR_EVENTS|$ZESTOR_REVISION|$ZESTOR_TYPE$ZESTOR_KEY$ZESTOR_VERSION|$(cat place 2>&1)"; cat';
    const watch = startCli(
      [...WATCH, "--debounce", "300ms", "--exec", command],
      { ...it.here, env: { ...it.here.env, ZESTOR_KEY: "another watch's" } },
    );
    const [first, ...records] = [
      await watch.line(),
      await watch.line(),
      await watch.line(),
      await watch.line(),
    ];
    assertStringIncludes(first, "k|3|3||");
    assertStringIncludes(first, "place");
    assertEquals(records, RECORDS);
    await it.store.delete("k", "a");
    const second = await watch.line();
    assertStringIncludes(second, "k|1|4||");
    assertEquals(revisionIn(second.slice("k|1|4||".length)), 3);
    assertStringIncludes(await watch.line(), '"type":"delete"');
    watch.kill("SIGINT");
    assertEquals(await watch.ended(), { code: 0, stdout: "", stderr: "" });
  },
);

testWithSignals(
  "a burst whose command fails ends the watch, and comes again",
  async () => {
    await using it = await setUp();
    const args = [...WATCH, "--debounce", "200ms", "--exec"];
    const failed = await runCli([...args, 'echo "$ZESTOR_EVENTS"; exit 7'], {
      ...it.here,
    });
    assertEquals(failed, {
      code: 3,
      stdout: "3\n",
      stderr:
        'zestor: The command failed for 3 events of "k" up to revision 3: it exited with 7\n',
    });
    assertEquals(await it.placeIn("place"), undefined);
    const again = startCli([...args, "cat"], it.here);
    assertEquals(
      [await again.line(), await again.line(), await again.line()],
      RECORDS,
    );
    again.kill("SIGTERM");
    assertEquals(await again.ended(), { code: 0, stdout: "", stderr: "" });

    const going = startCli(
      ["watch", "k", "--after", "0", "--debounce", "200ms", "--keep-going"]
        .concat("--exec", 'echo "$ZESTOR_EVENTS"; exit 7'),
      it.here,
    );
    assertEquals(await going.line(), "3");
    await it.store.set("k", "c", 1);
    assertEquals(await going.line(), "1");
    going.kill("SIGTERM");
    const { code, stderr } = await going.ended();
    assertEquals(code, 0);
    assertStringIncludes(stderr, "failed for 3 events");
  },
);

testWithSignals(
  "a watch that ends while a burst waits runs nothing, and it comes again",
  async () => {
    await using it = await setUp(yaml);
    await it.store.set("k", "endless", Infinity);
    await it.store.set("k", "c", 1);
    await it.store.set("k", "d", 1);
    await Deno.mkdir(it.dir.file("places"));
    const changes = Deno.watchFs(it.dir.file("places"));
    const args = ["watch", "k", "--codec", "yaml"]
      .concat("--cursor", "places/place", "--debounce");
    const first = startCli(
      [...args, "1h", "--after", "3", "--exec", "echo ran"],
      it.here,
    );
    // The event that is skipped keeps its place. Then the burst begins.
    for await (const _ of changes) {
      if (await it.placeIn("places/place") === 4) break;
    }
    first.kill("SIGTERM");
    const { code, stdout } = await first.ended();
    assertEquals([code, stdout], [0, ""]);
    assertEquals(await it.placeIn("places/place"), 4);
    const again = startCli(
      [...args, "200ms", "--exec", 'echo "$ZESTOR_EVENTS"'],
      it.here,
    );
    assertEquals(await again.line(), "2");
    again.kill("SIGINT");
    assertEquals(await again.ended(), { code: 0, stdout: "", stderr: "" });
  },
);

testWithSignals(
  "a value that JSON has no form for is left out of its burst, with an error",
  async () => {
    await using it = await setUp(yaml);
    await it.store.set("k", "endless", Infinity);
    const watch = startCli(
      [...WATCH, "--codec", "yaml", "--debounce", "200ms", "--exec"]
        .concat('echo "$ZESTOR_EVENTS"; cat >/dev/null'),
      it.here,
    );
    assertEquals(await watch.line(), "3");
    await it.store.set("k", "c", 1);
    assertEquals(await watch.line(), "1");
    assertEquals(await it.placeIn("place"), 4);
    watch.kill("SIGTERM");
    const { code, stderr } = await watch.ended();
    assertEquals(code, 0);
    assertStringIncludes(stderr, 'Cannot print create "k"/"endless"');
    assertStringIncludes(stderr, "the event is skipped");
  },
);

test("--debounce takes a duration, and is for --exec", async () => {
  await using it = await setUp();
  const cases: [args: string[], problem: string][] = [
    [["--debounce", "1s"], "Cannot watch: --debounce is for --exec"],
    [["--debounce", "1", "--exec", "x"], 'The duration "1" has no unit'],
    [["--debounce", "2d", "--exec", "x"], "give at most 1d"],
    [["--debounce=-1s", "--exec", "x"], "Expected a duration such as"],
    [["--debounce"], "requires `DURATION`"],
  ];
  await Promise.all(cases.map(async ([args, problem]) => {
    const result = await runCli(["watch", "k", ...args], it.here);
    assertEquals([result.code, result.stdout], [2, ""], args.join(" "));
    assertStringIncludes(result.stderr, problem);
    assertEquals(result.stderr.trimEnd().split("\n").length, 1);
  }));
});
