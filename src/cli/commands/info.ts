/**
 * `zestor info`: prints information about a store.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import type { StoreInfo } from "../../sqlite/info.ts";
import type { StoreDescription } from "../stores/settings.ts";
import { type Command, defineCommand, READ_PERMISSIONS } from "../command.ts";
import { formatOption } from "../options.ts";
import { escapeText, nameText } from "../../base/escape.ts";
import { type Columns, printRecord } from "../output/formats.ts";

/** The command. */
export const info: Command = defineCommand({
  name: "info",
  brief:
    message`Prints information about the store: driver, format, sizes, kinds, log.`,
  details:
    message`For a file, the record has path, driver, sqliteVersion, format, codecs, journalMode, checkpoints, size and walSize in bytes, kinds with the count of each, and log: the oldest revision, the newest, and the number of changes. For a PostgreSQL database, it has url without the password, schema, serverVersion, format, codecs, isNotified, size and logSize in bytes, kinds and log. For an etcd cluster, it has url without the password, prefix, etcdVersion, databaseSize in bytes, format, codecs, kinds and log. All of it is of one moment.`,
  example: "zestor info --db app.db",
  permissions: `${READ_PERMISSIONS},app.db-wal`,
  parser: () => object({ format: formatOption() }),
  async run({ openStore, printing, signal }, { format }) {
    await using store = await openStore("inspect");
    const found = withoutAccess(await store.info({ signal }));
    const options = printing(format);
    await (isOfFile(found)
      ? printRecord(found, fileColumns(found), options)
      : printRecord(found, allColumns(found), options));
  },
});

/** The command opens the store read-only, so this property would mislead. */
function withoutAccess(found: StoreDescription): StoreDescription {
  const { readOnly: _, ...rest } = found as StoreDescription & {
    readonly readOnly?: string;
  };
  return rest;
}

function isOfFile(found: StoreDescription): found is StoreInfo {
  return "sqliteVersion" in found;
}

/** A row for each property of the record, and for each kind. */
function allColumns(
  { kinds, log, ...rest }: StoreDescription,
): Columns<StoreDescription> {
  return {
    titles: [...Object.keys(rest).map(titleOf), "LOG", ...titlesOf(kinds)],
    cells: (_, json) => [
      ...Object.values(rest).map((value) =>
        typeof value === "string" ? escapeText(value) : json(value)
      ),
      logText(log),
      ...kinds.map(({ count }) => String(count)),
    ],
  };
}

/** The title of a property: "SERVER VERSION" for "serverVersion". */
function titleOf(name: string): string {
  return name.replace(/[A-Z]/g, " $&").toUpperCase();
}

function titlesOf(kinds: StoreDescription["kinds"]): string[] {
  return kinds.map(({ kind }) => `KIND ${nameText(kind)}`);
}

/** A table has a row for each kind, too. */
function fileColumns({ kinds }: StoreInfo): Columns<StoreInfo> {
  return {
    titles: [
      "PATH",
      "DRIVER",
      "FORMAT",
      "CODECS",
      "JOURNAL",
      "SIZE",
      "LOG",
      ...titlesOf(kinds),
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
      logText(info.log),
      ...info.kinds.map(({ count }) => String(count)),
    ],
  };
}

function logText(log: StoreDescription["log"]): string {
  return log
    ? `${log.count} changes, revisions ${log.oldest} to ${log.newest}`
    : "none";
}
