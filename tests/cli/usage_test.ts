/**
 * The command line itself: help, the version, mistakes, and which store is
 * meant.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { pathToFileURL } from "node:url";
import { loadCommands } from "../../src/cli/commands/mod.ts";
import {
  type CliOptions,
  helpOf,
  openBeside,
  outputOfCli,
  runCli,
} from "../support/cli.ts";
import { drivers } from "../support/drivers.ts";
import { tempDir } from "../support/temp_dir.ts";

/** Every command. */
const COMMANDS = await loadCommands();

const [{ test }, ffi] = drivers;

test("`zestor --help` lists every command, and `--version` is the package's", async () => {
  await using dir = await tempDir();
  const options = { cwd: dir.path };
  const [help, same, version] = await Promise.all([
    outputOfCli(["--help"], options),
    outputOfCli(["help"], options),
    outputOfCli(["--version"], options),
  ]);
  for (const { name } of COMMANDS) {
    assertMatch(help, new RegExp(`^  ${name} +\\S`, "m"));
  }
  assertMatch(help, /^ {2}completion +\S/m);
  assertEquals(same, help);
  const config = await Deno.readTextFile(
    new URL("../../deno.json", import.meta.url),
  );
  assertEquals(version, `${JSON.parse(config).version}\n`);
});

test("every command has help with an example, and with the permissions it needs", async () => {
  await using dir = await tempDir();
  const printed = await outputOfCli(["get", "--help"], { cwd: dir.path });
  assertEquals(await helpOf("get", "--help"), printed);
  for (const { name } of COMMANDS) {
    const help = await helpOf(name, "--help");
    assertMatch(help, new RegExp(`^Usage: zestor ${name}( |$)`, "m"));
    assertMatch(help, new RegExp(`^Example: zestor ${name} `, "m"));
    assertMatch(help, /^Permissions: --allow-/m);
    assertMatch(help, /^ {2}--db PATH +\S/m);
    for (const line of help.split("\n")) {
      assertEquals(line.length <= 80, true, line);
    }
    assertEquals(await helpOf("help", name), help);
  }
});

