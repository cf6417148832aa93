/**
 * The directories of a test that loses power.
 *
 * @module
 */
import { tempDir, tempDirInMemory } from "../temp_dir.ts";
import type { TracedDirectory } from "./recorder.ts";

/** `await using` removes them. */
export interface PowerDirs extends TracedDirectory, AsyncDisposable {
  /** A file beside the directory that is traced. */
  beside(name: string): string;
  /** Where what is left is put. */
  readonly left: string;
}

/** Makes them. */
export async function powerDirs(): Promise<PowerDirs> {
  const around = await tempDir();
  const left = await tempDirInMemory();
  await Deno.mkdir(around.file("traced"));
  return {
    // The recorder compares paths as the system tells them.
    directory: await Deno.realPath(around.file("traced")),
    trace: around.file("trace"),
    beside: (name) => around.file(name),
    left: left.path,
    async [Symbol.asyncDispose]() {
      await around[Symbol.asyncDispose]();
      await left[Symbol.asyncDispose]();
    },
  };
}
