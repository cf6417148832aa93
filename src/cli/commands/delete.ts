/**
 * `zestor delete`: deletes an entry, and prints it; or deletes many entries.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { option } from "@optique/core/primitives";
import type { DeleteAllResult, DeletedEntry } from "../../contract/write.ts";
import {
  type Command,
  type CommandContext,
  defineCommand,
  WRITE_PERMISSIONS,
} from "../command.ts";
import { EntryNotFoundError, UsageError } from "../errors.ts";
import type { NameParsers } from "../names.ts";
import {
  assertOneCondition,
  formatOption,
  ifRevisionOption,
  ifVersionOption,
  keyArgument,
  kindArgument,
  prefixOption,
} from "../options.ts";
import {
  KIND_ENTRY_COLUMNS,
  type KindEntryRecord,
  kindEntryRecord,
} from "../output/entries.ts";
import { type Columns, printRecord } from "../output/formats.ts";

/** A deleted entry, with its properties in the order of printing. */
type DeletedRecord = KindEntryRecord & { readonly deleteRevision: number };

const DELETED_COLUMNS: Columns<DeletedRecord> = {
  titles: [...KIND_ENTRY_COLUMNS.titles, "DELETED AT REVISION"],
  cells: (record, json) => [
    ...KIND_ENTRY_COLUMNS.cells(record, json),
    String(record.deleteRevision),
  ],
};

const ALL_COLUMNS: Columns<DeleteAllResult> = {
  titles: ["DELETED", "REVISION"],
  cells: ({ deleted, revision }) => [String(deleted), String(revision)],
};

function deleteParser(names: NameParsers) {
  return object({
    kind: kindArgument(names),
    key: optional(keyArgument(names)),
    prefix: prefixOption(),
    all: option("--all", { description: message`All entries of the kind.` }),
    ifVersion: ifVersionOption(),
    ifRevision: ifRevisionOption(),
    format: formatOption(),
  });
}

type Options = InferValue<ReturnType<typeof deleteParser>>;

/** The command. */
export const deleteCommand: Command = defineCommand({
  name: "delete",
  brief: message`Deletes an entry, and prints it; or deletes many entries.`,
  details:
    message`It prints a record as "zestor entry" does, with deleteRevision. If there is no such entry, or it has another version or revision, the exit code is 1. With --prefix or --all instead of a key, it deletes many entries in one transaction, and does not ask before. Then it prints a record with deleted, which is their number, and revision.`,
  example: "zestor delete users alice --db app.db",
  permissions: WRITE_PERMISSIONS,
  parser: deleteParser,
  async run(context, options) {
    assertOneCondition("delete", options);
    assertOneChoice(options);
    await (options.key === undefined
      ? deleteMany(context, options)
      : deleteOne(context, options.key, options));
  },
});

function assertOneChoice(options: Options): void {
  const { key, prefix, all, ifVersion, ifRevision } = options;
  const given = [key, prefix, all || undefined]
    .filter((choice) => choice !== undefined).length;
  const problem = given !== 1
    ? "give one of KEY, --prefix and --all"
    : prefix === ""
    ? "an empty --prefix selects every key; give --all instead"
    : key === undefined && (ifVersion ?? ifRevision) !== undefined
    ? "--if-version and --if-revision need a KEY"
    : undefined;
  if (problem) throw new UsageError(`Cannot delete: ${problem}`);
}

async function deleteOne(
  { openStore, printing, signal }: CommandContext,
  key: string,
  { kind, ifVersion, ifRevision, format }: Options,
): Promise<void> {
  await using store = await openStore("write");
  const conditions = { ifVersion, ifRevision };
  const entry = await store.delete(kind, key, { ...conditions, signal });
  if (!entry) throw new EntryNotFoundError("delete", kind, key);
  await printRecord(
    deletedRecord(kind, entry),
    DELETED_COLUMNS,
    printing(format),
  );
}

function deletedRecord(kind: string, entry: DeletedEntry): DeletedRecord {
  const { deleteRevision } = entry;
  return { ...kindEntryRecord(kind, entry), deleteRevision };
}

async function deleteMany(
  { openStore, printing, signal }: CommandContext,
  { kind, prefix, format }: Options,
): Promise<void> {
  await using store = await openStore("write");
  const result = await store.deleteAll(kind, { prefix, signal });
  await printRecord(result, ALL_COLUMNS, printing(format));
}
