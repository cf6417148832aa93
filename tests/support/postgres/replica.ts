/**
 * Copies the data of a running server for a standby, by the low-level backup
 * functions: `pg_basebackup` is not among the programs that npm has.
 * https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP
 *
 * @module
 */
import { join } from "node:path";
import { giveToAccount } from "./commands.ts";
import { withClient } from "./query.ts";

/** What a copy must not have, or the server makes anew. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  "postmaster.pid",
  "postmaster.opts",
]);

/** Folders of which the copy has only the folder. */
const EMPTY: ReadonlySet<string> = new Set([
  "pg_wal",
  "pg_replslot",
  "pg_dynshmem",
  "pg_notify",
  "pg_serial",
  "pg_snapshots",
  "pg_stat_tmp",
  "pg_subtrans",
]);

/** Copies the data folder of the server at a URL; a server started on the copy is a standby. */
export async function copyData(
  url: string,
  from: string,
  to: string,
): Promise<void> {
  await withClient(url, async (client) => {
    // The backup ends if this connection does.
    await client.query("SELECT pg_backup_start('standby', true)");
    await copyTree(from, to);
    const { rows: [{ labelfile }] } = await client.query(
      "SELECT labelfile FROM pg_backup_stop(false)",
    );
    await writeFile(join(to, "backup_label"), labelfile);
  });
  await writeFile(join(to, "standby.signal"), "");
}

async function writeFile(path: string, text: string): Promise<void> {
  await Deno.writeTextFile(path, text);
  giveToAccount(path);
}

async function copyTree(from: string, to: string): Promise<void> {
  await makeDir(to);
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    const [source, target] = [join(from, name), join(to, name)];
    if (LEFT_OUT.has(name)) continue;
    if (EMPTY.has(name)) await makeDir(target);
    else if (isDirectory) await copyTree(source, target);
    else await copyFile(source, target);
  }
}

async function makeDir(path: string): Promise<void> {
  await Deno.mkdir(path, { mode: 0o700 });
  giveToAccount(path);
}

/** The server may remove a file while the others are copied. */
async function copyFile(from: string, to: string): Promise<void> {
  try {
    await Deno.copyFile(from, to);
    giveToAccount(to);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
