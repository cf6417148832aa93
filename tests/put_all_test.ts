/**
 * Many entries of a kind: which are inserted at once, and which one by one.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { putAll } from "../src/local/put_all.ts";
import type {
  PutResult,
  StatusCounts,
  StoredValue,
} from "../src/local/storage.ts";

/** A storage that notes what it is asked for: keys alone, or in a list if inserted at once. */
function noting(
  insertsAtOnce: number,
  mayInsert: (keys: readonly string[]) => boolean,
) {
  const asked: (string | string[])[] = [];
  return {
    asked,
    insertsAtOnce,
    insertAll(_kind: string, entries: readonly StoredValue[]): boolean {
      const keys = entries.map(({ key }) => key);
      asked.push(keys);
      return mayInsert(keys);
    },
    put(_kind: string, key: string): PutResult {
      asked.push(key);
      return { status: "updated", version: 2 };
    },
  };
}

function entriesOf(keys: string, bytes = 1): StoredValue[] {
  return [...keys].map((key) => ({ key, value: new Uint8Array(bytes) }));
}

/** Runs to the end; gives the result, and how often it may pause. */
function finish(
  steps: Generator<void, StatusCounts>,
): { counts: StatusCounts; pauses: number } {
  let pauses = 0;
  for (;;) {
    const { done, value } = steps.next();
    if (done) return { counts: value, pauses };
    pauses++;
  }
}

Deno.test("whole batches are inserted at once, and the rest is put", () => {
  const storage = noting(3, () => true);
  assertEquals(finish(putAll(storage, "k", entriesOf("abcdefgh"))), {
    counts: { created: 6, updated: 2, unchanged: 0 },
    pauses: 4,
  });
  assertEquals(storage.asked, [["a", "b", "c"], ["d", "e", "f"], "g", "h"]);
});

Deno.test("a batch that is not inserted is put one by one", () => {
  const storage = noting(2, ([first]) => first !== "c");
  assertEquals(finish(putAll(storage, "k", entriesOf("abcdef"))), {
    counts: { created: 4, updated: 2, unchanged: 0 },
    pauses: 4,
  });
  assertEquals(
    storage.asked,
    [["a", "b"], ["c", "d"], "c", "d", ["e", "f"]],
  );
});

Deno.test("entries of many bytes are put one by one", () => {
  const storage = noting(3, () => true);
  finish(putAll(storage, "k", entriesOf("abcd", 600_000)));
  assertEquals(storage.asked, ["a", "b", "c", "d"]);
});

Deno.test("a storage that inserts none at once puts each", () => {
  const storage = noting(0, () => true);
  assertEquals(finish(putAll(storage, "k", entriesOf("abc"))), {
    counts: { created: 0, updated: 3, unchanged: 0 },
    pauses: 3,
  });
  assertEquals(storage.asked, ["a", "b", "c"]);
});

Deno.test("no entries are nothing to do", () => {
  const storage = noting(3, () => true);
  assertEquals(finish(putAll(storage, "k", [])), {
    counts: { created: 0, updated: 0, unchanged: 0 },
    pauses: 0,
  });
  assertEquals(storage.asked, []);
});
