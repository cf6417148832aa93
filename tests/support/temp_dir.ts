/**
 * Directories for the files of tests, which do not outlive them.
 *
 * @module
 */
import { join } from "node:path";

/** A directory of its own. */
export interface TempDir extends AsyncDisposable {
  /** Where it is. */
  readonly path: string;
  /** The path of a file in it. */
  file(name: string): string;
}

/** Makes a directory; `await using` removes it with all that is in it. */
export function tempDir(): Promise<TempDir> {
  return tempDirIn(undefined);
}

/** The same in memory, where the machine has that: for tests that make many files. */
export async function tempDirInMemory(): Promise<TempDir> {
  const shm = "/dev/shm";
  const isThere = await Deno.stat(shm).then(() => true, () => false);
  return await tempDirIn(isThere ? shm : undefined);
}

async function tempDirIn(dir: string | undefined): Promise<TempDir> {
  const made = await Deno.makeTempDir({ dir, prefix: "zestor-" });
  // As `info()` tells it: on macOS it is behind a link.
  const path = await Deno.realPath(made);
  return {
    path,
    file: (name) => join(path, name),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** A directory that is removed when the tests of the calling file are done. */
export function tempDirOfFile(): string {
  const path = Deno.makeTempDirSync({ prefix: "zestor-" });
  globalThis.addEventListener(
    "unload",
    () => Deno.removeSync(path, { recursive: true }),
  );
  return path;
}
