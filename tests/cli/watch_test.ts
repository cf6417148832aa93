/**
 * `zestor watch`, as a process of its own.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { openStore } from "../../mod.ts";
import { hereIn, runCli } from "../support/cli.ts";
import { type RunningCli, startCli } from "../support/running_cli.ts";
import { revisionAt } from "../support/place.ts";
import { drivers } from "../support/drivers.ts";
import { Random } from "../support/random.ts";
import { tempDir } from "../support/temp_dir.ts";

const [{ test }] = drivers;

/** Windows has no signals to send to another process. */
const testWithSignals = Deno.build.os === "windows" ? Deno.test.ignore : test;

/** A directory with a store, and the options to run the command there. */
async function setUp() {
  const dir = await tempDir();
  const store = await openStore({
    path: dir.file("app.db"),
    driver: "builtin",
    durability: "normal",
  });
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

/** Asserts that it ended without a trace: nothing more was printed, no error. */
async function assertEnds(watch: RunningCli): Promise<void> {
  assertEquals(await watch.ended(), { code: 0, stdout: "", stderr: "" });
}

async function keyOf(watch: RunningCli): Promise<string> {
  return JSON.parse(await watch.line()).key;
}

testWithSignals(
  "watch prints a line for each change, at once, until Ctrl-C",
  async () => {
    await using it = await setUp();
    await it.store.set("users", "alice", { name: "Alice" });
    const watch = startCli(["watch", "users", "--initial"], it.here);
    assertEquals(
      await watch.line(),
      '{"type":"create","kind":"users","key":"alice","value":{"name":"Alice"},"version":1,"revision":0}',
    );
    await it.store.set("others", "x", 1);
    await it.store.set("users", "alice", 2);
    assertEquals(
      await watch.line(),
      '{"type":"update","kind":"users","key":"alice","value":2,"version":2,"revision":3}',
    );
    // It was written by another process, too.
    await runCli(["delete", "users", "alice"], it.here);
    assertEquals(
      await watch.line(),
      '{"type":"delete","kind":"users","key":"alice","value":2,"version":2,"revision":4}',
    );
    watch.kill("SIGINT");
    await assertEnds(watch);
  },
);

testWithSignals(
  "watch prints the events that its options select, and no others",
  async () => {
    await using it = await setUp();
    const { store } = it;
    await store.set("k", "a1", 1); // Revision 1
    await store.set("k", "a1", 2);
    await store.set("k", "a2", 1);
    await store.set("k", "b", 1);
    await store.delete("k", "a1");
    const cases: [args: string[], events: string[]][] = [
      [["--after", "1"], ["update a1", "create a2", "create b", "delete a1"]],
      [["--after", "0", "--types", "create"], [
        "create a1",
        "create a2",
        "create b",
      ]],
      [["--after", "0", "--types", "update,delete"], [
        "update a1",
        "delete a1",
      ]],
      [["--after", "0", "--key", "a1"], [
        "create a1",
        "update a1",
        "delete a1",
      ]],
      [["--after", "2", "--prefix", "a"], ["create a2", "delete a1"]],
      [["--initial", "--prefix", "a"], ["create a2"]],
    ];
    await Promise.all(cases.map(async ([args, events]) => {
      const watch = startCli(["watch", "k", ...args], it.here);
      const found: string[] = [];
      for (const _ of events) {
        const { type, key } = JSON.parse(await watch.line());
        found.push(`${type} ${key}`);
      }
      assertEquals(found, events, args.join(" "));
      watch.kill("SIGTERM");
      await assertEnds(watch);
    }));
  },
);

test("watch refuses invalid options, in one line, with exit code 2", async () => {
  await using it = await setUp();
  await Deno.writeTextFile(it.dir.file("broken"), "{");
  await Deno.writeTextFile(
    it.dir.file("other"),
    '{"kind":"other","revision":1}\n',
  );
  const cases: [args: string[], problem: string][] = [
    [["--initial", "--after", "1"], "give one of them"],
    [["--key", "a", "--prefix", "a"], "exclude each other"],
    [["--keep-going"], "--exec"],
    [["--types", "create,remove"], "create,remove"],
    [["--types", ""], "Expected"],
    [["--after", "-1"], "--after"],
    [["--after", "x"], "--after"],
    [
      ["--cursor", "broken"],
      "Cannot use the cursor broken: the file contains no cursor, or only a part",
    ],
    [["--cursor", "other"], 'belongs to a watch of {"kind":"other"}'],
  ];
  await Promise.all(cases.map(async ([args, problem]) => {
    const result = await runCli(["watch", "k", ...args], it.here);
    assertEquals([result.code, result.stdout], [2, ""], args.join(" "));
    assertStringIncludes(result.stderr, problem);
    assertEquals(result.stderr.trimEnd().split("\n").length, 1);
  }));
});

test("watch tells of a revision that the log does not reach", async () => {
  await using it = await setUp();
  await it.store.set("k", "a", 1);
  const { code, stderr } = await runCli(
    ["watch", "k", "--after", "9"],
    it.here,
  );
  assertEquals(code, 3);
  assertStringIncludes(stderr, "zestor: Cannot go on after revision 9");
  await Deno.writeTextFile(
    it.dir.file("place"),
    '{"kind":"k","revision":9}\n',
  );
  const lost = await runCli(["watch", "k", "--cursor", "place"], it.here);
  assertEquals(lost.code, 3);
  assertStringIncludes(
    lost.stderr,
    "the place comes from place: remove this file",
  );
});

testWithSignals(
  "a closed pipe ends a watch with the next event, without a trace",
  async () => {
    await using it = await setUp();
    const watch = startCli(["watch", "k", "--after", "0"], it.here);
    await it.store.set("k", "a", 1);
    assertEquals(await keyOf(watch), "a");
    await watch.closeOutput();
    let hasEnded = false;
    const end = assertEnds(watch).finally(() => hasEnded = true);
    // A read that was under way may still take the first.
    for (let n = 0; !hasEnded; n++) await it.store.set("k", "b", n);
    await end;
  },
);

for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
  testWithSignals(
    `a watch with a cursor that is ended by ${signal} and started again misses and repeats nothing`,
    async () => {
      await using it = await setUp();
      await it.store.set("k", "before", 1);
      const args = ["watch", "k", "--cursor", "place"];
      let watch = startCli([...args, "--initial"], it.here);
      assertEquals(await keyOf(watch), "before");
      let written = 0;
      for (let round = 0; round < 4; round++) {
        // What comes while none watches, and while one does.
        for (let i = 0; i < 3; i++) await it.store.set("k", `${++written}`, 1);
        for (let i = 2; i >= 0; i--) {
          assertEquals(await keyOf(watch), `${written - i}`);
        }
        watch.kill(signal);
        const { stdout, stderr } = await watch.ended();
        assertEquals([stdout, stderr], ["", ""]);
        await it.store.set("k", `${++written}`, 1);
        watch = startCli(args, it.here);
        assertEquals(await keyOf(watch), `${written}`);
      }
      watch.kill("SIGTERM");
      await assertEnds(watch);
      const left = await Array.fromAsync(Deno.readDir(it.dir.path));
      assert(left.every(({ name }) => /^(app\.db.*|place)$/.test(name)));
      assertMatch(
        await Deno.readTextFile(it.dir.file("place")),
        new RegExp(
          `^\\{"kind":"k","cursor":"z1-${written + 1}-[0-9a-z]{10}"\\}\n$`,
        ),
      );
    },
  );
}

