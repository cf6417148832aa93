/**
 * `zestor edit`, with shell commands for editors.
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
import { yaml } from "../../src/values/codecs/yaml.ts";
import {
  cliForShell,
  type CliOptions,
  openBeside,
  quoteForShell,
  runCli,
} from "../support/cli.ts";
import { connect, fileAt } from "../support/connect.ts";
import { drivers } from "../support/drivers.ts";
import { startCli } from "../support/running_cli.ts";
import { tempDir } from "../support/temp_dir.ts";
import { testOnTerminal } from "../support/terminal.ts";
import { TextReader } from "../support/processes/text_reader.ts";

const [builtin] = drivers;

/** Windows has no POSIX shell, and no signals to send to another process. */
const test = Deno.build.os === "windows" ? Deno.test.ignore : builtin.test;

/** A directory with a store of one entry, and a directory for temporary files. */
async function setUp(value: unknown = { n: 1, name: "Alice" }) {
  const dir = await tempDir();
  await Deno.mkdir(dir.file("tmp"));
  {
    await using store = await openBeside(dir.file("app.db"));
    await store.set("k", "a", value);
  }
  const env = { ZESTOR_DB: "app.db", TMPDIR: dir.file("tmp") };
  const here: CliOptions = { cwd: dir.path, env };
  return {
    dir,
    here,
    env,
    edit: (editor: string, ...args: string[]) =>
      runCli(["edit", "k", ...args, "--editor", editor], here),
    async entry(key = "a") {
      await using store = await openBeside(dir.file("app.db"));
      const entry = await store.entry("k", key);
      return entry && [entry.value, entry.version];
    },
    /** What temporary files hold. */
    async kept() {
      const files = await Array.fromAsync(Deno.readDir(dir.file("tmp")));
      return await Promise.all(
        files.map(({ name }) => Deno.readTextFile(dir.file(`tmp/${name}`))),
      );
    },
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

test("edit opens the value as JSON, and writes the edited value", async () => {
  await using it = await setUp();
  const result = await it.edit(
    `sh -c 'cat "$1"; ls -l "$1" | cut -c 1-10; sed -i.old s/Alice/Bob/ "$1"; rm "$1.old"' x`,
    "a",
  );
  assertEquals(result, {
    code: 0,
    stdout:
      '{\n  "n": 1,\n  "name": "Alice"\n}\n-rw-------\n{"status":"updated","version":2,"revision":2}\n',
    stderr: "",
  });
  assertEquals(await it.entry(), [{ n: 1, name: "Bob" }, 2]);
  assertEquals(await it.kept(), []);
});

test("edit takes YAML, if asked, and if the store keeps it", async () => {
  await using it = await setUp({ age: 1, name: "Alice" });
  const editor = 'sh -c \'cat "$1"; echo "tags: [x]" >>"$1"\' x';
  const { code, stdout } = await it.edit(editor, "a", "--input", "yaml");
  assertEquals([code, stdout.split("{")[0]], [0, "age: 1\nname: Alice\n"]);
  assertEquals(await it.entry(), [{ age: 1, name: "Alice", tags: ["x"] }, 2]);
  {
    await using store = await openStore({
      path: it.dir.file("yaml.db"),
      driver: "builtin",
      codec: yaml,
    });
    await store.set("k", "a", { at: new Date(0) });
  }
  const db = ["--db", "yaml.db", "--codec", "yaml"];
  const edited = await it.edit(editor, "a", ...db);
  assertEquals([edited.code, edited.stderr], [0, ""]);
  const { stdout: printed } = await runCli(
    ["get", "k", "a", "--format", "yaml", ...db],
    it.here,
  );
  assertEquals(printed, "at: 1970-01-01T00:00:00.000Z\ntags:\n  - x\n");
  const json = await it.edit(editor, "a", "--input", "json", ...db);
  assertEquals(json, {
    code: 2,
    stdout: "",
    stderr:
      "zestor: Cannot edit as JSON: the value would change; use --input yaml\n",
  });
  assertEquals(await it.kept(), []);
});

test("edit writes nothing if nothing is changed, or only how it is written", async () => {
  await using it = await setUp();
  const results = await Promise.all([
    it.edit("true", "a"),
    it.edit("cp same.json", "a"),
    it.edit("rm", "a"),
  ].concat(
    // An entry that somebody else has changed is not in the way.
    it.edit(`sh -c '${cliForShell()} set k other 1 >/dev/null; true' x`, "a"),
  ));
  assertEquals(results[1].code, 3);
  await Deno.writeTextFile(
    it.dir.file("same.json"),
    '{"n":1,"name":"\\u0041lice"}',
  );
  const again = await it.edit("cp same.json", "a", "--format", "table");
  assertEquals(again.stdout, "STATUS    unchanged\nVERSION   1\nREVISION  1\n");
  for (const { code, stdout } of results.toSpliced(1, 1)) {
    assertEquals([code, stdout], [
      0,
      '{"status":"unchanged","version":1,"revision":1}\n',
    ]);
  }
  assertEquals(await it.entry(), [{ n: 1, name: "Alice" }, 1]);
  assertEquals(await it.kept(), []);
});

test("edit --create makes an entry, and a file, that are not there", async () => {
  await using it = await setUp();
  await Deno.writeTextFile(it.dir.file("new.json"), '{"new": true}');
  const fill = "cp new.json";
  const refused = await it.edit(fill, "b");
  assertEquals(refused, {
    code: 1,
    stdout: "",
    stderr: 'zestor: Cannot edit "k"/"b": there is no such entry\n',
  });
  const created = await it.edit(fill, "b", "--create");
  assertEquals(
    created.stdout,
    '{"status":"created","version":1,"revision":2}\n',
  );
  assertEquals(await it.entry("b"), [{ new: true }, 1]);
  const other = ["--db", "other.db"];
  const nothing = await it.edit("true", "b", "--create", ...other);
  assertEquals(
    nothing.stdout,
    '{"status":"unchanged","version":0,"revision":0}\n',
  );
  const missing = await it.edit(fill, "b", ...other);
  assertEquals(missing.code, 3);
  const names = await Array.fromAsync(Deno.readDir(it.dir.path));
  assert(!names.some(({ name }) => name.startsWith("other")));
  const made = await it.edit(fill, "b", "--create", ...other);
  assertEquals(made.code, 0);
  assertEquals(await it.kept(), []);
});

test("edit does not replace another write, and keeps the text", async () => {
  await using it = await setUp(1);
  const cli = cliForShell();
  const cases: [meanwhile: string, args: string[], found: string][] = [
    [`${cli} set k a 5`, ["a"], "expected revision 1, found revision "],
    [`${cli} delete k a`, ["a"], "found no entry"],
    [
      `${cli} set k b 7`,
      ["b", "--create"],
      "expected no entry, found revision",
    ],
  ];
  for (const [meanwhile, args, found] of cases) {
    const result = await it.edit(
      `sh -c ${
        quoteForShell(`echo '"mine"' >"$1"; ${meanwhile} >/dev/null`)
      } x`,
      ...args,
    );
    assertEquals([result.code, result.stdout], [1, ""], result.stderr);
    const [, path] = /; the edited text is in (\S+)\n$/.exec(result.stderr)!;
    assertEquals(await Deno.readTextFile(path), '"mine"\n');
    if (!found.includes("no entry")) assertStringIncludes(result.stderr, found);
    await Deno.remove(path);
    await runCli(["set", "k", "a", "1"], it.here);
    {
      await using store = await openBeside(it.dir.file("app.db"));
      await store.delete("k", "a");
      await store.set("k", "a", 1);
    }
  }
  assertEquals(await it.entry("b"), [7, 1]);
});

test("edit keeps a text that holds no value, or one that would be altered", async () => {
  await using it = await setUp();
  {
    using db = await connect(builtin, fileAt(it.dir.file("app.db")));
    db.exec(
      `UPDATE zestor_kv SET value = CAST('{"n":12345678901234567890,"x":1}' AS BLOB)`,
    );
  }
  const cases: [script: string, problem: RegExp][] = [
    ["echo '{' >", /Cannot read the edited text as JSON: .*line 2/],
    [": >", /Cannot read the edited text as JSON: it is empty/],
    ["printf '\\377' >", /it is not UTF-8 \(byte 1\)/],
    ['echo \'{"n":12345678901234567890,"x":2}\' >', /would become 1234567/],
  ];
  for (const [script, problem] of cases) {
    const { code, stdout, stderr } = await it.edit(
      `sh -c ${quoteForShell(`${script}"$1"`)} x`,
      "a",
    );
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, problem);
    const [, path] = /^zestor: [^\n]*; the edited text is in (\S+\.json)\n$/
      .exec(stderr)!;
    await Deno.remove(path);
  }
  // What is not touched stays, digit by digit.
  const untouched = await it.edit("true", "a");
  assertStringIncludes(untouched.stdout, "unchanged");
});

test("if the editor fails, nothing is written, and the text is kept", async () => {
  await using it = await setUp();
  const results = [
    await it.edit("exit 4; :", "a"),
    await it.edit("no-such-editor", "a"),
    await it.edit("sh -c 'kill -9 $$' x", "a"),
  ];
  assertEquals(results.map(({ code }) => code), [3, 3, 3]);
  assertStringIncludes(
    results[0].stderr,
    "zestor: The editor failed: it exited with 4; nothing was written\n",
  );
  assertStringIncludes(results[1].stderr, "it exited with 127");
  assertStringIncludes(results[2].stderr, "The editor failed: it ");
  assertEquals(await it.kept(), []);
  const wrote = await it.edit("sh -c 'echo 5 >\"$1\"; exit 1' x", "a");
  assertEquals(wrote.code, 3);
  assertMatch(
    wrote.stderr,
    /it exited with 1; nothing was written; the edited text is in \S+\n$/,
  );
  assertEquals(await it.kept(), ["5\n"]);
  assertEquals(await it.entry(), [{ n: 1, name: "Alice" }, 1]);
});

test("the editor is that of --editor, VISUAL or EDITOR, in this order", async () => {
  await using it = await setUp();
  const run = (env: Record<string, string>, ...args: string[]) =>
    runCli(["edit", "k", "a", ...args], {
      ...it.here,
      env: { ...it.env, VISUAL: "", EDITOR: "", ...env },
    });
  const all = { VISUAL: "echo visual; :", EDITOR: "echo editor; :" };
  const results = await Promise.all([
    run(all, "--editor", "echo option; :"),
    run(all),
    run({ EDITOR: all.EDITOR }),
    run({}),
  ]);
  const printed = results.map(({ stdout }) => stdout.split("\n")[0]);
  assertEquals(printed, ["option", "visual", "editor", ""]);
  assertEquals(
    results[3].stderr,
    "zestor: Cannot edit: there is no editor; give --editor COMMAND, or set VISUAL or EDITOR and run deno with --allow-env=VISUAL,EDITOR\n",
  );
  assertEquals(results[3].code, 2);
});

test("edit needs exactly the permissions in its help, and asks for none", async () => {
  await using it = await setUp(1);
  const tmp = it.env.TMPDIR;
  const permissions = [
    "--allow-read=app.db",
    `--allow-read=${tmp}`,
    "--allow-write=app.db",
    `--allow-write=${tmp}`,
    "--allow-run=sh",
  ];
  const args = ["edit", "k", "a", "--db", "app.db", "--editor"];
  const run = (value: number, permissions: string[]) =>
    runCli([...args, `sh -c 'echo ${value} >"$1"' x`], {
      ...it.here,
      permissions: ["--allow-env=TMPDIR", ...permissions],
    });
  const done = await run(2, permissions);
  assertEquals([done.code, done.stderr], [0, ""]);
  const without = await Promise.all(
    permissions.map((_, i) => run(3, permissions.toSpliced(i, 1))),
  );
  for (const [i, { code, stderr }] of without.entries()) {
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, `run deno with ${permissions[i]}`);
  }
});

