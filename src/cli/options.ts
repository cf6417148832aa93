/**
 * Options that commands share.
 *
 * @module
 */
import { merge, object } from "@optique/core/constructs";
import { envVar, message, text } from "@optique/core/message";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import type { InferValue, Parser } from "@optique/core/parser";
import { argument, option } from "@optique/core/primitives";
import {
  choice,
  integer,
  string,
  type ValueParser,
} from "@optique/core/valueparser";
import type { ChangeType } from "../contract/watch.ts";
import { isOfNewerForm, readCursor } from "../engine/cursor.ts";
import { selectionOf } from "../store/options.ts";
import { UsageError } from "./errors.ts";
import { type Format, FORMATS } from "./output/formats.ts";
import type { NameParsers } from "./names.ts";
import { CODECS } from "./stores/codecs.ts";
import { DB_VARIABLE, DRIVERS, SCHEMA_VARIABLE } from "./stores/settings.ts";

/** The options of all commands, before or after the command's name. */
export const globalOptions = object("Options of every command", {
  db: optional(option("--db", pathParser("PATH"), {
    description:
      message`The store: a file, as a path, a file: URL or a DSN; or a postgres:// or etcd:// URL. Default: ${
        envVar(DB_VARIABLE)
      } in the environment.`,
  })),
  codec: withDefault(
    option("--codec", choice(CODECS, { metavar: "CODEC" }), {
      description: message`The codec of the store's values.`,
      hidden: "usage",
    }),
    "json" as const,
  ),
  driver: optional(
    option("--driver", choice(DRIVERS, { metavar: "DRIVER" }), {
      description: message`The SQLite binding for a file, by default ${
        text("builtin")
      }; ${text("ffi")} needs every permission.`,
      hidden: "usage",
    }),
  ),
  schema: optional(
    option("--schema", string({ metavar: "NAME" }), {
      description: message`The schema in a PostgreSQL database. Default: ${
        envVar(SCHEMA_VARIABLE)
      } in the environment, or "zestor".`,
      hidden: "usage",
    }),
  ),
  color: withDefault(
    option(
      "--color",
      choice(["auto", "always", "never"], { metavar: "WHEN" }),
      {
        description: message`Whether to use colours: ${
          text("auto")
        } does on a terminal, unless ${envVar("NO_COLOR")} is set.`,
        hidden: "usage",
      },
    ),
    "auto" as const,
  ),
  debug: option("--debug", {
    description:
      message`If a command fails, also print the stack and the causes of the error.`,
    hidden: "usage",
  }),
});

/** The values of these options. */
export type GlobalOptions = InferValue<typeof globalOptions>;

/** The kind argument of a command. */
export function kindArgument(
  { kind }: NameParsers,
): Parser<"async", string, unknown> {
  return argument(kind, { description: message`The kind of the entries.` });
}

/** The key argument of a command. */
export function keyArgument(
  { key }: NameParsers,
): Parser<"async", string, unknown> {
  return argument(key, { description: message`The key of the entry.` });
}

/** The format of the output. */
export function formatOption(): Parser<"sync", Format | undefined, unknown> {
  return optional(
    option("--format", choice(FORMATS, { metavar: "FORMAT" }), {
      description: message`The format of the output: ${
        text("ndjson")
      } is a line of JSON for each record.`,
    }),
  );
}

/** The version that an entry must have. */
export function ifVersionOption(): Parser<
  "sync",
  number | undefined,
  unknown
> {
  return optional(
    option("--if-version", integer({ min: 0, metavar: "VERSION" }), {
      description:
        message`Only if the entry has this version; 0 for "does not exist".`,
    }),
  );
}

/** The revision that the last change of an entry must have. */
export function ifRevisionOption(): Parser<
  "sync",
  number | undefined,
  unknown
> {
  return optional(
    option("--if-revision", integer({ min: 0, metavar: "REVISION" }), {
      description:
        message`Only if the last change of the entry has this revision; 0 for "does not exist".`,
    }),
  );
}

/** Conditions on the entry to write. */
export interface Conditions {
  readonly ifVersion: number | undefined;
  readonly ifRevision: number | undefined;
}

/** Throws `UsageError` if there are two conditions. */
export function assertOneCondition(
  action: string,
  { ifVersion, ifRevision }: Conditions,
): void {
  if (ifVersion === undefined || ifRevision === undefined) return;
  throw new UsageError(
    `Cannot ${action}: --if-version and --if-revision exclude each other; give one of them`,
  );
}