testWithSignals(
  "a watch with a cursor that is killed at any moment loses nothing",
  async () => {
    await using it = await setUp();
    const { store } = it;
    const random = new Random("killed");
    const args = ["watch", "k", "--cursor", "place", "--after", "0"];
    const seen: string[] = [];
    for (let round = 0; round < 6; round++) {
      const watch = startCli(args, it.here);
      const start = seen.length;
      const writes = Array.from(
        { length: 200 },
        (_, i) => store.set("k", `${start}`, `${round} ${i}`),
      );
      const stopAfter = random.between(1, 100);
      for (let i = 0; i < stopAfter; i++) seen.push(await watch.line());
      watch.kill("SIGKILL");
      await Promise.all(writes);
      // The end of a line may be missing, never its beginning.
      const { stdout } = await watch.ended();
      seen.push(...stdout.split("\n").filter((line) => line !== ""));
    }
    const revisions = seen.map((line) => JSON.parse(line).revision);
    const inOrder = [...new Set(revisions)];
    assertEquals(inOrder, inOrder.map((_, i) => i + 1));
    // Of each kill the last line at most, where it had no end.
    assert(revisions.length - inOrder.length <= 6);
  },
);

testWithSignals(
  "a cursor keeps the place before the first event, and on a quiet kind",
  async () => {
    await using it = await setUp();
    await it.store.set("k", "before", 1);
    await Deno.mkdir(it.dir.file("places"));
    const args = ["watch", "k", "--cursor", "places/place"];
    const placeIs = (revision: number) =>
      placeAt(it.dir.file("places"), revision);
    const first = startCli(args, it.here);
    await placeIs(1);
    first.kill("SIGKILL");
    await first.ended();
    await it.store.set("k", "between", 1);
    const second = startCli(args, it.here);
    assertEquals(await keyOf(second), "between");
    // A quarter of the log's history, of another kind.
    const noise = Array.from({ length: 2_600 }, (_, i) => [`${i}`, i] as const);
    await it.store.setAll("noise", noise);
    const { newest } = (await it.store.info()).log!;
    await placeIs(newest);
    second.kill("SIGINT");
    await assertEnds(second);
  },
);

