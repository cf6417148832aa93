/**
 * Lines to import, for the tests.
 *
 * @module
 */
import type { ImportResult, RefusedLine, Store } from "../contract/mod.ts";

/** A stream of chunks. */
export function streamOf(
  ...chunks: (string | Uint8Array)[]
): ReadableStream<string | Uint8Array> {
  return ReadableStream.from(chunks);
}

/** An object as a line. */
export function lineOf(fields: object): string {
  return JSON.stringify(fields) + "\n";
}

/** The line of an entry of the kind `"a"`. */
export function entryLine(key: string, value: unknown, more = {}): string {
  return lineOf({ kind: "a", key, value, ...more });
}

/** The result of an import of nothing. */
export const NOTHING: ImportResult = {
  lines: 0,
  created: 0,
  updated: 0,
  unchanged: 0,
  skipped: 0,
  refused: 0,
};

/** Imports, and returns the refused lines. */
export async function refusedOf(
  store: Store,
  ...chunks: (string | Uint8Array)[]
): Promise<RefusedLine[]> {
  const refused: RefusedLine[] = [];
  const { refused: count } = await store.import(streamOf(...chunks), {
    onRefused: (line) => refused.push(line),
  });
  if (count !== refused.length) {
    throw new Error(`${refused.length} refused lines were told of ${count}`);
  }
  return refused;
}
