/**
 * Reads the entries that `setAll` gets, for every store.
 *
 * @module
 */
import type { EntriesInput } from "../contract/write.ts";
import { describe, quoteText } from "../base/messages.ts";
import { compareKeys, sortByKey } from "../keys/key_order.ts";
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
 * Checks and encodes the entries, and puts them in key order. If a key comes
 * twice, the last value counts. It yields at each place where it may pause.
 *
 * When a value is refused, at once or by an asynchronous schema, it stops
 * reading, because the iterable may have no end.
 */
export function* prepareEntries(
  values: Values,
  kind: string,
  entries: EntriesInput<unknown>,
): Generator<void, PreparedEntry[]> {
  const prepared = new OrderedEntries();
  let refusal: { readonly error: unknown } | undefined;
  const onRefused = (error: unknown) => {
    refusal ??= { error };
  };
  for (const [key, value] of pairsOf(kind, entries)) {
    assertName("key", key);
    const encoded = values.prepare(kind, key, value);
    if (isPromise(encoded)) encoded.then(undefined, onRefused);
    if (!prepared.isNext(key)) yield* prepared.index();
    prepared.add({ key, value: encoded });
    yield;
    if (refusal) throw refusal.error;
  }
  return yield* prepared.inOrder();
}

/** Entries by key. It sorts them only if they do not come in key order. */
class OrderedEntries {
  readonly #first: PreparedEntry[] = [];
  /** All entries by key, once one has come out of order. */
  #byKey: Map<string, PreparedEntry> | undefined;

  /** Whether an entry may be added without an index. */
  isNext(key: string): boolean {
    const last = this.#first.at(-1);
    return this.#byKey !== undefined || last === undefined ||
      compareKeys(last.key, key) < 0;
  }

  /**
   * Builds the index, after which entries may come in any order. Yields at each
   * place where it may pause.
   */
  *index(): Generator<void, void> {
    const byKey = new Map<string, PreparedEntry>();
    for (const entry of this.#first) {
      byKey.set(entry.key, entry);
      yield;
    }
    this.#byKey = byKey;
  }

  /** Adds an entry. It replaces one with the same key. */
  add(entry: PreparedEntry): void {
    if (this.#byKey) this.#byKey.set(entry.key, entry);
    else this.#first.push(entry);
  }

  /** The entries in key order. */
  *inOrder(): Generator<void, PreparedEntry[]> {
    return this.#byKey
      ? yield* sortByKey([...this.#byKey.values()])
      : this.#first;
  }
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

/**
 * Without this check, a promise would be read as an object without properties.
 */
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