/** Waits until the file "place" of a directory has the place of a revision. */
async function placeAt(dir: string, revision: number): Promise<void> {
  const changes = Deno.watchFs(dir);
  const isThere = async () => await revisionAt(`${dir}/place`) === revision;
  if (await isThere()) return changes.close();
  for await (const _ of changes) if (await isThere()) return;
}

testWithSignals(
  "watch --exec runs a command for each event, with all there is to know of it",
  async () => {
    await using it = await setUp();
    const command =
      'printf "%s|" "$ZESTOR_TYPE" "$ZESTOR_KIND" "$ZESTOR_KEY" "$ZESTOR_VERSION" "$ZESTOR_REVISION"; cat; test -f "$ZESTOR_DB" || echo missing';
    const watch = startCli(
      ["watch", "k", "--after", "0", "--exec", command],
      it.here,
    );
    await it.store.set("k", "a", { n: 1 });
    assertEquals(await watch.line(), 'create|k|a|1|1|{"n":1}');
    await it.store.set("k", "a", 2);
    assertEquals(await watch.line(), "update|k|a|2|2|2");
    await it.store.delete("k", "a");
    assertEquals(await watch.line(), "delete|k|a|2|3|2");
    watch.kill("SIGINT");
    await assertEnds(watch);
  },
);

testWithSignals(
  "the content of an entry never reaches the shell of watch --exec",
  async () => {
    await using it = await setUp();
    const trap = it.dir.file("trap");
    const hostile =
      `'"\`touch ${trap}\`$(touch ${trap}); touch ${trap}\n&|*\u202e`;
    const watch = startCli(
      [
        "watch",
        hostile,
        "--after",
        "0",
        "--exec",
        'printf "%s\\0%s\\0" "$ZESTOR_KIND" "$ZESTOR_KEY"; cat; printf "\\n"',
      ],
      it.here,
    );
    await it.store.set(hostile, hostile, hostile);
    const lines = [await watch.line(), await watch.line(), await watch.line()];
    assertEquals(
      lines.join("\n"),
      `${hostile}\0${hostile}\0${JSON.stringify(hostile)}`,
    );
    watch.kill("SIGTERM");
    const { code, stderr } = await watch.ended();
    assertEquals([code, stderr], [0, ""]);
    assertEquals(await exists(trap), false);
  },
);

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

