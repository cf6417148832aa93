/**
 * `zestor copy --from … --to …`, as a process of its own.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { openStore, type Store } from "../../mod.ts";
import {
  changeAtRandom,
  eventsUntil,
  linesOfStore,
  untilEnd,
} from "../support/copying.ts";
import {
  cliForShell,
  type CliOptions,
  outputOfCli,
  runCli,
} from "../support/cli.ts";
import { drivers } from "../support/drivers.ts";
import { withSeed } from "../support/random.ts";
import { startCli } from "../support/running_cli.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";
import { onTerminal, testOnTerminal } from "../support/terminal.ts";

const [{ test }] = drivers;

/** Windows has no signals to send to another process. */
const testWithSignals = Deno.build.os === "windows" ? Deno.test.ignore : test;

const open = (dir: TempDir, name: string, history?: number): Promise<Store> =>
  openStore({
    path: dir.file(name),
    driver: "builtin",
    durability: "normal",
    history,
  });

const COPY = ["copy", "--from", "a.db", "--to", "b.db"];

const record = (numbers: Record<string, number>) =>
  JSON.stringify({
    entries: 0,
    created: 0,
    replaced: 0,
    deleted: 0,
    unchanged: 0,
    refused: 0,
    ...numbers,
  }) + "\n";

test("copy writes a store into another one, and prints the result", async () => {
  await using dir = await tempDir();
  const here: CliOptions = { cwd: dir.path };
  await using a = await open(dir, "a.db");
  await a.setAll("k", { x: 1, y: 2 });
  await a.set("k", "x", 3);
  await a.set("l", "z", 4, { expireIn: 1e9 });
  assertEquals(
    await outputOfCli(COPY, here),
    record({ entries: 3, created: 3 }),
  );
  await using b = await open(dir, "b.db");
  assertEquals(await linesOfStore(b), await linesOfStore(a));

  await b.set("k", "own", 1);
  await b.set("k", "y", "theirs");
  const refused = await runCli(COPY, here);
  assertEquals(refused, {
    code: 2,
    stdout: "",
    stderr:
      'zestor: Cannot copy: the target has "k"/"own", and the source does not; give --mirror to delete such entries, or --merge to keep them\n',
  });
  assertEquals(await b.get("k", "y"), "theirs");
  assertEquals(
    await outputOfCli([...COPY, "--merge"], here),
    record({ entries: 3, replaced: 1, unchanged: 2 }),
  );
  assertEquals(
    await outputOfCli([...COPY, "--mirror", "--kind", "k"], here),
    record({ entries: 2, deleted: 1, unchanged: 2 }),
  );
  assertEquals(await linesOfStore(b), await linesOfStore(a));
  // The one that is not named is that of the environment.
  assertEquals(
    await outputOfCli(["copy", "--to", "c.db", "--format", "table"], {
      ...here,
      env: { ZESTOR_DB: "b.db" },
    }),
    "ENTRIES    3\nCREATED    3\nREPLACED   0\nDELETED    0\nUNCHANGED  0\nREFUSED    0\n",
  );
});

test("copy refuses contradicting options in one line, and creates nothing", async () => {
  await using dir = await tempDir();
  await using a = await open(dir, "a.db");
  await a.set("k", "x", 1);
  await Deno.symlink(dir.file("a.db"), dir.file("link.db"));
  const wrong: [args: string[], says: RegExp][] = [
    [["copy", "k", "l", "--from", "a.db"], /copy a kind, but --from and --to/],
    [["copy"], /give KIND and NEW_KIND to copy a kind, or --from and --to/],
    [["copy", "k"], /give KIND and NEW_KIND/],
    [["copy", "k", "l", "--db", "a.db", "--follow"], /--follow needs a store/],
    [["copy", "k", "l", "--db", "a.db", "--mirror"], /--mirror needs a store/],
    [["copy", "k", "l", "--db", "a.db", "--kind", "k"], /--kind needs a store/],
    [
      [...COPY, "--merge", "--mirror"],
      /--merge keeps the entries that --mirror deletes/,
    ],
    [[...COPY, "--merge", "--follow"], /--follow makes both stores the same/],
    [[...COPY, "--db", "a.db"], /leave --db out/],
    [[...COPY, "--kind", "zestor:copy"], /it keeps the places of copies/],
    [[...COPY, "--schema", "s"], /--schema is for PostgreSQL/],
    [["copy", "--from", "a.db", "--to", "a.db"], /are the same store/],
    [["copy", "--from", "a.db", "--to", "link.db"], /are the same store/],
    [["copy", "--from", "a.db"], /there is no path; give --db/],
  ];
  for (const [args, says] of wrong) {
    const { code, stdout, stderr } = await runCli(args, { cwd: dir.path });
    assertMatch(stderr, /^zestor: [^\n]*\n$/);
    assertMatch(stderr, says);
    assertEquals([code, stdout], [2, ""], args.join(" "));
  }
  const missing = ["copy", "--from", "none.db", "--to", "b.db"];
  assertEquals((await runCli(missing, { cwd: dir.path })).code, 3);
  const files = Array.from(Deno.readDirSync(dir.path), ({ name }) => name);
  assert(!files.some((name) => /^b|^none/.test(name)), files.join());
});

