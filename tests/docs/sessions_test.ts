/**
 * The terminal sessions in README.md and docs/: what they show is what is
 * printed.
 *
 * Each block of the language `console` is a session: a line that begins with
 * "$ " is a command for a POSIX shell, and the lines after it are what the
 * command prints. All sessions of a page share one folder, which is empty at
 * the first one. A block that is a file is written there at its place.
 *
 * A command that prints `^C` last runs until it is interrupted. If it is the
 * last one of its session, it runs until the next session has ended: it is
 * another terminal.
 *
 * @module
 */
import { assertEquals, assertGreater, assertMatch } from "@std/assert";
import { basename } from "node:path/posix";
import {
  asFile,
  type Block,
  blocksOf,
  type Page,
  readPages,
} from "../support/docs/pages.ts";
import { type ShellFolder, shellFolder } from "../support/docs/shell.ts";
import { drivers } from "../support/drivers.ts";
import { TextReader } from "../support/processes/text_reader.ts";

const [{ test }] = drivers;

/** Windows has no POSIX shell. */
const testInShell = Deno.build.os === "windows" ? Deno.test.ignore : test;

interface Step {
  readonly command: string;
  /** What it prints, on both streams. */
  readonly printed: string[];
}

/** Ends a command that runs, and checks all that it printed. */
type Interrupt = () => Promise<void>;

const pages = await readPages();

/** The permissions that the pages say to install the command with. */
function installFlags(): string[] {
  const lines = pages.flatMap(({ text }) =>
    Array.from(
      text.matchAll(/^deno install -g -n zestor (.*) jsr:\S+$/gm),
      ([, flags]) => flags,
    )
  );
  if (lines.length === 0) return ["-A"];
  return lines[0].split(" ");
}

function stepsOf({ code }: Block): Step[] {
  const steps: Step[] = [];
  for (const line of code.trimEnd().split("\n")) {
    if (line.startsWith("$ ")) {
      steps.push({ command: line.slice(2), printed: [] });
    } else {
      steps.at(-1)!.printed.push(line);
    }
  }
  return steps;
}

const isSession = ({ language }: Block) => language === "console";
const pagesWithSessions = pages.filter((page) =>
  blocksOf(page).some(isSession)
);

for (const page of pagesWithSessions) {
  testInShell(
    `${page.path}: its sessions are what the commands print, with the permissions that they are given`,
    () => runSessions(page),
  );
}

Deno.test("the pages have sessions, and each of their files is used", () => {
  assertGreater(pagesWithSessions.length, 1);
  for (const page of pages) {
    const blocks = blocksOf(page);
    const code = blocks.map(({ code }) => code).join("\n");
    for (const { name } of blocks.flatMap((block) => asFile(block) ?? [])) {
      const use = new RegExp(`^\\$ .* ${name}\\b|from "\\./${name}"`, "m");
      assertMatch(code, use, `${page.path} does not use ${name}`);
    }
  }
});

Deno.test("the files of a page are in examples, as the page leaves them, so their types are checked", async () => {
  for (const page of pages) {
    const files = new Map(
      blocksOf(page).flatMap((block) => asFile(block) ?? [])
        .map(({ name, code }) => [name, code]),
    );
    const folder = basename(page.path, ".md").toLowerCase();
    for (const [name, code] of files) {
      const path = `../../examples/${folder}/${name}`;
      const found = Deno.readTextFile(new URL(path, import.meta.url));
      assertEquals(await found, code, path);
    }
  }
});

async function runSessions(page: Page): Promise<void> {
  await using folder = await shellFolder(installFlags());
  let staying: Interrupt | undefined;
  for (const block of blocksOf(page)) {
    const file = asFile(block);
    if (file) await Deno.writeTextFile(folder.file(file.name), file.code);
    if (!isSession(block)) continue;
    const stays = await runSession(folder, stepsOf(block));
    await staying?.();
    staying = stays;
  }
  await staying?.();
}

/** Runs a session. If its last command goes on, it gives what interrupts that. */
async function runSession(
  folder: ShellFolder,
  steps: readonly Step[],
): Promise<Interrupt | undefined> {
  for (const step of steps) {
    if (step.printed.at(-1) !== "^C") {
      await runStep(folder, step);
      continue;
    }
    const interrupt = await startStep(folder, step);
    if (step === steps.at(-1)) return interrupt;
    await interrupt();
  }
}

async function runStep(
  folder: ShellFolder,
  { command, printed }: Step,
): Promise<void> {
  const { stdout } = await folder.command(command).output();
  const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
  assertEquals(lines, printed.length > 0 ? printed : [""], command);
}

async function startStep(
  folder: ShellFolder,
  { command, printed }: Step,
): Promise<Interrupt> {
  const child = folder.command(`exec ${command}`).spawn();
  const reader = new TextReader(child.stdout);
  // What it prints first says that it has begun.
  const found = printed.length > 1 ? [await reader.line()] : [];
  return async () => {
    while (found.length < printed.length - 1) found.push(await reader.line());
    assertEquals([...found, "^C"], printed, command);
    child.kill("SIGINT");
    await reader[Symbol.asyncDispose]();
    await child.status;
  };
}