testWithSignals(
  "a command that fails ends the watch, and its event comes again",
  async () => {
    await using it = await setUp();
    await it.store.set("k", "a", 1);
    await it.store.set("k", "b", 1);
    const args = ["watch", "k", "--after", "0", "--cursor", "place", "--exec"];
    const failing = 'echo "$ZESTOR_KEY"; test "$ZESTOR_KEY" != b';
    const first = await runCli([...args, failing], it.here);
    assertEquals(first, {
      code: 3,
      stdout: "a\nb\n",
      stderr:
        'zestor: The command failed for create "k"/"b" at revision 2: it exited with 1\n',
    });
    const again = startCli([...args, 'echo "$ZESTOR_KEY"'], it.here);
    assertEquals(await again.line(), "b");
    again.kill("SIGTERM");
    await assertEnds(again);

    const going = startCli(
      [
        "watch",
        "k",
        "--after",
        "0",
        "--keep-going",
        "--exec",
        'echo "$ZESTOR_KEY"; kill -9 $$',
      ],
      it.here,
    );
    assertEquals([await going.line(), await going.line()], ["a", "b"]);
    going.kill("SIGTERM");
    const { code, stderr } = await going.ended();
    assertEquals(code, 0);
    assertStringIncludes(stderr, "at revision 1: it was ended by SIGKILL\n");
  },
);

testWithSignals(
  "a running command gets a signal when its watch ends",
  async () => {
    await using it = await setUp();
    await it.store.set("k", "a", 1);
    const watch = startCli(
      [
        "watch",
        "k",
        "--after",
        "0",
        "--cursor",
        "place",
        "--exec",
        'trap "echo told; exit 1" TERM; echo started; while :; do sleep 0.1; done',
      ],
      it.here,
    );
    assertEquals(await watch.line(), "started");
    watch.kill("SIGTERM");
    assertEquals(await watch.line(), "told");
    await assertEnds(watch);
    // It was not done.
    assertEquals(await exists(it.dir.file("place")), false);
  },
);

testWithSignals(
  "a command need not read its input",
  async () => {
    await using it = await setUp();
    await it.store.set("k", "a", "x".repeat(1_000_000));
    const watch = startCli(
      ["watch", "k", "--after", "0", "--exec", "exec <&-; echo done"],
      it.here,
    );
    assertEquals(await watch.line(), "done");
    watch.kill("SIGINT");
    await assertEnds(watch);
  },
);

testWithSignals(
  "watch needs exactly the permissions in its help, and asks for none",
  async () => {
    await using it = await setUp();
    await it.store.set("k", "a", 1);
    const least = {
      ...it.here,
      permissions: [
        "--allow-read=app.db,app.db-wal,place,place.next,place.lock",
        "--allow-write=place,place.next,place.lock",
        "--allow-run=sh",
      ],
    };
    const args = ["watch", "k", "--db", "app.db", "--after", "0"];
    const full = [...args, "--cursor", "place", "--exec", "echo done"];
    const watch = startCli(full, least);
    assertEquals(await watch.line(), "done");
    watch.kill("SIGINT");
    await assertEnds(watch);

    const without: [permissions: string[], missing: string][] = [
      [["--allow-read=app.db"], "--allow-read=place"],
      [["--allow-read"], "--allow-write=place"],
      [["--allow-read", "--allow-write"], "--allow-run=sh"],
      [[], "--allow-read="],
    ];
    await Promise.all(without.map(async ([permissions, missing]) => {
      const { code, stderr } = await runCli(full, { ...it.here, permissions });
      assertEquals(code, 2, stderr);
      assertStringIncludes(stderr, missing);
    }));
  },
);