test("SIGTERM ends the editor, and keeps the text", async () => {
  await using it = await setUp();
  await Deno.writeTextFile(
    it.dir.file("editor"),
    '#!/bin/sh\ntrap "exit 1" TERM\necho 5 >"$1"\necho started\nwhile :; do sleep 0.1; done\n',
    { mode: 0o755 },
  );
  const args = ["edit", "k", "a", "--editor", "./editor"];
  const running = startCli(args, it.here);
  assertEquals(await running.line(), "started");
  // Ctrl-C is for the editor.
  running.kill("SIGINT");
  running.kill("SIGTERM");
  const { code, stdout, stderr } = await running.ended();
  assertEquals([code, stdout], [143, ""]);
  assertMatch(stderr, /^zestor: The edited text is in \S+\n$/);
  assertEquals(await it.kept(), ["5\n"]);
});

/** Runs it on a terminal. */
function onKeyboard(cwd: string, env: Record<string, string>, editor: string) {
  const line = [cliForShell(), "edit", "k", "a", "--editor"].join(" ");
  const child = new Deno.Command("script", {
    args: [
      "-qec",
      `stty -echo; exec ${line} ${quoteForShell(editor)}`,
      "/dev/null",
    ],
    cwd,
    env: { SHELL: "/bin/sh", NO_COLOR: "1", ...env },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const keyboard = child.stdin.getWriter();
  return {
    screen: new TextReader(child.stdout),
    type: (text: string) => keyboard.write(new TextEncoder().encode(text)),
    async ended() {
      await keyboard.close();
      return (await child.status).code;
    },
  };
}

testOnTerminal(
  "on a terminal an invalid text can be edited again",
  async () => {
    await using it = await setUp(1);
    const editor =
      `sh -c 'if test -s "$1" && grep -q "{" "$1"; then echo 2 >"$1"; else echo "{" >"$1"; fi' x`;
    const first = onKeyboard(it.dir.path, it.env, editor);
    assertMatch(
      await first.screen.until("[Y/n] "),
      /as JSON.*\r\nEdit again\? /,
    );
    await first.type("\n");
    assertMatch(await first.screen.rest(), /updated/);
    assertEquals(await first.ended(), 0);
    assertEquals(await it.entry(), [2, 2]);

    const second = onKeyboard(it.dir.path, it.env, editor);
    await second.screen.until("[Y/n] ");
    await second.type("n\n");
    assertMatch(await second.screen.rest(), /the edited text is in /);
    assertEquals(await second.ended(), 2);
    assertEquals(await it.kept(), ["{\n"]);
  },
);

testOnTerminal("Ctrl-C on a terminal is for the editor", async () => {
  await using it = await setUp(1);
  const editor =
    `sh -c 'trap "echo 2 >\\"$1\\"; exit 0" INT; echo started; while :; do sleep 0.1; done' x`;
  const edit = onKeyboard(it.dir.path, it.env, editor);
  assertEquals((await edit.screen.line()).trim(), "started");
  await edit.type("\u0003");
  assertMatch(await edit.screen.rest(), /updated/);
  assertEquals(await edit.ended(), 0);
  assertEquals(await it.entry(), [2, 2]);
});
