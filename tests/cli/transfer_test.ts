/**
 * `zestor export` and `zestor import`, as processes of their own.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { openStore, type Store } from "../../mod.ts";
import { textOf } from "../../src/testing/reading.ts";
import { cliForShell, hereIn, outputOfCli, runCli } from "../support/cli.ts";
import { startCli } from "../support/running_cli.ts";
import { drivers } from "../support/drivers.ts";
import { onTerminal, testOnTerminal } from "../support/terminal.ts";
import { tempDir } from "../support/temp_dir.ts";

const [{ test }] = drivers;

/** Windows has no signals to send to another process, and no POSIX shell. */
const testOnPosix = Deno.build.os === "windows" ? Deno.test.ignore : test;

const open = (path: string): Promise<Store> =>
  openStore({ path, driver: "builtin", durability: "normal" });

const lineOf = (key: string, value: unknown) =>
  JSON.stringify({ kind: "k", key, value }) + "\n";

test("import writes exported entries identically", async () => {
  await using dir = await tempDir();
  const here = hereIn(dir.path);
  await using store = await open(dir.file("app.db"));
  const hostile = "\n\u001b[31m\u202e'\"$(exit)\u0085\u{1f600}";
  await store.set(hostile, hostile, [hostile]);
  await store.set("k", "a", 1);
  await store.set("k", "a", 2);
  const printed = await outputOfCli(["export"], here);
  assertEquals(printed, await textOf(store.export()));
  await Deno.writeTextFile(dir.file("lines"), printed);
  const summary =
    '"created":2,"updated":0,"unchanged":0,"skipped":0,"refused":0}\n';
  assertEquals(
    await outputOfCli(["import", "lines", "--db", "copy.db"], here),
    `{"lines":2,${summary}`,
  );
  await using copy = await open(dir.file("copy.db"));
  assertEquals(await textOf(copy.export()), printed);
  // From standard input, named or not.
  for (const [i, args] of [["-"], []].entries()) {
    const path = `copy${i}.db`;
    const result = await outputOfCli(["import", ...args, "--db", path], {
      ...here,
      input: printed,
    });
    assertEquals(result, `{"lines":2,${summary}`);
  }
});

test("export and import take the kinds and parts that are asked for", async () => {
  await using dir = await tempDir();
  const here = hereIn(dir.path);
  await using store = await open(dir.file("app.db"));
  for (const kind of ["a", "b", "c"]) {
    await store.set(kind, "x", 1);
    await store.set(kind, "x", 2);
  }
  assertEquals(
    await outputOfCli(
      ["export", "--no-times", "--no-versions", "--kind", "c", "--kind=a"],
      here,
    ),
    '{"kind":"a","key":"x","value":2}\n{"kind":"c","key":"x","value":2}\n',
  );
  const input = await outputOfCli(["export", "--no-times"], here);
  assertStringIncludes(input, '"version":2}\n');
  assertEquals(
    await outputOfCli(
      ["import", "--kind", "b", "--no-versions", "--no-times", "--db", "to.db"],
      { ...here, input },
    ),
    '{"lines":3,"created":1,"updated":0,"unchanged":0,"skipped":2,"refused":0}\n',
  );
  await using to = await open(dir.file("to.db"));
  assertEquals((await to.entry("b", "x"))?.version, 1);
  assertEquals(
    await outputOfCli(
      ["import", "--format", "table", "--db", "to.db"],
      { ...here, input },
    ),
    "LINES      3\nCREATED    2\nUPDATED    0\nUNCHANGED  1\nSKIPPED    0\nREFUSED    0\n",
  );
  assertEquals((await to.entry("a", "x"))?.version, 2);
});

test("import tells of each line that it refuses, and writes the others", async () => {
  await using dir = await tempDir();
  const input = lineOf("a", 1) + "{\u001b[31m\n" + lineOf("", 1) +
    lineOf("big", "?").replace('"?"', "12345678901234567890") +
    lineOf("b", 2);
  const { code, stdout, stderr } = await runCli(["import"], {
    ...hereIn(dir.path),
    input,
  });
  assertEquals(code, 2);
  assertEquals(
    stdout,
    '{"lines":5,"created":2,"updated":0,"unchanged":0,"skipped":0,"refused":3}\n',
  );
  const told = stderr.trimEnd().split("\n");
  assertEquals(told.length, 3);
  assertMatch(told[0], /^zestor: line 2: .*JSON/);
  assert(!stderr.includes("\u001b"));
  assertEquals(told[1], 'zestor: line 3: Cannot use "" as a key: it is empty');
  assertMatch(told[2], /^zestor: line 4: .*12345678901234567890/);
});

test("import stops if its input is not lines of JSON, and says what it expects", async () => {
  await using dir = await tempDir();
  const entries = Array.from({ length: 5_000 }, (_, i) => ({
    kind: "k",
    key: `${i}`,
    value: { i },
  }));
  const array = JSON.stringify(entries, null, 2);
  const cases: [input: string, first: number, count: number][] = [
    [array, 1, 10],
    [lineOf("a", 1) + array, 2, 100],
  ];
  for (const [input, first, count] of cases) {
    const { code, stdout, stderr } = await runCli(["import"], {
      ...hereIn(dir.path),
      input,
    });
    assertEquals([code, stdout], [2, ""]);
    const told = stderr.trimEnd().split("\n");
    assertEquals(told.length, count + 1);
    assertStringIncludes(told[0], `zestor: line ${first}: `);
    const stop =
      `zestor: Cannot import line ${first}: none of the lines ${first} to ${
        first + count - 1
      } is an entry, `;
    assertStringIncludes(told[count], stop);
    assertStringIncludes(told[count], "expected NDJSON, one object a line");
  }
  await using store = await open(dir.file("app.db"));
  assertEquals(await store.keys("k"), ["a"]);
});

