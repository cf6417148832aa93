/**
 * Reads what `setAll` is given, for every store.
 *
 * @module
 */
import type { EntriesInput } from "../contract/write.ts";
import { describe, quoteText } from "../base/messages.ts";
import { sortByKey } from "../keys/key_order.ts";
import { assertName } from "../keys/names.ts";
import { isRecord } from "../base/options.ts";
import { isPromise, type MaybePromise } from "../base/promises.ts";
import type { Prepared, Values } from "../values/values.ts";

/** A key with its value. */
export interface PreparedEntry {
  readonly key: string;
  readonly value: MaybePromise<Prepared>;
}

/**
 * Checks and encodes the entries, and puts them in key order; of a key that
 * comes twice the last value counts. Yields wherever it may pause.
 *
 * It reads no further when a value was refused, at once or by a schema that is
 * asynchronous: there may be no end of them.
 */
export function* prepareEntries(
  values: Values,
  kind: string,
  entries: EntriesInput<unknown>,
): Generator<void, PreparedEntry[]> {
  const byKey = new Map<string, PreparedEntry>();
  let refusal: { readonly error: unknown } | undefined;
  const onRefused = (error: unknown) => {
    refusal ??= { error };
  };
  for (const [key, value] of pairsOf(kind, entries)) {
    assertName("key", key);
    const prepared = values.prepare(kind, key, value);
    if (isPromise(prepared)) prepared.then(undefined, onRefused);
    byKey.set(key, { key, value: prepared });
    yield;
    if (refusal) throw refusal.error;
  }
  return yield* sortByKey([...byKey.values()]);
}

function* pairsOf(
  kind: string,
  entries: EntriesInput<unknown>,
): Generator<readonly [string, unknown]> {
  if (!isEntries(entries)) throw notEntries(kind, entries);
  if (!(Symbol.iterator in entries)) {
    for (const key of Object.keys(entries)) yield [key, entries[key]];
    return;
  }
  for (const pair of entries as Iterable<readonly [string, unknown]>) {
    if (!Array.isArray(pair) || pair.length !== 2) throw notEntries(kind, pair);
    yield pair as unknown as readonly [string, unknown];
  }
}

function isIterable(entries: unknown): entries is Iterable<unknown> {
  return typeof entries === "object" && entries !== null &&
    Symbol.iterator in entries;
}

/** Of a promise, say, the properties would be looked at, and it has none. */
function isEntries(entries: unknown): entries is EntriesInput<unknown> {
  return isIterable(entries) ||
    (isRecord(entries) && !isPromise(entries) &&
      !(Symbol.asyncIterator in entries));
}

function notEntries(kind: string, received: unknown): TypeError {
  return new TypeError(
    `Cannot setAll of kind ${
      quoteText(kind)
    }: expected a Map, an iterable of [key, value] pairs or an object, received ${
      describe(received)
    }`,
  );
}
