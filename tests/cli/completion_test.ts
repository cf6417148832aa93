/**
 * Completion, in the shells themselves.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { delimiter } from "node:path";
import {
  cliForShell,
  openBeside,
  outputOfCli,
  quoteForShell,
} from "../support/cli.ts";
import { drivers } from "../support/drivers.ts";
import { tempDir } from "../support/temp_dir.ts";
import { testOnTerminal } from "../support/terminal.ts";

const [{ test }] = drivers;

/** The shells that are there. */
const isThere: Record<string, boolean> = Object.fromEntries(
  await Promise.all(
    ["bash", "zsh", "fish"].map(async (shell) => [shell, await has(shell)]),
  ),
);
for (const [shell, there] of Object.entries(isThere)) {
  if (!there) {
    console.warn(`Tests of completion in ${shell} are ignored: there is none`);
  }
}

async function has(shell: string): Promise<boolean> {
  try {
    const args = ["-c", "exit 0"];
    const { success } = await new Deno.Command(shell, { args }).output();
    return success;
  } catch {
    return false;
  }
}

const KEYS = [
  "alice",
  "albert",
  "bob:1",
  "bob:2",
  "eve@example.com",
  "eve@example.org:1",
  "eve@example.org:2",
  "k=v=1",
  "c/d/e",
  "sp ace",
  "$(touch pwned)",
  "`touch pwned`",
  "qu'ote",
  'double"quote',
  "back\\slash",
  "semi;colon",
  "*",
  "日本語",
  "-hyphen",
  "new\nline",
  "\u001b[31mred",
  "\u202eturned",
  "k".repeat(1000),
];

/** What no shell can put on its command line, or would take for an option. */
const UNTYPABLE = KEYS.slice(KEYS.indexOf("-hyphen"));