test("export and import print one line for an error", async () => {
  await using dir = await tempDir();
  const here = hereIn(dir.path);
  const cases: [args: string[], code: number, problem: string][] = [
    [["export"], 3, "app.db"],
    [["export", "--kind", ""], 2, "kind"],
    [["export", "k"], 2, "k"],
    [["import", "none"], 2, "Cannot read none"],
    [["import", "."], 2, "Cannot read ."],
    [["import", "--versions"], 2, "--versions"],
  ];
  await Promise.all(cases.map(async ([args, code, problem]) => {
    const result = await runCli(args, here);
    assertEquals([result.code, result.stdout], [code, ""], args.join(" "));
    assertStringIncludes(result.stderr, problem);
    assertEquals(result.stderr.trimEnd().split("\n").length, 1);
  }));
  // Nothing was made.
  assertEquals(await Array.fromAsync(Deno.readDir(dir.path)), []);
});

test("export and import need the permissions that their help names", async () => {
  await using dir = await tempDir();
  const here = hereIn(dir.path);
  await using store = await open(dir.file("app.db"));
  await store.set("k", "a", 1);
  const printed = await outputOfCli(["export", "--db", "app.db"], {
    ...here,
    permissions: ["--allow-read=app.db"],
  });
  await Deno.writeTextFile(dir.file("users.ndjson"), printed);
  await outputOfCli(["import", "users.ndjson", "--db", "to.db"], {
    ...here,
    permissions: ["--allow-read=to.db,users.ndjson", "--allow-write=to.db"],
  });
});

testOnPosix(
  "a pipeline copies a store, and a reader that has enough ends an export",
  async () => {
    await using dir = await tempDir();
    await using store = await open(dir.file("app.db"));
    const entries = Array.from(
      { length: 20_000 },
      (_, i) => [`${i}`.padStart(6, "0"), { i }] as const,
    );
    await store.setAll("k", entries);
    const exporting = startCli(["export"], hereIn(dir.path));
    assertStringIncludes(await exporting.line(), '"key":"000000"');
    await exporting.closeOutput();
    const { code, stderr } = await exporting.ended();
    assertEquals([code, stderr], [0, ""]);
  },
);

testOnPosix(
  "an import that is interrupted leaves whole transactions, and no trace",
  async () => {
    await using dir = await tempDir();
    const fifo = dir.file("lines");
    await new Deno.Command("mkfifo", { args: [fifo] }).output();
    const importing = startCli(["import", "lines"], hereIn(dir.path));
    // Opened for both, so that it waits for nobody.
    using writer = await Deno.open(fifo, { read: true, write: true });
    const lines = Array.from({ length: 1_500 }, (_, i) => lineOf(`${i}`, i));
    const bytes = new TextEncoder().encode(lines.join(""));
    for (let at = 0; at < bytes.length;) {
      at += await writer.write(bytes.subarray(at));
    }
    await using store = await open(dir.file("app.db"));
    // The first thousand are there; the others wait for more lines.
    for await (const event of store.watch("k", { initial: true })) {
      if (event.key === "999") break;
    }
    importing.kill("SIGINT");
    assertEquals(await importing.ended(), {
      code: 130,
      stdout: "",
      stderr: "",
    });
    assertEquals(await store.count("k"), 1_000);
    assertEquals(await store.verify(), []);
  },
);

testOnTerminal(
  "import shows a bar on a terminal, and takes it away",
  async () => {
    await using dir = await tempDir();
    const lines = Array.from({ length: 3_000 }, (_, i) => lineOf(`${i}`, i));
    lines[1_500] = "{\n";
    await Deno.writeTextFile(dir.file("lines"), lines.join(""));
    for (const columns of [80, 30]) {
      const { code, output } = await onTerminal(
        `${cliForShell()} import lines --db ${columns}.db`,
        { cwd: dir.path, columns },
      );
      assertEquals(code, 2);
      assertStringIncludes(output, "░");
      assertMatch(output, /\d+% +\d+ lines/);
      assertMatch(output, /zestor: line 1501: .*JSON/);
      // What stays is the summary, from the beginning of a line.
      const at = output.indexOf("LINES");
      assert(output.slice(0, at).endsWith("\u001b[2K"));
      assertEquals(
        output.slice(at),
        "LINES      3000\nCREATED    2999\nUPDATED    0\nUNCHANGED  0\nSKIPPED    0\nREFUSED    1\n",
      );
    }
  },
);

testOnTerminal(
  "export prints nothing to a terminal that would act on it",
  async () => {
    await using dir = await tempDir();
    await using store = await open(dir.file("app.db"));
    await store.set("k", "\u009b31m\u202e", "\u009b31m\u202e");
    const { output } = await onTerminal(
      `${cliForShell()} export --no-times --db app.db`,
      { cwd: dir.path },
    );
    assertEquals(
      output,
      String
        .raw`{"kind":"k","key":"\u009b31m\u202e","value":"\u009b31m\u202e","version":1}` +
        "\n",
    );
  },
);
