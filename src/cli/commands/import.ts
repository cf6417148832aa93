/**
 * `zestor import`: writes the entries of lines of JSON, and reports each
 * refused line.
 *
 * @module
 */
import { merge, object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { argument } from "@optique/core/primitives";
import type { ImportResult } from "../../contract/transfer.ts";
import { reasonOf } from "../../base/messages.ts";
import { type Command, defineCommand } from "../command.ts";
import { EXIT, UsageError } from "../errors.ts";
import { formatOption, partOptions, pathParser } from "../options.ts";
import { escapeText } from "../../base/escape.ts";
import { type Columns, printRecord } from "../output/formats.ts";
import { writeError } from "../output/output.ts";
import { openProgress } from "../output/progress.ts";
import { assertGranted } from "../permissions.ts";

const NAMES = [
  "lines",
  "created",
  "updated",
  "unchanged",
  "skipped",
  "refused",
] as const;

const COLUMNS: Columns<ImportResult> = {
  titles: NAMES.map((name) => name.toUpperCase()),
  cells: (result) => NAMES.map((name) => String(result[name])),
};

/** The command. */
export const importCommand: Command = defineCommand({
  name: "import",
  brief:
    message`Writes the entries of lines of JSON, as "zestor export" prints them.`,
  details:
    message`It reads a file, or standard input if the file is "-" or absent. A new entry gets the version and the time of its line; an existing entry is written as by "zestor set". Each transaction writes up to 1000 lines, whole or not at all. If a line cannot be imported, an error gives its number; the other lines are written, and the exit code is 2. If none of the first 10 lines is an entry, or none of 100 in a row, it stops, because the input is not lines of JSON. On a terminal, it shows a progress bar. It prints a record with lines, created, updated, unchanged, skipped and refused.`,
  example: "zestor import users.ndjson --db app.db",
  permissions: `--allow-read=app.db,users.ndjson --allow-write=app.db`,
  parser: (names) =>
    merge(
      object({
        file: optional(argument(pathParser("FILE"), {
          description: message`The file of lines; "-" for standard input.`,
        })),
        format: formatOption(),
      }),
      partOptions(names),
    ),
  async run({ openStore, printing, signal }, { file, format, ...options }) {
    const source = await openSource(file);
    const progress = openProgress({ total: source.size, unit: "lines" });
    let bytes = 0;
    const counting = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, out) {
        bytes += chunk.length;
        out.enqueue(chunk);
      },
    });
    await using store = await openStore("create");
    let result: ImportResult;
    try {
      result = await store.import(
        source.stream.pipeThrough(counting),
        {
          ...options,
          signal,
          onProgress: ({ lines }) => progress.show(lines, bytes),
          onRefused({ line, reason }) {
            progress.clear();
            writeError(`zestor: line ${line}: ${escapeText(reason)}`);
          },
        },
      );
    } finally {
      progress.clear();
    }
    await printRecord(result, COLUMNS, printing(format));
    return result.refused > 0 ? EXIT.usage : EXIT.done;
  },
});

interface Source {
  readonly stream: ReadableStream<Uint8Array>;
  /** In bytes. Absent if it is unknown. */
  readonly size?: number;
}

async function openSource(path: string | undefined): Promise<Source> {
  if (path === undefined || path === "-") {
    return { stream: Deno.stdin.readable };
  }
  await assertGranted("read", path);
  try {
    const file = await Deno.open(path);
    const { size, isFile, isDirectory } = await file.stat();
    if (isDirectory) throw new Error("it is a directory");
    return { stream: file.readable, size: isFile ? size : undefined };
  } catch (cause) {
    throw new UsageError(`Cannot read ${path}: ${reasonOf(cause)}`, { cause });
  }
}
