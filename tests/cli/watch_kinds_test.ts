/**
 * `zestor watch` of several kinds, its cursors, and what it tells beside the
 * value.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { openStore } from "../../mod.ts";
import { hereIn, runCli } from "../support/cli.ts";
import { connect, fileAt } from "../support/connect.ts";
import { drivers } from "../support/drivers.ts";
import { revisionAt } from "../support/place.ts";
import { type RunningCli, startCli } from "../support/running_cli.ts";
import { tempDir } from "../support/temp_dir.ts";

const [builtin] = drivers;
const { test } = builtin;

/** Windows has no signals to send to another process. */
const testWithSignals = Deno.build.os === "windows" ? Deno.test.ignore : test;

async function setUp() {
  const dir = await tempDir();
  const store = await openStore({
    path: dir.file("app.db"),
    driver: "builtin",
    durability: "normal",
  });
  await store.set("a", "x", 1);
  await store.set("b", "x", 2);
  await store.set("c", "x", 3);
  await store.set("a", "x", 4);
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

/** Asserts that a watch tells of these changes, and ends without a trace. */
async function assertTells(
  watch: RunningCli,
  changes: string[],
): Promise<void> {
  const found: string[] = [];
  for (const _ of changes) {
    const { type, kind, key, value } = JSON.parse(await watch.line());
    found.push(`${type} ${kind}/${key} ${value}`);
  }
  assertEquals(found, changes);
  watch.kill("SIGTERM");
  assertEquals(await watch.ended(), { code: 0, stdout: "", stderr: "" });
}

testWithSignals("watch takes several kinds, or all, in one order", async () => {
  await using it = await setUp();
  const cases: [args: string[], changes: string[]][] = [
    [["b", "a", "a", "--after", "0"], [
      "create a/x 1",
      "create b/x 2",
      "update a/x 4",
    ]],
    [["--all", "--after", "1"], [
      "create b/x 2",
      "create c/x 3",
      "update a/x 4",
    ]],
    [["a", "c", "--initial"], ["create a/x 4", "create c/x 3"]],
    [["--all", "--initial", "--key", "x"], [
      "create a/x 4",
      "create b/x 2",
      "create c/x 3",
    ]],
  ];
  await Promise.all(
    cases.map(([args, changes]) =>
      assertTells(startCli(["watch", ...args], it.here), changes)
    ),
  );
});

testWithSignals("watch --all tells of kinds that come later", async () => {
  await using it = await setUp();
  const watch = startCli(["watch", "--all", "--after", "4"], it.here);
  await it.store.set("new", "x", 5);
  await assertTells(watch, ["create new/x 5"]);
});

testWithSignals(
  "watch --previous tells the value before, and every watch when an entry expires",
  async () => {
    await using it = await setUp();
    await it.store.set("a", "x", 5, { expireIn: 3_600_000 });
    const args = ["watch", "a", "--after", "1"];
    const watch = startCli([...args, "--previous"], it.here);
    assertEquals(
      await watch.line(),
      '{"type":"update","kind":"a","key":"x","value":4,"previous":1,"version":2,"revision":4}',
    );
    assertMatch(
      await watch.line(),
      /"value":5,"previous":4,"version":3,"revision":5,"expiresAt":"[\dT:.Z-]+"}$/,
    );
    watch.kill("SIGTERM");
    assertEquals(await watch.ended(), { code: 0, stdout: "", stderr: "" });
    const record = startCli(
      [...args, "--previous", "--record", "--exec", "cat"],
      it.here,
    );
    assertStringIncludes(await record.line(), '"previous":1');
    record.kill("SIGTERM");
    await record.ended();
    await it.store.set("b", "x", 6, { expireIn: 1 });
    const gone = startCli(["watch", "b", "--after", "6"], it.here);
    assertMatch(await gone.line(), /"type":"delete".*"expired":true}$/);
    gone.kill("SIGTERM");
    await gone.ended();
  },
);

testWithSignals(
  "a burst of several kinds has no kind in its environment",
  async () => {
    await using it = await setUp();
    const watch = startCli(
      ["watch", "--all", "--after", "0", "--debounce", "200ms", "--exec"]
        .concat('echo "<$ZESTOR_KIND> $ZESTOR_EVENTS"; cat'),
      { ...it.here, env: { ...it.here.env, ZESTOR_KIND: "another watch's" } },
    );
    assertEquals(await watch.line(), "<> 4");
    watch.kill("SIGTERM");
    await watch.ended();
  },
);

