/**
 * Folders in memory, for servers that wait for the disk at each commit whatever
 * they are told.
 *
 * @module
 */
import { statfsSync } from "node:fs";
import { join } from "node:path";

const MEMORY = "/dev/shm";

/** What servers need, and more, in bytes: each reserves 64 MiB for its log. */
const ROOM = 2 * 1024 ** 3;

/**
 * Puts a link to a new folder in memory into a server's folder, if there is
 * room. The guard of `home.ts` removes what a link of this name leads to.
 */
export async function linkToMemory(dir: string, name: "data"): Promise<void> {
  if (!hasRoom()) return;
  const made = await Deno.makeTempDir({ dir: MEMORY, prefix: "zestor-" });
  await Deno.symlink(made, join(dir, name));
}

/** Removes the folder that a link leads to, if there is a link. */
export async function unlinkMemory(dir: string, name: "data"): Promise<void> {
  const target = await Deno.readLink(join(dir, name)).catch(() => undefined);
  if (target) await Deno.remove(target, { recursive: true });
}

function hasRoom(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize > ROOM;
  } catch {
    return false;
  }
}
