/**
 * Tests of how `import` distinguishes a stream that is not NDJSON from one with
 * some wrong lines.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import type { RefusedLine } from "../../contract/transfer.ts";
import { ImportError } from "../../contract/errors.ts";
import type { Cases } from "../case.ts";
import { entryLine, lineOf, refusedOf, streamOf } from "../lines.ts";
import { numberedKeys } from "../reading.ts";

export const importFormat: Cases = {
  "import stops if the stream is not NDJSON": async (open) => {
    await using store = await open();
    const entries = numberedKeys(300).map((key) => ({
      kind: "a",
      key,
      value: { of: [key, {}] },
    }));
    const texts = [
      JSON.stringify(entries, null, 2),
      entries.map((entry) => JSON.stringify(entry, null, 2)).join("\n"),
      "kind,key,value\n" + "a,x,1\n".repeat(300),
      '{"id":1}\n\n'.repeat(300),
      "{}\n".repeat(300),
    ];
    for (const text of texts) {
      const refused: RefusedLine[] = [];
      const progress: number[] = [];
      const error = await assertRejects(
        () =>
          store.import(streamOf(text), {
            onRefused: (line) => refused.push(line),
            onProgress: ({ refused }) => progress.push(refused),
          }),
        ImportError,
        "expected NDJSON, one object a line",
      );
      assertEquals(error.line, 1);
      assertEquals(refused.length, 10);
      assertEquals(progress, [10]);
      await assertRejects(
        () => store.import(streamOf(text)),
        ImportError,
        "expected NDJSON, one object a line",
      );
    }
    assertEquals(await store.count("a"), 0);
  },

  "import says once what it expects, also for a short stream": async (
    open,
  ) => {
    await using store = await open();
    const entry = { kind: "a", key: "x", value: 1 };
    for (const indent of [undefined, 2]) {
      const told = await refusedOf(
        store,
        JSON.stringify([entry], null, indent),
      );
      const hints = told.map(({ reason }) =>
        reason.includes("expected NDJSON")
      );
      assertEquals(hints, [true, ...Array(told.length - 1).fill(false)]);
    }
    // The writer of the lines knows their form.
    const [{ reason }] = await refusedOf(store, lineOf(entry) + "[]");
    assertEquals(reason, "expected an object, received an array");
  },

  "import keeps the entries that it wrote before it stops": async (open) => {
    await using store = await open();
    const good = numberedKeys(5).map((key) => entryLine(key, 1)).join("");
    const error = await assertRejects(
      () =>
        store.import(streamOf(good + "?\n".repeat(100) + good), {
          onRefused() {},
        }),
      ImportError,
      "none of the lines 6 to 105 is an entry",
    );
    assertEquals(error.line, 6);
    assertEquals(await store.keys("a"), numberedKeys(5));
  },

  "import goes on while there are entries, however many it refuses": async (
    open,
  ) => {
    await using store = await open();
    const bad = "?\n".repeat(99);
    const entries = [
      entryLine("x", 1),
      lineOf({ kind: "skipped", key: "x", value: 1 }),
      lineOf({ kind: "a", key: "y", codec: "none", bytes: "MQ==" }),
    ];
    const text = "?\n".repeat(9) +
      entries.map((entry) => entry + bad).join("");
    const refused: RefusedLine[] = [];
    const result = await store.import(streamOf(text), {
      kinds: ["a"],
      onRefused: (line) => refused.push(line),
    });
    assertEquals(
      [result.lines, result.created, result.skipped, result.refused],
      [309, 1, 1, 307],
    );
    assertEquals(refused.length, 307);
    // Lines of entries may all be refused.
    const none = lineOf({ kind: "a", key: "y", codec: "none", bytes: "MQ==" });
    assertEquals((await refusedOf(store, none.repeat(300))).length, 300);
  },
};
