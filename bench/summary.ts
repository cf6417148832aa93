/**
 * The figures of a run in a few lines, which docs/performance.md shows: every
 * figure on that page comes from here.
 *
 * @module
 */
import type { Spread } from "./measure.ts";
import {
  BETTER_SQLITE,
  DENO_KV,
  digits,
  formatBytes,
  formatRate,
  formatTime,
  type Line,
  LMDB,
  NODE_SQLITE,
  RAW,
  type RowResult,
} from "./results.ts";
import { table } from "./table.ts";

/** The line before the summary in a file. */
export const SUMMARY_START = "<!-- figures: written by deno task bench -->";
/** The line after it. */
export const SUMMARY_END = "<!-- end of figures -->";

/** What the summary calls a row, by the row's name. */
const WORK: Readonly<Record<string, string>> = {
  "get, 90 B": "`get`, 90 B",
  "list, 1 000 × 90 B": "`list` of 1 000 values of 90 B",
  "entries, 1 000 × 90 B": "`entries`, 1 000 of them",
  "set, 90 B": "`set`, 90 B, durable, one caller",
  "set, 4 KiB": "`set`, 4 KiB",
  "set, 64 KiB": "`set`, 64 KiB",
  "set, 100 callers": "`set`, 90 B, 100 callers at once",
  "setAll, 100 000": "`setAll` of 100 000 new values",
};

/** The summary. It also works for a part of the rows. */
export function summaryOf(rows: readonly RowResult[]): string {
  const figures = new Figures(rows);
  return `${speedTable(figures)}\n\n${factsOf(figures).join("\n")}`;
}

function speedTable(figures: Figures): string {
  const [builtin, ffi] = ["store (builtin)", "store (ffi)"];
  const columns: [head: string, subject: string, base: string][] = [
    ["`builtin` / raw", builtin, RAW],
    ["`ffi` / raw", ffi, RAW],
    ["`builtin` / Deno KV", builtin, DENO_KV],
    ["`ffi` / Deno KV", ffi, DENO_KV],
  ];
  return table(
    ["work", ...columns.map(([head]) => head)],
    Object.entries(WORK).map(([row, work]) => [
      work,
      ...columns.map(([, subject, base]) =>
        figures.ratio(row, subject, `speed / ${base}`) ?? "–"
      ),
    ]),
  );
}

/** Sentences. A sentence is left out if its row was not measured. */
function factsOf(figures: Figures): string[] {
  const on = (tell: (driver: string) => string | undefined) => {
    const [builtin, ffi] = [tell("builtin"), tell("ffi")];
    return builtin === undefined || ffi === undefined
      ? builtin
      : `${builtin} (\`ffi\`: ${ffi})`;
  };
  const store = (row: string, rest = "") =>
    on((driver) => figures.time(row, `store (${driver})${rest}`));
  const grown = (row: string) =>
    figures.ratio(row, "store (builtin), 1 M", "time / smallest");
  const facts: [string, ...(string | undefined)[]][] = [
    ["a file of 10 000 entries opens in $", store("open")],
    [
      "after a `set` has resolved, a watch of the same store has its event in $",
      store("watch, own event"),
    ],
    [
      "a watch that catches up reads $ events per second",
      on((driver) => figures.rate("watch, catch-up", `store (${driver})`)),
    ],
    [
      "a `set` without an fsync takes $ until 100 watches have its event",
      store("watchers", ", 100"),
    ],
    [
      "with the change log, a `set` without an fsync takes $ times as long as without the log",
      on((driver) =>
        figures.ratio("change log", `store (${driver})`, "time / no triggers")
      ),
    ],
    [
      "with `expireIn`, a `set` without an fsync takes $ times as long as without `expireIn`",
      on((driver) =>
        figures.ratio(
          "expiry, set",
          `store (${driver}), expireIn`,
          "time / no expiry",
        )
      ),
    ],
    [
      "a `get` of a snapshot takes $ times as long as a `get` of the store",
      on((driver) =>
        figures.ratio(
          "snapshot, get",
          `store (${driver}), snapshot`,
          "time / plain",
        )
      ),
    ],
    [
      "with a million entries, `get` takes $ times as long as with 10 000 entries, and `set` $ times as long",
      grown("size, get"),
      grown("size, set"),
    ],
    [
      "a `set` of 90 B writes $ to the disk, including its share of the checkpoints. Deno KV writes $. If each part of a value of 64 KiB has changed, a `set` writes $, and Deno KV $",
      figures.bytes("bytes written, 90 B", "store (builtin)"),
      figures.bytes("bytes written, 90 B", DENO_KV),
      figures.bytes(
        "bytes written, 64 KiB changed throughout",
        "store (builtin)",
      ),
      figures.bytes("bytes written, 64 KiB changed throughout", DENO_KV),
    ],
    [
      "`lmdb` maps its file into memory. A `get` of 90 B takes $ with `lmdb`, and $ with the store. A `set` by each of 100 callers at once takes $ with `lmdb`, and $ with the store",
      figures.time("get, 90 B", LMDB),
      store("get, 90 B"),
      figures.time("set, 100 callers", LMDB),
      store("set, 100 callers"),
    ],
    [
      "on a table without versions and without a log, a durable `set` of 90 B takes $ with `node:sqlite`. With the store it takes $",
      figures.time("set, 90 B", NODE_SQLITE),
      store("set, 90 B"),
    ],
    [
      "`better-sqlite3` reads the 1 000 values of such a table in $. `list` reads as many from the store in $",
      figures.time("list, 1 000 × 90 B", BETTER_SQLITE),
      store("list, 1 000 × 90 B"),
    ],
  ];
  const onPostgres = (row: string) =>
    figures.ratio(row, "store (PostgreSQL)", "speed / bare");
  facts.push([
    "on PostgreSQL, a `get` is $ times as fast as a bare statement through the same client, and a `set` $ times. If a flush takes 5 ms, 100 `set` calls at once are $ times as fast as 100 bare statements",
    onPostgres("PostgreSQL: get"),
    onPostgres("PostgreSQL: set"),
    onPostgres("PostgreSQL: set, 100 callers, flush of 5 ms"),
  ]);
  return facts.flatMap(([text, ...values]) => {
    if (values.includes(undefined)) return [];
    const filled = text.replaceAll("$", () => values.shift()!);
    return [`- ${filled[0].toUpperCase()}${filled.slice(1)}.`];
  });
}

/** The figures of a run, by row and subject; absent if it has none. */
class Figures {
  readonly #rows: readonly RowResult[];

  constructor(rows: readonly RowResult[]) {
    this.#rows = rows;
  }

  ratio(row: string, subject: string, heading: string): string | undefined {
    const spread: Spread | undefined = this.#line(row, subject)
      ?.ratios[heading];
    return spread && digits(spread.median);
  }

  time(row: string, subject: string): string | undefined {
    return this.#value(row, subject, formatTime);
  }

  bytes(row: string, subject: string): string | undefined {
    return this.#value(row, subject, formatBytes);
  }

  rate(row: string, subject: string): string | undefined {
    const format = (ms: number) => formatRate(1_000 / ms).replace("/s", "");
    return this.#value(row, subject, format);
  }

  #value(
    row: string,
    subject: string,
    format: (value: number) => string,
  ): string | undefined {
    const line = this.#line(row, subject);
    return line && format(line.value.median);
  }

  #line(row: string, subject: string): Line | undefined {
    return this.#rows.find(({ name }) => name === row)
      ?.lines.find((line) => line.subject === subject);
  }
}
