/**
 * Reads what `setAll` is given, for every store.
 *
 * @module
 */
import type { KindCodecs } from "./codec/kind_codecs.ts";
import type { EntriesInput } from "./contract.ts";
import { sortByKey } from "./key_order.ts";
import { assertName } from "./names.ts";

/** A key with its encoded value. */
export interface EncodedEntry {
  readonly key: string;
  readonly value: Uint8Array;
}

/**
 * Encodes the entries and puts them in key order; of a key that comes twice the
 * last value counts. Yields wherever it may pause.
 */
export function* encodeEntries(
  codecs: KindCodecs,
  kind: string,
  entries: EntriesInput<unknown>,
): Generator<void, EncodedEntry[]> {
  const byKey = new Map<string, EncodedEntry>();
  for (const [key, value] of pairsOf(kind, entries)) {
    assertName("key", key);
    byKey.set(key, { key, value: codecs.encode(kind, key, value) });
    yield;
  }
  return yield* sortByKey([...byKey.values()]);
}

function* pairsOf(
  kind: string,
  entries: EntriesInput<unknown>,
): Generator<readonly [string, unknown]> {
  if (typeof entries !== "object" || entries === null) {
    throw notEntries(kind, entries);
  }
  if (!(Symbol.iterator in entries)) {
    for (const key of Object.keys(entries)) yield [key, entries[key]];
    return;
  }
  for (const pair of entries as Iterable<readonly [string, unknown]>) {
    if (!Array.isArray(pair) || pair.length !== 2) throw notEntries(kind, pair);
    yield pair as unknown as readonly [string, unknown];
  }
}

function notEntries(kind: string, received: unknown): TypeError {
  return new TypeError(
    `Cannot setAll of kind ${
      JSON.stringify(kind)
    }: expected a Map, an iterable of [key, value] pairs or an object, received ${
      Deno.inspect(received)
    }`,
  );
}