testWithSignals(
  "a cursor belongs to its kinds, in any order, and continues where it was",
  async () => {
    await using it = await setUp();
    const args = ["--cursor", "place"];
    const first = startCli(
      ["watch", "b", "a", "--after", "0", ...args],
      it.here,
    );
    await assertTells(first, ["create a/x 1", "create b/x 2", "update a/x 4"]);
    assertMatch(
      await Deno.readTextFile(it.dir.file("place")),
      /^{"kinds":\["a","b"\],"cursor":"z1-4-[0-9a-z]{10}"}\n$/,
    );
    await it.store.set("c", "x", 5);
    await it.store.set("b", "x", 6);
    await assertTells(startCli(["watch", "a", "b", ...args], it.here), [
      "update b/x 6",
    ]);
    for (
      const [kinds, name] of [[["a"], '{"kind":"a"}'], [
        ["--all"],
        '{"all":true}',
      ]]
    ) {
      const { code, stderr } = await runCli(
        ["watch", ...kinds, ...args],
        it.here,
      );
      assertEquals(code, 2);
      assertStringIncludes(
        stderr,
        `it belongs to a watch of {"kinds":["a","b"]}, not of ${name}`,
      );
    }
  },
);

testWithSignals("a cursor of an earlier version goes on, too", async () => {
  await using it = await setUp();
  await Deno.writeTextFile(
    it.dir.file("place"),
    '{"kind":"a","prefix":"x","revision":1}\n',
  );
  const watch = startCli(
    ["watch", "a", "--prefix", "x", "--cursor", "place"],
    it.here,
  );
  await assertTells(watch, ["update a/x 4"]);
  assertMatch(
    await Deno.readTextFile(it.dir.file("place")),
    /^{"kind":"a","prefix":"x","cursor":"z1-4-[0-9a-z]{10}"}\n$/,
  );
});

testWithSignals(
  "a cursor of lost changes is an error, and is kept",
  async () => {
    await using it = await setUp();
    await it.store.backup(it.dir.file("backup.db"));
    await it.store.set("a", "x", 5);
    const args = ["watch", "a", "--cursor", "place"];
    const watch = startCli([...args, "--after", "4"], it.here);
    await assertTells(watch, ["update a/x 5"]);
    // The store is put back, and other changes have the same revisions.
    await using restored = await openStore({
      path: it.dir.file("backup.db"),
      driver: "builtin",
    });
    for (const n of [6, 7, 8]) await restored.set("a", "x", n);
    const before = await Deno.readTextFile(it.dir.file("place"));
    const lost = await runCli([...args, "--db", "backup.db"], it.here);
    assertEquals([lost.code, lost.stdout], [3, ""]);
    assertStringIncludes(lost.stderr, "the store has another change there");
    assertStringIncludes(
      lost.stderr,
      "the place comes from place: remove this file",
    );
    assertEquals(await Deno.readTextFile(it.dir.file("place")), before);
    assertEquals(await revisionAt(it.dir.file("place")), 5);
  },
);

testWithSignals(
  "a value that cannot be read is skipped, with an error, and the place goes on",
  async () => {
    await using it = await setUp();
    {
      using db = await connect(builtin, fileAt(it.dir.file("app.db")));
      db.exec(
        "UPDATE zestor_kv SET value = CAST('{' AS BLOB) WHERE kind = 'a'",
      );
    }
    await it.store.set("b", "x", 7);
    const watch = startCli(
      ["watch", "a", "b", "--after", "4", "--cursor", "place"],
      it.here,
    );
    assertStringIncludes(await watch.line(), '"revision":6}');
    watch.kill("SIGTERM");
    const { code, stdout, stderr } = await watch.ended();
    assertEquals([code, stdout], [0, ""]);
    assertMatch(
      stderr,
      /^zestor: Cannot decode [^\n]+; the event is skipped\n$/,
    );
    assertEquals(await revisionAt(it.dir.file("place")), 6);
  },
);

test("watch refuses missing kinds, kinds with --all, and invalid places", async () => {
  await using it = await setUp();
  await Deno.writeTextFile(
    it.dir.file("cut"),
    '{"kind":"a","cursor":"z1-4-abc"}\n',
  );
  const cases: [args: string[], problem: string][] = [
    [[], "Cannot watch: give one or more kinds, or --all"],
    [["a", "--all"], "Cannot watch: give one or more kinds, or --all"],
    [["a", ""], "it is empty"],
    [["a", "--after", "z1-1"], "Expected a revision or a cursor"],
    [["a", "--after", "1.5"], "Expected a revision or a cursor"],
    [["a", "--previous", "--exec", "x"], "needs --record or --debounce"],
    [
      ["a", "--cursor", "cut"],
      "the file contains no cursor, or only a part of one",
    ],
  ];
  await Promise.all(cases.map(async ([args, problem]) => {
    const { code, stdout, stderr } = await runCli(["watch", ...args], it.here);
    assertEquals([code, stdout], [2, ""], stderr);
    assertMatch(stderr, /^zestor: [^\n]+\n$/);
    assertStringIncludes(stderr, problem);
  }));
});
