/**
 * The terminal sessions in README.md: what they show is what is printed.
 *
 * Each block of the language `console` is a session: a line that begins with
 * "$ " is a command for a POSIX shell, what follows is what it prints. All are
 * of one directory, from the first to the last. A session that ends with `^C`
 * is a terminal that stays: its command runs while the next session does.
 *
 * @module
 */
import { assertEquals, assertGreater } from "@std/assert";
import { cliForShell } from "../support/cli.ts";
import { drivers } from "../support/drivers.ts";
import { TextReader } from "../support/processes/text_reader.ts";
import { tempDir } from "../support/temp_dir.ts";

const [{ test }] = drivers;

/** Windows has no POSIX shell. */
const testInShell = Deno.build.os === "windows" ? Deno.test.ignore : test;

interface Step {
  readonly command: string;
  /** What it prints, on both streams. */
  readonly printed: string[];
}

const readme = await Deno.readTextFile(
  new URL("../../README.md", import.meta.url),
);

/** The permissions that README.md says to install the command with. */
function installFlags(): string[] {
  const line = /^deno install -g -n zestor (.*) jsr:\S+$/m.exec(readme);
  return line![1].split(" ");
}

/** The sessions, with the steps of each. */
function readSessions(): Step[][] {
  const blocks = readme.matchAll(/^```console\n(.*?)^```/gms);
  return Array.from(blocks, ([, text]) => stepsOf(text));
}

function stepsOf(text: string): Step[] {
  const steps: Step[] = [];
  for (const line of text.trimEnd().split("\n")) {
    if (line.startsWith("$ ")) {
      steps.push({ command: line.slice(2), printed: [] });
    } else {
      steps.at(-1)!.printed.push(line);
    }
  }
  return steps;
}

testInShell(
  "README.md's sessions are what the command prints, with the permissions that it is installed with",
  async () => {
    await using dir = await tempDir();
    await putZestor(dir.file("bin"));
    const shell = (command: string) =>
      new Deno.Command("sh", {
        args: ["-c", `exec 2>&1; ${command}`],
        cwd: dir.path,
        env: {
          PATH: `${dir.file("bin")}:${Deno.env.get("PATH")}`,
          ZESTOR_DB: "app.db",
        },
        stdin: "null",
        stdout: "piped",
      });
    const sessions = readSessions();
    assertGreater(sessions.length, 3);
    let staying: (() => Promise<void>) | undefined;
    for (const steps of sessions) {
      let stays: (() => Promise<void>) | undefined;
      for (const { command, printed } of steps) {
        if (printed.at(-1) === "^C") {
          stays = await startStaying(
            shell(`exec ${command}`),
            command,
            printed,
          );
        } else {
          const { stdout } = await shell(command).output();
          const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
          assertEquals(lines, printed.length > 0 ? printed : [""], command);
        }
      }
      await staying?.();
      staying = stays;
    }
    await staying?.();
  },
);

/** Starts a command; what it gives reads what it is to print, and interrupts it. */
async function startStaying(
  shell: Deno.Command,
  command: string,
  printed: readonly string[],
): Promise<() => Promise<void>> {
  const child = shell.spawn();
  const reader = new TextReader(child.stdout);
  // What it prints first says that it has begun.
  const found = [await reader.line()];
  return async () => {
    while (found.length < printed.length - 1) found.push(await reader.line());
    assertEquals([...found, "^C"], printed, command);
    child.kill("SIGINT");
    await reader[Symbol.asyncDispose]();
    await child.status;
  };
}

/** Puts the command `zestor` in a directory. */
async function putZestor(bin: string): Promise<void> {
  await Deno.mkdir(bin);
  await Deno.writeTextFile(
    `${bin}/zestor`,
    `#!/bin/sh\nexec ${cliForShell(installFlags())} "$@"\n`,
    { mode: 0o755 },
  );
}
