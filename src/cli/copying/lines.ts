/**
 * Entries as the lines of an export: reads them, compares them, and makes them
 * from events.
 *
 * The invariant: two lines have equal content if the entries have the same
 * bytes, version and expiry. So entries are compared without decoding.
 *
 * @module
 */
import type { Reads } from "../../contract/reads.ts";
import type { CreateEvent, UpdateEvent } from "../../contract/watch.ts";
import { compareKeys } from "../../keys/key_order.ts";
import type { Codec } from "../../values/codecs/codec.ts";
import { PLACE_KIND } from "./place.ts";

/** An entry as a line. */
export interface EntryLine {
  readonly kind: string;
  readonly key: string;
  /** The whole line, without the line feed. */
  readonly text: string;
  /** The line without the time of the last change. */
  readonly content: string;
}

/** The lines of one entry in two stores. A line is absent if its store does not have the entry. */
export interface LinePair {
  readonly source?: EntryLine;
  readonly target?: EntryLine;
}

/** The entries of a store, by kind and key, at one moment. */
export async function* linesOf(
  reads: Reads,
  kinds: readonly string[] | undefined,
  signal: AbortSignal,
): AsyncGenerator<EntryLine, void> {
  const decoder = new TextDecoder();
  // A chunk ends at the end of a line.
  for await (const chunk of reads.export({ kinds, signal })) {
    for (const text of decoder.decode(chunk).split("\n")) {
      if (text === "") continue;
      const line = readLine(text);
      if (line.kind !== PLACE_KIND) yield line;
    }
  }
}

const KIND_AT = '{"kind":'.length;
const BEFORE_KEY = ',"key":'.length;

function readLine(text: string): EntryLine {
  const kindEnd = endOfString(text, KIND_AT);
  const keyAt = kindEnd + BEFORE_KEY;
  const keyEnd = endOfString(text, keyAt);
  return {
    kind: JSON.parse(text.slice(KIND_AT, kindEnd)),
    key: JSON.parse(text.slice(keyAt, keyEnd)),
    text,
    content: withoutTime(text),
  };
}

/** The index after the JSON string that begins at `at`. */
function endOfString(text: string, at: number): number {
  for (let end = at + 1;; end++) {
    end = text.indexOf('"', end);
    let backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
}

/** The value comes before the last version, whatever it contains. */
function withoutTime(text: string): string {
  const at = text.lastIndexOf(',"version":');
  const end = text.slice(at).replace(/,"updatedAt":"[^"]*"/, "");
  return text.slice(0, at) + end;
}

/** Pairs the lines of the entries of two stores. Both are ordered by kind and key. */
export async function* pairsOf(
  source: AsyncIterable<EntryLine>,
  target: AsyncIterable<EntryLine>,
): AsyncGenerator<LinePair, void> {
  const sources = source[Symbol.asyncIterator]();
  const targets = target[Symbol.asyncIterator]();
  try {
    let a = await nextOf(sources);
    let b = await nextOf(targets);
    while (a || b) {
      const order = orderOf(a, b);
      yield {
        source: order > 0 ? undefined : a,
        target: order < 0 ? undefined : b,
      };
      if (order <= 0) a = await nextOf(sources);
      if (order >= 0) b = await nextOf(targets);
    }
  } finally {
    await sources.return?.();
    await targets.return?.();
  }
}

async function nextOf<T>(items: AsyncIterator<T>): Promise<T | undefined> {
  const { done, value } = await items.next();
  return done ? undefined : value;
}

function orderOf(a: EntryLine | undefined, b: EntryLine | undefined): number {
  if (!a) return 1;
  if (!b) return -1;
  return compareKeys(a.kind, b.kind) || compareKeys(a.key, b.key);
}

/** The line that creates the entry of an event, with its version and expiry. */
export function lineOfEvent(
  { kind, key, value, version, expiresAt }: CreateEvent | UpdateEvent,
  codec: Codec,
): string {
  const bytes = codec.encode(value).toBase64();
  return JSON.stringify({
    kind,
    key,
    codec: codec.name,
    bytes,
    version,
    expiresAt,
  });
}

/** Lines as a stream, for an import. */
export function streamOf(lines: readonly string[]): ReadableStream<string> {
  return ReadableStream.from(lines.map((line) => `${line}\n`));
}