/** A directory with a store of such keys, and a command `zestor` for shells. */
async function completable() {
  const dir = await tempDir();
  {
    await using store = await openBeside(dir.file("app.db"));
    await store.setAll("users", KEYS.map((key) => [key, 1]));
    await store.set("uses", "x", 1);
    await store.setAll(
      "many",
      Array.from({ length: 500 }, (_, i) => [`${i}`, i]),
    );
  }
  const options = { cwd: dir.path };
  await Deno.writeTextFile(
    dir.file("zestor"),
    `#!/bin/sh\nexec ${cliForShell()} "$@"\n`,
    { mode: 0o755 },
  );
  const env = {
    PATH: [dir.path, Deno.env.get("PATH")].join(delimiter),
    ZESTOR_DB: "app.db",
    NO_COLOR: "1",
  };
  return {
    dir,
    env,
    async writeScript(shell: string) {
      await Deno.writeTextFile(
        dir.file(`completion.${shell}`),
        await outputOfCli(["completion", shell], options),
      );
    },
    /** What a shell prints that runs a script; the completion script is beside it. */
    async inShell(shell: string, args: string[], script: string) {
      const { stdout, stderr } = await new Deno.Command(shell, {
        args: [...args, "-c", script],
        cwd: dir.path,
        env,
        stdin: "null",
      }).output();
      const decoder = new TextDecoder();
      assertEquals(decoder.decode(stderr), "");
      return decoder.decode(stdout).split("\n").filter((line) => line !== "");
    },
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

type Completable = Awaited<ReturnType<typeof completable>>;

/** How each shell is asked what it suggests for the last of some words. */
const ASK: Record<
  string,
  (cli: Completable, words: string[]) => Promise<string[]>
> = {
  bash: (cli, words) =>
    cli.inShell(
      "bash",
      ["--norc"],
      `. ./completion.bash
COMP_WORDS=(${words.map(quoteForShell).join(" ")})
COMP_CWORD=${words.length - 1}
COMP_LINE=${quoteForShell(words.join(" "))}
COMP_POINT=\${#COMP_LINE}
complete -p zestor >/dev/null && _zestor
printf '%s\\n' "\${COMPREPLY[@]}"`,
    ),
  zsh: async (cli, words) => {
    const lines = await cli.inShell(
      "zsh",
      ["-f"],
      `autoload -U compinit; compinit -u -D
. ./completion.zsh
_describe() { print -rl -- "\${(@P)2}" }
typeset -A compstate
words=(${words.map(quoteForShell).join(" ")})
CURRENT=${words.length} PREFIX=${quoteForShell(words.at(-1)!)}
$_comps[zestor]`,
    );
    return lines.map((line) =>
      line.replace(/(?<!\\):.*/, "").replace(/\\(.)/g, "$1")
    );
  },
  fish: async (cli, words) => {
    const lines = await cli.inShell(
      "fish",
      ["--no-config"],
      `source ./completion.fish
complete -C ${quoteForShell(words.join(" "))}`,
    );
    return lines.map((line) => line.split("\t")[0]);
  },
};

/** The options that are suggested wherever nothing else is meant. */
function withoutOptions(suggested: string[]): string[] {
  return suggested.filter((word) => !word.startsWith("--")).sort();
}

for (const shell of Object.keys(ASK)) {
  const testInShell = isThere[shell] ? test : Deno.test.ignore;

  testInShell(
    `${shell} completes commands, options, kinds and keys`,
    async () => {
      await using cli = await completable();
      await cli.writeScript(shell);
      const lines: [words: string[], suggested: string[]][] = [
        [["ge"], ["get"]],
        [["del"], ["delete"]],
        [["get", "us"], ["users", "uses"]],
        [["--db", "app.db", "get", "user"], ["users"]],
        [["get", "users", "al"], ["albert", "alice"]],
        [["get", "users", "--db=app.db", "al"], ["albert", "alice"]],
        [["set", "--codec", "json", "users", "bob:"], ["bob:1", "bob:2"]],
        [["get", "users", "日"], ["日本語"]],
        [["get", "users", "c/"], ["c/d/e"]],
        [["list", "users", "--format", "t"], ["table"]],
        [["list", "users", "--codec", ""], ["json", "structured", "yaml"]],
        [["get", "nothing", ""], []],
        [["get", "users", "--db", "missing.db", "al"], []],
        [["get", "users", "--codec", "yaml", "al"], []],
      ];
      const answers = await Promise.all(
        lines.map(([words]) => ASK[shell](cli, ["zestor", ...words])),
      );
      for (const [i, suggested] of answers.entries()) {
        const [words, expected] = lines[i];
        assertEquals(withoutOptions(suggested), expected, words.join(" "));
      }
      const options = await ASK[shell](cli, [
        "zestor",
        "list",
        "users",
        "--re",
      ]);
      assertEquals(options, ["--reverse"]);
    },
  );

  testInShell(
    `${shell} is not given a name that it would not keep as it is`,
    async () => {
      await using cli = await completable();
      await cli.writeScript(shell);
      const [suggested, many] = await Promise.all([
        ASK[shell](cli, ["zestor", "get", "users", ""]),
        ASK[shell](cli, ["zestor", "get", "many", ""]),
      ]);
      const typable = KEYS.filter((key) => !UNTYPABLE.includes(key));
      // The other shells put quotes around what needs some.
      const expected = shell === "bash"
        ? typable.filter((key) => /^[\p{L}\p{N}:/@=.]+$/u.test(key))
        : typable;
      assertEquals(withoutOptions(suggested), expected.toSorted());
      assertEquals(withoutOptions(many).length, 100);
      for await (const { name } of Deno.readDir(cli.dir.path)) {
        assert(name !== "pwned");
      }
    },
  );
}

test("completion prints nothing if it cannot read the store", async () => {
  await using cli = await completable();
  const options = { cwd: cli.dir.path, env: { ZESTOR_DB: "app.db" } };
  const [nothing, wrongFile] = await Promise.all([
    outputOfCli(["completion", "bash", "get", "users", "al"], {
      ...options,
      permissions: [],
    }),
    outputOfCli(
      ["completion", "bash", "get", "--db", "zestor", "users", "al"],
      options,
    ),
  ]);
  assertEquals([nothing.trim(), wrongFile.trim()], ["", ""]);
});

const testBash = isThere.bash ? testOnTerminal : Deno.test.ignore;

testBash("bash completes the typed word when Tab is pressed", async () => {
  await using cli = await completable();
  await cli.writeScript("bash");
  const child = new Deno.Command("script", {
    args: [
      "-qec",
      "stty cols 200; exec bash --norc --noprofile -i",
      "/dev/null",
    ],
    cwd: cli.dir.path,
    env: { ...cli.env, PS1: "READY>", TERM: "dumb", SHELL: "/bin/sh" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const keyboard = child.stdin.getWriter();
  const screen = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let seen = "";
  const until = async (text: string) => {
    while (!seen.includes(text)) {
      const { value, done } = await screen.read();
      assert(!done, `the shell ended before ${text}: ${seen}`);
      seen += value;
    }
    const before = seen.slice(0, seen.indexOf(text));
    seen = seen.slice(before.length + text.length);
    return before;
  };
  const type = (text: string) => keyboard.write(new TextEncoder().encode(text));

  await until("READY>");
  await type(". ./completion.bash; echo O''K\n");
  await until("OK\r\n");
  // The line that Tab completes is then made the arguments of printf.
  const complete = async (line: string) => {
    await type(`${line}\t\u0001printf '<%s>' \u0005; echo E''ND\n`);
    return (await until("END\r\n")).split("\n").at(-1);
  };
  assertEquals(
    await complete("zestor get users ali"),
    "<zestor><get><users><alice>",
  );
  assertEquals(
    await complete("zestor get --db=app.db users bo"),
    "<zestor><get><--db=app.db><users><bob:>",
  );
  assertEquals(await complete("zestor cou"), "<zestor><count>");
  assertEquals(
    await complete("zestor get users bob:1 --form"),
    "<zestor><get><users><bob:1><--format>",
  );
  assertEquals(
    await complete("zestor get users eve@example.c"),
    "<zestor><get><users><eve@example.com>",
  );
  assertEquals(
    await complete("zestor get users eve@"),
    "<zestor><get><users><eve@example.>",
  );
  assertEquals(
    await complete("zestor get users eve@example.o"),
    "<zestor><get><users><eve@example.org:>",
  );
  assertEquals(
    await complete("zestor get users k="),
    "<zestor><get><users><k=v=1>",
  );
  assertEquals(
    await complete("zestor get users k=v="),
    "<zestor><get><users><k=v=1>",
  );
  assertEquals(
    await complete("zestor get users --db=ap"),
    "<zestor><get><users><--db=app.db>",
  );
  assertEquals(
    await complete("zestor list x@y us --codec=y"),
    "<zestor><list><x@y><us><--codec=yaml>",
  );
  assertEquals(
    await complete("zestor get users sp"),
    "<zestor><get><users><sp>",
  );
  // The shell's own settings are as they were.
  await type(`printf '<%s>' "$COMP_WORDBREAKS" >breaks; echo B''REAKS\n`);
  await until("BREAKS\r\n");
  assertEquals(
    await Deno.readTextFile(cli.dir.file("breaks")),
    "< \t\n\"'@><=;|&(:>",
  );
  await type("exit\n");
  await keyboard.close();
  while (!(await screen.read()).done);
  await child.status;
});

test("`zestor completion` gives a script for each shell, with no store", async () => {
  await using dir = await tempDir();
  const scripts = await Promise.all(
    ["bash", "zsh", "fish", "pwsh", "nu"].map((shell) =>
      outputOfCli(["completion", shell], { cwd: dir.path, permissions: [] })
    ),
  );
  for (const script of scripts) assertStringIncludes(script, "zestor");
});
