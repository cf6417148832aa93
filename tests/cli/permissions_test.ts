/**
 * Each command runs with the permissions that its help tells, and no more; what
 * is missing is an error, and never asked for.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { loadCommands } from "../../src/cli/commands/mod.ts";
import {
  cliForShell,
  type CliResult,
  helpOf,
  openBeside,
  outputOfCli,
  runCli,
} from "../support/cli.ts";
import { drivers } from "../support/drivers.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";
import { onTerminal, testOnTerminal } from "../support/terminal.ts";

/** Every command. */
const COMMANDS = await loadCommands();

const [{ test }] = drivers;

/** A directory with what the examples of the help are about. */
async function exampleDir(): Promise<TempDir> {
  const dir = await tempDir();
  await Deno.mkdir(dir.file("backups"));
  await Deno.writeTextFile(
    dir.file("users.ndjson"),
    '{"kind":"users","key":"bob","value":{"name":"Bob"}}\n',
  );
  await using store = await openBeside(dir.file("app.db"));
  await store.set("users", "alice", { name: "Alice" });
  return dir;
}

/** The words of a command line, of which none has both kinds of quotes. */
function words(line: string): string[] {
  return Array.from(
    line.matchAll(/'([^']*)'|(\S+)/g),
    ([, quoted, plain]) => quoted ?? plain,
  );
}

/** A watch and a server go on, and an editor is somebody's own. They have tests of their own. */
const ENDING = COMMANDS.filter(({ name }) =>
  !["watch", "ui", "edit"].includes(name)
);

for (const { name } of ENDING) {
  test(`\`zestor ${name}\` runs its example with the permissions of its help`, async () => {
    const help = await helpOf(name, "--help");
    const [, example] = /^Example: zestor (.*)$/m.exec(help)!;
    const [, permissions] = /^Permissions: (.*)$/m.exec(help)!;
    const args = words(example);
    const flags = permissions.split(" ");

    // Those that load code of their own.
    const formats = help.includes("--format") ? ["yaml", "table"] : [];
    const done = await Promise.all([
      runOnExample(args, flags),
      ...formats.map((format) =>
        runOnExample([...args, "--format", format], flags)
      ),
    ]);
    for (const { code, stderr } of done) assertEquals([code, stderr], [0, ""]);

    // With any less of them it does not.
    const single = flags.flatMap(singlePaths);
    const refused = await Promise.all(
      single.map((_, i) => runOnExample(args, single.toSpliced(i, 1))),
    );
    for (const [i, { code, stdout, stderr }] of refused.entries()) {
      assertMatch(
        stderr,
        /^zestor: Cannot .*: the permission is missing; .*\n$/,
      );
      assert(stderr.endsWith(`run deno with ${single[i]}\n`), stderr);
      assertEquals([code, stdout], [2, ""]);
    }
  });
}

/** A flag for each of the paths that a flag names. */
function singlePaths(flag: string): string[] {
  const [name, paths] = flag.split("=");
  if (paths === undefined) return [flag];
  return paths.split(",").map((path) => `${name}=${path}`);
}

/** Runs it in a directory of its own. */
async function runOnExample(
  args: string[],
  permissions: string[],
): Promise<CliResult> {
  await using dir = await exampleDir();
  return await runCli(args, { cwd: dir.path, permissions });
}

test("without --allow-env the command works, and needs --db", async () => {
  await using dir = await exampleDir();
  const env = { ZESTOR_DB: "app.db" };
  const read = "--allow-read=app.db";
  const run = (args: string[], ...permissions: string[]) =>
    runCli(args, { cwd: dir.path, env, permissions });
  const [withoutEnv, withEnv, withDb] = await Promise.all([
    run(["kinds"], read),
    run(["kinds"], read, "--allow-env=ZESTOR_DB"),
    run(["kinds", "--db", "app.db"], read),
  ]);
  assertMatch(withoutEnv.stderr, /run deno with --allow-env=ZESTOR_DB\n$/);
  assertEquals(withoutEnv.code, 2);
  assertEquals([withEnv.stdout, withDb.stdout], [`"users"\n`, `"users"\n`]);
});

test("a new file, in a directory that may be written, needs no more than that", async () => {
  await using dir = await tempDir();
  const permissions = ["--allow-read=.", "--allow-write=."];
  const options = { cwd: dir.path, permissions };
  await outputOfCli(["set", "k", "a", "1", "--db", "new.db"], options);
  assertEquals(
    await outputOfCli(["count", "k", "--db", "new.db"], options),
    "1\n",
  );
});

testOnTerminal("on a terminal, too, no permission is asked for", async () => {
  await using dir = await exampleDir();
  await Deno.writeTextFile(dir.file("empty.db"), "");
  const lines: [flags: string[], args: string][] = [
    [[], "kinds"],
    [[], "kinds --db app.db"],
    [[], "kinds --db app.db --driver ffi"],
    [["--allow-read=app.db"], "set users bob 1 --db app.db"],
    [["--allow-read", "--allow-ffi"], "kinds --db app.db --driver ffi"],
    [
      ["--allow-read=empty.db", "--allow-write=empty.db"],
      "set users bob 1 --db empty.db",
    ],
  ];
  for (const [flags, args] of lines) {
    const { code, output } = await onTerminal(
      `${cliForShell(flags)} ${args}`,
      { cwd: dir.path, env: { NO_COLOR: "1", ZESTOR_DB: "app.db" } },
    );
    assertMatch(output, /^zestor: [^\n]* run deno with [^\n]*\n$/);
    assertEquals(code, 2);
  }
  // What may be done without any is done.
  const { code, output } = await onTerminal(`${cliForShell([])} --version`, {
    cwd: dir.path,
  });
  assertMatch(output, /^\d+\.\d+\.\d+\n$/);
  assertEquals(code, 0);
});