/** The revision to read. */
export function atOption(): Parser<"sync", number | undefined, unknown> {
  return optional(
    option("--at", integer({ min: 0, metavar: "REVISION" }), {
      description:
        message`Read the store as it was at this revision, if the change log reaches back to it.`,
    }),
  );
}

/** The beginning of the keys. */
export function prefixOption(): Parser<"sync", string | undefined, unknown> {
  return optional(option("--prefix", string({ metavar: "PREFIX" }), {
    description: message`Only keys that begin with this text.`,
  }));
}

/** The entries of a kind to read, and their order. */
const rangeOptions = object("Which entries", {
  prefix: prefixOption(),
  start: optional(option("--start", string({ metavar: "KEY" }), {
    description: message`The first key, inclusive.`,
  })),
  end: optional(option("--end", string({ metavar: "KEY" }), {
    description: message`The end of the keys, exclusive.`,
  })),
  limit: optional(option("--limit", integer({ min: 0, metavar: "COUNT" }), {
    description: message`The largest number of entries.`,
  })),
  reverse: option("--reverse", {
    description: message`From the last key to the first.`,
  }),
});

/** A kind and a range, for commands that print several entries. */
export function rangeParser(names: NameParsers) {
  return merge(
    object({
      kind: kindArgument(names),
      format: formatOption(),
      at: atOption(),
    }),
    rangeOptions,
  );
}

/** A kind and a key, for commands that print one entry. */
export function entryParser(names: NameParsers) {
  return object({
    kind: kindArgument(names),
    key: keyArgument(names),
    format: formatOption(),
    at: atOption(),
  });
}

/** Throws a `RangeError` if the bounds exclude each other, before anything is opened. */
export function assertRange(
  action: string,
  { prefix, start, end, limit, reverse }: InferValue<typeof rangeOptions>,
): void {
  selectionOf(action, { prefix, start, end, limit, reverse });
}

/** The parts of a store to export or import. */
export function partOptions({ kind }: NameParsers): Parser<
  "async",
  { kinds: string[] | undefined; versions: boolean; times: boolean },
  unknown
> {
  return object("Parts of the store", {
    kinds: map(
      multiple(option("--kind", kind, {
        description: message`Only this kind. You may give it several times.`,
      })),
      (kinds) => kinds.length === 0 ? undefined : [...kinds],
    ),
    versions: map(
      option("--no-versions", {
        description: message`Leave out the entries' versions.`,
      }),
      (without) => !without,
    ),
    times: map(
      option("--no-times", {
        description: message`Leave out the times of the last changes.`,
      }),
      (without) => !without,
    ),
  });
}

const CHANGE_TYPES: readonly ChangeType[] = ["create", "update", "delete"];

/** A place in the change log: a revision, or the text of a cursor. */
export function placeParser(): ValueParser<"sync", string | number> {
  return {
    mode: "sync",
    metavar: "REVISION",
    placeholder: 0,
    format: String,
    parse(place) {
      const revision = Number(place);
      if (/^\d+$/.test(place) && Number.isSafeInteger(revision)) {
        return { success: true, value: revision };
      }
      try {
        readCursor("go on", "after", place);
        return { success: true, value: place };
      } catch {
        return {
          success: false,
          error: isOfNewerForm(place)
            ? message`Expected a cursor of this version or an earlier one, got ${place}: use a newer version.`
            : message`Expected a revision or a cursor, got ${place}.`,
        };
      }
    },
  };
}

/** Types of changes, separated by commas. */
export function changeTypesParser(): ValueParser<"sync", ChangeType[]> {
  const isType = (text: string): text is ChangeType =>
    CHANGE_TYPES.includes(text as ChangeType);
  return {
    mode: "sync",
    metavar: "TYPES",
    placeholder: [],
    format: (types) => types.join(),
    parse(text) {
      const types = text.split(",");
      if (types.every(isType)) return { success: true, value: types };
      return {
        success: false,
        error: message`Expected some of ${CHANGE_TYPES.join()}, got ${text}.`,
      };
    },
    *suggest(prefix) {
      const before = prefix.slice(0, prefix.lastIndexOf(",") + 1);
      for (const type of CHANGE_TYPES) {
        const text = before + type;
        if (text.startsWith(prefix)) yield { kind: "literal", text };
      }
    },
  };
}

/** A path, which shells can complete. */
export function pathParser(
  metavar: "PATH" | "FILE" | "STORE",
): ValueParser<"sync", string> {
  return {
    ...string({ metavar }),
    *suggest(prefix) {
      yield { kind: "file", type: "file", pattern: prefix };
    },
  };
}
