/**
 * Folders in memory, for servers that have no flag against syncing each commit.
 *
 * @module
 */
import { statfsSync } from "node:fs";
import { join } from "node:path";

const MEMORY = "/dev/shm";

/** More room than servers need, in bytes. Each reserves 64 MiB for its log. */
const ROOM = 2 * 1024 ** 3;

/**
 * Puts a link to a new folder in memory into a server's folder, if memory has
 * room. The guard of `home.ts` removes the target of a link with this name.
 */
export async function linkToMemory(dir: string, name: "data"): Promise<void> {
  if (!hasRoom()) return;
  const made = await Deno.makeTempDir({ dir: MEMORY, prefix: "zestor-" });
  await Deno.symlink(made, join(dir, name));
}

/** Removes the target of the link, if the link exists. */
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
