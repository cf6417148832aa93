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

/** The options that go with every command, before its name or after it. */
export const globalOptions = object("Options of every command", {
  db: optional(option("--db", pathParser("PATH"), {
    description:
      message`The store: a file, as a path, a file: URL or a DSN; or a postgres:// or an etcd:// URL. Without it, ${
        envVar(DB_VARIABLE)
      } in the environment.`,
  })),
  codec: withDefault(
    option("--codec", choice(CODECS, { metavar: "CODEC" }), {
      description: message`What the store keeps its values in.`,
      hidden: "usage",
    }),
    "json" as const,
  ),
  driver: optional(
    option("--driver", choice(DRIVERS, { metavar: "DRIVER" }), {
      description: message`The SQLite binding of a file, by default ${
        text("builtin")
      }; ${text("ffi")} needs every permission.`,
      hidden: "usage",
    }),
  ),
  schema: optional(
    option("--schema", string({ metavar: "NAME" }), {
      description: message`The schema in a PostgreSQL database. Without it, ${
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
      message`Where a command fails, print where, and what was behind it.`,
    hidden: "usage",
  }),
});

/** What the options of every command come to. */
export type GlobalOptions = InferValue<typeof globalOptions>;

/** The kind that a command is about. */
export function kindArgument(
  { kind }: NameParsers,
): Parser<"async", string, unknown> {
  return argument(kind, { description: message`The kind of the entries.` });
}

/** The key of the entry that a command is about. */
export function keyArgument(
  { key }: NameParsers,
): Parser<"async", string, unknown> {
  return argument(key, { description: message`The key of the entry.` });
}

/** How to print data. */
export function formatOption(): Parser<"sync", Format | undefined, unknown> {
  return optional(
    option("--format", choice(FORMATS, { metavar: "FORMAT" }), {
      description: message`How to print: ${
        text("ndjson")
      } is a line of JSON for each record.`,
    }),
  );
}

/** Which version an entry has to have. */
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

/** Which revision the last change of an entry has to have. */
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

/** Conditions on the entry that is written. */
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

/** As of which revision to read. */
export function atOption(): Parser<"sync", number | undefined, unknown> {
  return optional(
    option("--at", integer({ min: 0, metavar: "REVISION" }), {
      description:
        message`As it was at this revision, if the change log still reaches it.`,
    }),
  );
}

/** What the keys begin with. */
export function prefixOption(): Parser<"sync", string | undefined, unknown> {
  return optional(option("--prefix", string({ metavar: "PREFIX" }), {
    description: message`Only keys that begin with this.`,
  }));
}

/** Which entries of a kind, and in which order. */
const rangeOptions = object("Which entries", {
  prefix: prefixOption(),
  start: optional(option("--start", string({ metavar: "KEY" }), {
    description: message`The first key, inclusive.`,
  })),
  end: optional(option("--end", string({ metavar: "KEY" }), {
    description: message`The end of the keys, exclusive.`,
  })),
  limit: optional(option("--limit", integer({ min: 0, metavar: "COUNT" }), {
    description: message`At most so many entries.`,
  })),
  reverse: option("--reverse", {
    description: message`From the last key to the first.`,
  }),
});

/** A kind and which of its entries, as the commands that print several take them. */
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

/** A kind and a key, as the commands that print one entry take them. */
export function entryParser(names: NameParsers) {
  return object({
    kind: kindArgument(names),
    key: keyArgument(names),
    format: formatOption(),
    at: atOption(),
  });
}

/** Throws a `RangeError` for bounds that exclude each other, before anything is opened. */
export function assertRange(
  action: string,
  { prefix, start, end, limit, reverse }: InferValue<typeof rangeOptions>,
): void {
  selectionOf(action, { prefix, start, end, limit, reverse });
}

/** What of a store to export or import. */
export function partOptions({ kind }: NameParsers): Parser<
  "async",
  { kinds: string[] | undefined; versions: boolean; times: boolean },
  unknown
> {
  return object("What of the store", {
    kinds: map(
      multiple(option("--kind", kind, {
        description: message`Only this kind; may be given several times.`,
      })),
      (kinds) => kinds.length === 0 ? undefined : [...kinds],
    ),
    versions: map(
      option("--no-versions", {
        description: message`Without the entries' versions.`,
      }),
      (without) => !without,
    ),
    times: map(
      option("--no-times", {
        description: message`Without the times of their last changes.`,
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

/** A path, which shells complete. */
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