testWithSignals(
  "a copy that is killed is finished by the next one",
  async () => {
    await using dir = await tempDir();
    await using a = await open(dir, "a.db");
    const keys = Array.from({ length: 20_000 }, (_, i) => `${i}`);
    await a.setAll("k", keys.map((key) => [key, { key }]));
    await using b = await open(dir, "b.db");
    let there = 0;
    for (let round = 0; round < 3; round++) {
      const events = b.watch("k");
      const copy = startCli(COPY, { cwd: dir.path });
      for await (const _ of events) break;
      copy.kill("SIGKILL");
      await copy.ended();
      const now = await b.count("k");
      assert(now > there && now < keys.length, `${there} ${now}`);
      there = now;
    }
    assertEquals(
      await outputOfCli(COPY, { cwd: dir.path }),
      record({
        entries: keys.length,
        created: keys.length - there,
        unchanged: there,
      }),
    );
    assertEquals(await linesOfStore(b), await linesOfStore(a));
  },
);

testWithSignals(
  "an interrupted copy exits with 130, and one that follows with 0",
  async () => {
    await using dir = await tempDir();
    await using a = await open(dir, "a.db");
    const keys = Array.from({ length: 20_000 }, (_, i) => `${i}`);
    await a.setAll("k", keys.map((key) => [key, { key }]));
    await using b = await open(dir, "b.db");
    for (const args of [COPY, [...COPY, "--follow"]]) {
      const events = b.watch("k");
      const copy = startCli(args, { cwd: dir.path });
      for await (const _ of events) break;
      copy.kill("SIGINT");
      assertEquals(await copy.ended(), { code: 130, stdout: "", stderr: "" });
    }
    const follow = startCli([...COPY, "--follow"], { cwd: dir.path });
    assertMatch(await follow.line(), /^{"entries":20000,/);
    await a.set("end", "1", 1);
    await untilEnd(b, "1");
    follow.kill("SIGINT");
    assertEquals(await follow.ended(), { code: 0, stdout: "", stderr: "" });
  },
);

testWithSignals(
  "a follow that is killed at any moment writes each change once and in order",
  async () => {
    await withSeed("killed follow", async (random) => {
      await using dir = await tempDir();
      await using a = await open(dir, "a.db");
      await using b = await open(dir, "b.db");
      const args = [...COPY, "--follow"];
      for (let round = 0; round < 5; round++) {
        const events = b.watchAll();
        const follow = startCli(args, { cwd: dir.path });
        // All that there is comes as changes.
        if (round === 0) assertEquals(`${await follow.line()}\n`, record({}));
        let left = random.between(1, 150);
        const written = (async () => {
          for await (const _ of events) if (--left === 0) break;
        })();
        for (let i = 0; i < 300; i++) await changeAtRandom(a, random);
        await written;
        follow.kill("SIGKILL");
        await follow.ended();
      }
      await a.set("end", "1", 1);
      const last = startCli(args, { cwd: dir.path });
      await untilEnd(b, "1");
      last.kill("SIGINT");
      // It went on where the last one was: nothing was copied.
      assertEquals(await last.ended(), { code: 0, stdout: "", stderr: "" });
      assertEquals(
        await eventsUntil(b, 0, "1"),
        await eventsUntil(a, 0, "1"),
      );
    });
  },
);

testWithSignals(
  "a follow says that it copies the differences, and why it ends",
  async () => {
    await using dir = await tempDir();
    await using a = await open(dir, "a.db", 20);
    await using b = await open(dir, "b.db");
    await a.set("k", "x", 0);
    const args = [...COPY, "--follow"];
    const first = startCli(args, { cwd: dir.path });
    assertEquals(`${await first.line()}\n`, record({ entries: 1, created: 1 }));
    await a.set("end", "1", 1);
    await untilEnd(b, "1");
    first.kill("SIGINT");
    await first.ended();
    for (let i = 0; i < 50; i++) await a.set("k", "x", i);

    const second = startCli(args, { cwd: dir.path });
    assertEquals(
      `${await second.line()}\n`,
      record({ entries: 2, replaced: 1, unchanged: 1 }),
    );
    await b.set("k", "x", "theirs");
    await a.set("k", "x", "mine");
    const { code, stdout, stderr } = await second.ended();
    assertMatch(
      stderr,
      /^zestor: Cannot go on after revision \d+: [^\n]*; copying the differences again\nzestor: Cannot follow: "k"\/"x" in the target has version \d+ and version \d+ was expected[^\n]*\n$/,
    );
    assertEquals([code, stdout], [1, ""]);
  },
);

testOnTerminal(
  "on a terminal a bar shows how far a copy has come",
  async () => {
    await using dir = await tempDir();
    {
      await using a = await open(dir, "a.db");
      const keys = Array.from({ length: 3_000 }, (_, i) => `${i}`);
      await a.setAll("k", keys.map((key) => [key, { key }]));
    }
    const { code, output } = await onTerminal(
      `${cliForShell()} ${COPY.join(" ")}`,
      { cwd: dir.path },
    );
    assertMatch(output, /100% {2}3000 entries/);
    assertMatch(output, /CREATED +3000/);
    assertEquals(code, 0);
  },
);
