/**
 * Prints data: as JSON, as newline-delimited JSON, as YAML or as a table. Many
 * records are printed as they come, in constant memory.
 *
 * @module
 */
import { escapeJson } from "../../base/escape.ts";
import { flowText } from "../../values/text/flow.ts";
import type { Output } from "./output.ts";

/** The names of the formats. */
export const FORMATS = ["json", "ndjson", "yaml", "table"] as const;

/** The name of a format. */
export type Format = typeof FORMATS[number];

/** How many rows a table takes at once, to find their widths. */
const PAGE = 200;

/** A value as JSON text; `indent` is in spaces. Throws if JSON cannot express it. */
export type ToJson = (value: unknown, indent?: number) => string;

/** The columns of a table for a kind of record. */
export interface Columns<T> {
  /** The titles of the columns. */
  readonly titles: readonly string[];
  /** A record's cells. `json` shows any value on one line. */
  cells(record: T, json: (value: unknown) => string): string[];
}

/** The output, and the format. */
export interface PrintOptions {
  readonly output: Output;
  readonly format: Format;
  readonly toJson: ToJson;
}

/** Prints one record: in a table, a row for each of its fields. */
export async function printRecord<T>(
  record: T,
  { titles, cells }: Columns<T>,
  { output, format, toJson }: PrintOptions,
): Promise<void> {
  const json = (indent?: number) => escapeJson(toJson(record, indent));
  switch (format) {
    case "ndjson":
      return await output.write(`${json()}\n`);
    case "json":
      return await output.write(`${json(indentOf(output))}\n`);
    case "yaml": {
      const { yamlText } = await import("../../values/text/yaml.ts");
      return await output.write(yamlText(record));
    }
    case "table": {
      const { Table } = await import("./table.ts");
      const row = cells(record, (value) => cellText(value, toJson));
      return await output.write(new Table(output).fields(titles, row));
    }
  }
}

/** Prints records: in a table, a row for each. */
export async function printRecords<T>(
  records: Records<T>,
  columns: Columns<T>,
  options: PrintOptions,
): Promise<void> {
  for await (const text of textsOf(records, columns, options)) {
    await options.output.write(text);
  }
}

/** Records, as they come. */
export type Records<T> = AsyncIterable<T> | Iterable<T>;

function textsOf<T>(
  records: Records<T>,
  columns: Columns<T>,
  options: PrintOptions,
): AsyncIterable<string> {
  switch (options.format) {
    case "ndjson":
      return lineTexts(records, options);
    case "json":
      return arrayTexts(records, options);
    case "yaml":
      return yamlTexts(records);
    case "table":
      return tableTexts(records, columns, options);
  }
}

async function* lineTexts(
  records: Records<unknown>,
  { toJson }: PrintOptions,
): AsyncIterable<string> {
  for await (const record of records) yield `${escapeJson(toJson(record))}\n`;
}

async function* arrayTexts(
  records: Records<unknown>,
  { output, toJson }: PrintOptions,
): AsyncIterable<string> {
  const indent = indentOf(output);
  const [first, next, last] = indent
    ? ["[\n", ",\n", "\n]\n"]
    : ["[", ",", "]\n"];
  let before = first;
  for await (const record of records) {
    const text = escapeJson(toJson(record, indent));
    yield before + (indent ? text.replace(/^/gm, "  ") : text);
    before = next;
  }
  yield before === first ? "[]\n" : last;
}

async function* yamlTexts(records: Records<unknown>): AsyncIterable<string> {
  const { yamlItem } = await import("../../values/text/yaml.ts");
  let isEmpty = true;
  for await (const record of records) {
    yield yamlItem(record);
    isEmpty = false;
  }
  if (isEmpty) yield "[]\n";
}

async function* tableTexts<T>(
  records: Records<T>,
  { titles, cells }: Columns<T>,
  { output, toJson }: PrintOptions,
): AsyncIterable<string> {
  const { Table } = await import("./table.ts");
  const table = new Table(output);
  const json = (value: unknown) => cellText(value, toJson);
  const rows: string[][] = [];
  let header = true;
  const page = () => {
    const text = header ? table.header(titles, rows) : "";
    header = false;
    return text + table.page(rows.splice(0));
  };
  for await (const record of records) {
    rows.push(cells(record, json));
    if (rows.length === PAGE) yield page();
  }
  if (header || rows.length > 0) yield page();
}

/** A value in a cell: as JSON, or as YAML if JSON cannot express it. */
function cellText(value: unknown, toJson: ToJson): string {
  try {
    return escapeJson(toJson(value));
  } catch {
    return flowText(value);
  }
}

/** JSON has several lines if a person looks at it. */
function indentOf({ columns }: Output): number | undefined {
  return columns === undefined ? undefined : 2;
}
