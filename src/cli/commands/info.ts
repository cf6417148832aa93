/**
 * `zestor info`: prints what a store is.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import type { StoreInfo } from "../../sqlite/info.ts";
import { type Command, defineCommand, READ_PERMISSIONS } from "../command.ts";
import { formatOption } from "../options.ts";
import { escapeText, nameText } from "../output/escape.ts";
import { type Columns, printRecord } from "../output/formats.ts";

/** The command. */
export const info: Command = defineCommand({
  name: "info",
  brief: message`Prints what the store is: driver, format, sizes, kinds, log.`,
  details:
    message`The record has the names path, driver, sqliteVersion, format, codecs, journalMode, checkpoints, size and walSize in bytes, kinds with the count of each, and log: the oldest revision, the newest, and how many changes there are. It is of one moment.`,
  example: "zestor info --db app.db",
  permissions: `${READ_PERMISSIONS},app.db-wal`,
  parser: () => object({ format: formatOption() }),
  async run({ openStore, printing, signal }, { format }) {
    await using store = await openStore("inspect");
    const found = await store.info({ signal });
    await printRecord(found, columnsOf(found), printing(format));
  },
});

/** A table has a row for each kind, too. */
function columnsOf({ kinds }: StoreInfo): Columns<StoreInfo> {
  return {
    titles: [
      "PATH",
      "DRIVER",
      "FORMAT",
      "CODECS",
      "JOURNAL",
      "SIZE",
      "LOG",
      ...kinds.map(({ kind }) => `KIND ${nameText(kind)}`),
    ],
    cells: (info, json) => [
      escapeText(info.path),
      `${info.driver}, SQLite ${info.sqliteVersion}`,
      String(info.format),
      info.codecs ? json(info.codecs) : "none remembered",
      info.checkpoints === "exclusive"
        ? `${info.journalMode}, checkpoints under the write lock`
        : info.journalMode,
      `${info.size} bytes, write-ahead log ${info.walSize} bytes`,
      logText(info),
      ...info.kinds.map(({ count }) => String(count)),
    ],
  };
}

function logText({ log }: StoreInfo): string {
  return log
    ? `${log.count} changes, revisions ${log.oldest} to ${log.newest}`
    : "none";
}
