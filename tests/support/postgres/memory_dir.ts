/**
 * Folders in memory, for the data of servers that need not survive the machine:
 * they make thousands of small files, or have no flag against syncing each
 * commit.
 *
 * @module
 */
import { statfsSync } from "node:fs";
import { join } from "node:path";
import { giveToAccount } from "./commands.ts";

const MEMORY = "/dev/shm";

/** More room than the servers of a test need, in bytes: the log of one has up to 256 MiB. */
const ROOM = 2 * 1024 ** 3;

/**
 * Puts a link to a new folder in memory into a server's folder, if memory has
 * room. `home.ts` removes the target of a link with this name.
 */
export async function linkToMemory(dir: string, name: "data"): Promise<void> {
  if (!hasRoom()) return;
  const made = await Deno.makeTempDir({ dir: MEMORY, prefix: "zestor-" });
  giveToAccount(made);
  await Deno.symlink(made, join(dir, name));
}

function hasRoom(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize > ROOM;
  } catch {
    return false;
  }
}
