/**
 * Node.js and Bun, as npm has them, for tests. Without npm they are ignored, and
 * the reason is printed; with `ZESTOR_REQUIRE_NODE` they fail.
 *
 * @module
 */
import { join } from "node:path";
import { tempDirInMemory } from "../temp_dir.ts";
import { makeProject } from "./package.ts";

/** A runtime, and what npx needs to run it. */
const PACKAGES = { node: "node@24", bun: "bun@1" } as const;

/** The name of a runtime's program. */
export type RuntimeName = keyof typeof PACKAGES;

/** A project that has the package installed, and a runtime for it. */
export interface Project {
  /** The path of a file in the project's folder. */
  file(name: string): string;
  /** Starts a program of `tests/support/platforms/programs` in that folder. */
  start(program: string, ...args: readonly string[]): Run;
  /** Runs it to its end; gives what it printed, parsed line by line. */
  run(program: string, ...args: readonly string[]): Promise<unknown[]>;
}

/** A program that runs. */
export interface Run {
  /** What it prints, parsed line by line. */
  readonly lines: AsyncIterableIterator<unknown>;
  /** Waits for its end; rejects with what it wrote to standard error if it failed. */
  end(): Promise<void>;
}

/** A runtime that tests can use. */
export interface Runtime {
  /** Registers a test, as ignored without the runtime. All tests share one project. */
  test(name: string, fn: (project: Project) => Promise<void>): void;
}

/** Gets a runtime from npm. */
export async function runtimeOf(name: RuntimeName): Promise<Runtime> {
  const found = await download(PACKAGES[name]);
  if (!("path" in found) && !Deno.env.get("ZESTOR_REQUIRE_NODE")) {
    console.warn(`Tests on ${name} are ignored: ${found.problem}`);
    return { test: (title) => Deno.test.ignore(`${name}: ${title}`, () => {}) };
  }
  let project: Promise<Project> | undefined;
  return {
    test: (title, fn) =>
      Deno.test(`${name}: ${title}`, async () => {
        if (!("path" in found)) throw new Error(found.problem);
        await fn(await (project ??= openProject(found.path)));
      }),
  };
}

/** Asks npx, which keeps what it downloads, for the path of the runtime's program. */
async function download(
  spec: string,
): Promise<{ path: string } | { problem: string }> {
  try {
    const { success, stdout, stderr } = await new Deno.Command("npx", {
      args: ["--yes", spec, "-p", "process.execPath"],
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return success
      ? { path: decoder.decode(stdout).trim() }
      : { problem: decoder.decode(stderr).trim() };
  } catch (error) {
    return { problem: `npx cannot be run: ${(error as Error).message}` };
  }
}

async function openProject(runtime: string): Promise<Project> {
  const { path: dir } = await tempDirInMemory();
  globalThis.addEventListener(
    "unload",
    () => Deno.removeSync(dir, { recursive: true }),
  );
  await makeProject(dir);
  const start = (program: string, ...args: readonly string[]): Run => {
    const child = new Deno.Command(runtime, {
      args: [join(dir, `${program}.js`), ...args],
      cwd: dir,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const stderr = new Response(child.stderr).text();
    return {
      lines: linesOf(child.stdout),
      async end() {
        const { code } = await child.status;
        const text = await stderr;
        if (code !== 0) {
          throw new Error(`${program} ended with ${code}: ${text}`);
        }
      },
    };
  };
  return {
    file: (name) => join(dir, name),
    start,
    async run(program, ...args) {
      const run = start(program, ...args);
      const lines = await Array.fromAsync(run.lines);
      await run.end();
      return lines;
    },
  };
}

async function* linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<unknown, undefined> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield JSON.parse(line);
  }
}
