/**
 * `zestor log`: prints the past changes of a kind or a key from the change log.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { integer } from "@optique/core/valueparser";
import type { HistoryChange } from "../../contract/watch.ts";
import { type Command, defineCommand, READ_PERMISSIONS } from "../command.ts";
import { UsageError } from "../errors.ts";
import {
  formatOption,
  keyArgument,
  kindArgument,
  placeParser,
  prefixOption,
} from "../options.ts";
import { nameText } from "../../base/escape.ts";
import { type EventRecord, eventRecord } from "../output/events.ts";
import { type Columns, printRecords } from "../output/formats.ts";

/** A change, with its properties in the order of printing. */
interface ChangeRecord extends EventRecord {
  /** Absent if the log does not have the time. */
  readonly changedAt?: Date;
}

const COLUMNS: Columns<ChangeRecord> = {
  titles: ["REVISION", "CHANGED", "TYPE", "KEY", "VERSION", "VALUE"],
  cells: (
    { revision, changedAt, type, expired, key, version, value },
    json,
  ) => [
    String(revision),
    changedAt?.toISOString() ?? "",
    expired ? `${type} (expired)` : type,
    nameText(key),
    String(version),
    json(value),
  ],
};

const PREVIOUS_COLUMNS: Columns<ChangeRecord> = {
  titles: [...COLUMNS.titles, "PREVIOUS"],
  cells: (record, json) => [
    ...COLUMNS.cells(record, json),
    "previous" in record ? json(record.previous) : "",
  ],
};

/** The command. */
export const log: Command = defineCommand({
  name: "log",
  brief: message`Prints the past changes of a kind, or of one of its keys.`,
  details:
    message`A record has type, kind, key, value, version, revision, changedAt, and expiresAt if the entry expires. A deletion has the deleted value, and expired if the entry had expired. With --previous, an update has the value before as previous. The change log keeps the last changes of the whole store; "zestor info" prints how far back it reaches. If it does not hold every change after --after, the exit code is 3.`,
  example: "zestor log users alice --previous --db app.db",
  permissions: READ_PERMISSIONS,
  parser: (names) =>
    object({
      kind: kindArgument(names),
      key: optional(keyArgument(names)),
      prefix: prefixOption(),
      after: optional(option("--after", placeParser(), {
        description: message`Only changes after this revision or cursor.`,
      })),
      limit: optional(option("--limit", integer({ min: 0, metavar: "COUNT" }), {
        description: message`The largest number of changes.`,
      })),
      reverse: option("--reverse", {
        description: message`From the last change to the first.`,
      }),
      previous: option("--previous", {
        description: message`Also print the value before each update.`,
      }),
      format: formatOption(),
    }),
  async run(
    { openStore, printing, signal },
    { kind, key, format, previous, ...options },
  ) {
    if (key !== undefined && options.prefix !== undefined) {
      throw new UsageError(
        "Cannot read the log: KEY and --prefix exclude each other; give one of them",
      );
    }
    await using store = await openStore("read");
    const changes = store.history(kind, key, { ...options, signal });
    await printRecords(
      records(changes, previous),
      previous ? PREVIOUS_COLUMNS : COLUMNS,
      printing(format),
    );
  },
});

async function* records(
  changes: AsyncIterable<HistoryChange>,
  withPrevious: boolean,
): AsyncIterable<ChangeRecord> {
  for await (const change of changes) {
    const { changedAt } = change;
    const record = eventRecord(change);
    const { previous: _, ...withoutPrevious } = record;
    yield {
      ...withPrevious ? record : withoutPrevious,
      ...changedAt ? { changedAt } : {},
    };
  }
}
