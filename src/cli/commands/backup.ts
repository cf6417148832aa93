/**
 * `zestor backup`: copies a store's file while it is in use.
 *
 * @module
 */
import { dirname } from "../../base/paths.ts";
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { argument, option } from "@optique/core/primitives";
import { quoteText } from "../../base/messages.ts";
import { type Command, defineCommand } from "../command.ts";
import { UsageError } from "../errors.ts";
import { formatOption, pathParser } from "../options.ts";
import { escapeText } from "../../base/escape.ts";
import { type Columns, printRecord } from "../output/formats.ts";
import { assertGranted } from "../permissions.ts";

/** The record of a backup. */
interface Backup {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
}

const COLUMNS: Columns<Backup> = {
  titles: ["PATH", "SIZE"],
  cells: ({ path, size }) => [escapeText(path), `${size} bytes`],
};

/** The command. */
export const backup: Command = defineCommand({
  name: "backup",
  brief:
    message`Copies the store's whole file, as of one moment, while others write.`,
  details:
    message`Only for a store in a file; for PostgreSQL use pg_dump, for etcd use etcdctl snapshot. The command checks the copy before it puts the copy in place. It replaces an existing file only with --force, in one step; make sure that nobody has that file open. It prints a record with path, and size in bytes.`,
  example: "zestor backup backups/monday.db --db app.db",
  permissions: "--allow-read=app.db,backups --allow-write=backups",
  isForFiles: true,
  parser: () =>
    object({
      path: argument(pathParser("FILE"), {
        description: message`The path of the copy.`,
      }),
      force: option("--force", {
        description: message`Replace an existing file.`,
      }),
      format: formatOption(),
    }),
  async run({ openFile, printing, signal }, { path, force, format }) {
    assertPath(path);
    await using store = await openFile("read", {
      action: "back up",
      advice: "use pg_dump",
      assertPermitted: () => assertReplaceable(path, force),
    });
    await store.backup(path, { overwrite: force, signal });
    const { size } = await Deno.stat(path);
    await printRecord({ path, size }, COLUMNS, printing(format));
  },
});

function assertPath(path: string): void {
  if (path !== "" && !path.startsWith("file:")) return;
  throw new UsageError(
    `Cannot back up to ${quoteText(path)}: expected the path of a file`,
  );
}

async function assertReplaceable(path: string, force: boolean): Promise<void> {
  for (const name of ["read", "write"] as const) {
    await assertGranted(name, dirname(path));
  }
  if (force || !await isThere(path)) return;
  throw new UsageError(
    `Cannot back up to ${
      quoteText(path)
    }: there is a file already; give another path, or --force`,
  );
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