const mistakes: [args: string[], message: RegExp][] = [
  [[], /There is no command; see zestor --help/],
  [["gett", "k", "a"], /"gett".*`get`.*; see zestor --help/],
  [["constructor"], /; see zestor --help/],
  [["help", "nothing"], /"nothing"; see zestor --help/],
  [["--db", "app.db"], /There is no command/],
  [["get"], /Expected a `KIND`.*; see zestor get --help/],
  [["get", "k"], /Expected a `KEY`/],
  [["get", "k", "a", "b"], /"b"/],
  [["get", "k", "a", "--nothing"], /"--nothing"/],
  [["get", "k", "a", "--db"], /`--db` requires `PATH`/],
  [["get", "k", "a", "--db", "x", "--db", "y"], /cannot be used multiple/],
  [["list", "k", "--format", "xml"], /"xml"/],
  [["list", "k", "--limit", "-1"], /"-1"/],
  [["list", "k", "--limit", "1.5"], /"1\.5"/],
  [["list", "k", "--start", "b", "--end", "a"], /Cannot list: "start" "b" is/],
  [["keys", "k", "--start", "b", "--end", "a"], /Cannot keys: "start" "b" is/],
  [["get", "k", "a", "--codec", "xml"], /"xml"/],
  [["get", "k", "a", "--driver", "odbc"], /"odbc"/],
  [["get", "k", "a", "--color", "red"], /"red"/],
  [["completion"], /Missing shell name/],
  [["completion", "tcsh"], /Unsupported shell "tcsh"/],
  [["get", "k", "a"], /there is no path; give --db PATH, or set ZESTOR_DB/],
  [["get", "k", "a", "--db", ""], /there is no path/],
  [["get", "k", "a", "--db", ":memory:"], /a store in memory is lost when/],
  [["get", "k", "a", "--db", "file:x?mode=memory"], /a store in memory/],
  [["get", "k", "a", "--db", "file:x?what=1"], /unknown parameter "what"/],
  [["set", "k", "a", "1", "--db", "file:x?mode=ro"], /mode=ro opens it only/],
  [["get", "k\u001b[31m\n\u202e", "--no"], /"k\\u001b\[31m|"--no"/],
];

test("mistakes give one line and exit code 2, and leave nothing behind", async () => {
  await using dir = await tempDir();
  const results = await Promise.all(
    mistakes.map(([args]) => runCli(args, { cwd: dir.path })),
  );
  for (const [i, { code, stdout, stderr }] of results.entries()) {
    const [args, message] = mistakes[i];
    assertMatch(stderr, /^zestor: [^\n]*\n$/, args.join(" "));
    assertMatch(stderr, message);
    assertEquals([code, stdout], [2, ""], args.join(" "));
  }
  assertEquals(await Array.fromAsync(Deno.readDir(dir.path)), []);
});

test("the store is that of --db, before that of ZESTOR_DB", async () => {
  await using dir = await tempDir();
  for (const name of ["one", "two"]) {
    await using store = await openBeside(dir.file(`${name}.db`));
    await store.set("k", "a", name);
  }
  const get = (options: Partial<CliOptions>, ...args: string[]) =>
    outputOfCli([...args, "get", "k", "a"], { cwd: dir.path, ...options });
  const env = { ZESTOR_DB: "one.db" };
  assertEquals(
    await Promise.all([
      get({ env }),
      get({ env }, "--db", "two.db"),
      get({}, "--db=two.db"),
      get({ env: { ZESTOR_DB: "file:two.db?mode=rwc" } }),
      get({}, "--db", pathToFileURL(dir.file("one.db")).href),
      outputOfCli(["get", "--db", "two.db", "k", "a"], { cwd: dir.path }),
      outputOfCli(["get", "k", "--db", "two.db", "--", "a"], { cwd: dir.path }),
    ]),
    ["one", "two", "two", "two", "one", "two", "two"].map((name) =>
      `"${name}"\n`
    ),
  );
});

const ODD_PATHS = [
  "a b.db",
  "q?mode=ro.db",
  "h#ash.db",
  "100%25.db",
  "%.db",
  'it\'s $(x) "q".db',
  "日本語.db",
  "-x.db",
  "./:memory:",
];

test("a path is used unchanged, with any characters", async () => {
  if (Deno.build.os === "windows") return;
  await using dir = await tempDir();
  await Promise.all(ODD_PATHS.map(async (path) => {
    const db = ["--db", path];
    await outputOfCli(["set", "k", "a", "1", ...db], { cwd: dir.path });
    const value = await outputOfCli(["get", "k", "a", ...db], {
      cwd: dir.path,
    });
    assertEquals(value, "1\n", path);
    const absolute = ["--db", `/${dir.path}/${path}`];
    await outputOfCli(["delete", "k", "a", ...absolute], { cwd: dir.path });
  }));
  const names = await Array.fromAsync(Deno.readDir(dir.path));
  const expected = ODD_PATHS.map((path) => path.replace("./", ""));
  assertEquals(names.map(({ name }) => name).sort(), expected.sort());
});

test("a store that cannot be opened gives exit code 3", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.file("other"), "no database, ".repeat(100));
  await Deno.writeTextFile(dir.file("empty"), "");
  const failures: [args: string[], message: RegExp][] = [
    [["get", "k", "a", "--db", "missing.db"], /there is no such file/],
    [["get", "k", "a", "--db", "."], /it is a directory/],
    [["get", "k", "a", "--db", "other"], /other/],
    [["get", "k", "a", "--db", "empty"], /contains no store/],
    [["set", "k", "a", "1", "--db", "none/app.db"], /none\/app\.db/],
    [["kinds", "--db", "other/app.db"], /Cannot open store at other\/app\.db/],
  ];
  const results = await Promise.all(
    failures.map(([args]) => runCli(args, { cwd: dir.path })),
  );
  for (const [i, { code, stdout, stderr }] of results.entries()) {
    const [args, message] = failures[i];
    assertMatch(stderr, /^zestor: Cannot open [^\n]*\n$/, args.join(" "));
    assertMatch(stderr, message);
    assertEquals([code, stdout], [3, ""], args.join(" "));
  }
});

test("--debug prints the stack of an error, and its causes", async () => {
  await using dir = await tempDir();
  const args = ["set", "k", "a", "1", "--db", "none/app.db"];
  const { code, stderr } = await runCli([...args, "--debug"], {
    cwd: dir.path,
  });
  assertEquals(code, 3);
  const [first, ...rest] = stderr.split("\n");
  assertMatch(first, /^zestor: Cannot open /);
  assertStringIncludes(rest.join("\n"), "    at ");
  assertStringIncludes(rest.join("\n"), "[cause]: SqlError");
});

ffi.test("--driver ffi is the other binding, and auto one that is there", async () => {
  await using dir = await tempDir();
  const options = { cwd: dir.path, env: { ZESTOR_DB: "app.db" } };
  await outputOfCli(["set", "k", "a", "1", "--driver", "ffi"], options);
  const get = ["get", "k", "a", "--driver"];
  assertEquals(await outputOfCli([...get, "auto"], options), "1\n");
  const permissions = ["--allow-read=app.db", "--allow-env=ZESTOR_DB"];
  const least = { ...options, permissions };
  assertEquals(await outputOfCli([...get, "auto"], least), "1\n");
  const { code, stderr } = await runCli([...get, "ffi"], least);
  assertMatch(stderr, /^zestor: Cannot load the driver "ffi": .*\n$/);
  assertEquals(code, 2);
});
