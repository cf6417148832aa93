/**
 * Tests of `import`: its writes and its transactions. Other files test the
 * refused lines, and early ends.
 *
 * @module
 */
import { platform } from "../../base/platform.ts";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  ImportError,
  InvalidNameError,
  ValidationError,
} from "../../contract/errors.ts";
import {
  type Cases,
  needing,
  needsImportedVersions,
  needsValueBytes,
} from "../case.ts";
import { entryLine, lineOf, NOTHING, refusedOf, streamOf } from "../lines.ts";
import {
  assertLoopTurns,
  assertSound,
  brief,
  numberedKeys,
  take,
  textOf,
} from "../reading.ts";
import { findCountLater, standardSchema } from "../schemas.ts";
import { fillMany, linesInOneTransaction } from "../sizes.ts";

const TIME = "2001-02-03T04:05:06.789Z";

export const importing: Cases = {
  ...needing(needsImportedVersions, {
    "import writes exported entries identically": async (open, supports) => {
      await using from = await open();
      await using to = await open();
      const values = [
        null,
        "",
        -0,
        1.5e300,
        [],
        {},
        { "__proto__": 1, "": [[{ a: "\u2028\n\0" }]] },
        "\u{10ffff}".repeat(300),
      ];
      for (const [i, value] of values.entries()) {
        await from.set("a", `${i}`, "before");
        await from.set(`kind ${i}`, "k", value);
        await from.set("a", `${i}`, value);
      }
      const result = await to.import(from.export());
      assertEquals(result, { ...NOTHING, lines: 16, created: 16 });
      assertEquals(await textOf(to.export()), await textOf(from.export()));
      const { revision } = (await to.entry("a", "2"))!;
      const original = (await from.entry("a", "2"))!;
      assertEquals(await to.entry("a", "2"), { ...original, revision });
      await assertSound(to, supports);
      // Again, it changes nothing.
      const again = await to.import(from.export());
      assertEquals(again, { ...NOTHING, lines: 16, unchanged: 16 });
      assertEquals(await textOf(to.export()), await textOf(from.export()));
    },
  }),

  ...needing(needsImportedVersions, {
    "import creates with the line's version and time": async (
      open,
      supports,
    ) => {
      await using store = await open();
      const told = { version: 7, updatedAt: TIME };
      await store.import(streamOf(
        entryLine("both", 1, told),
        entryLine("version", 1, { version: 7 }),
        entryLine("neither", 1),
      ));
      const both = await store.entry("a", "both");
      assertEquals([both?.version, both?.updatedAt.toJSON()], [7, TIME]);
      const version = await store.entry("a", "version");
      assertEquals(version?.version, 7);
      assert(version!.updatedAt.toJSON() > TIME);
      assertEquals((await store.entry("a", "neither"))?.version, 1);
      // It goes on from there.
      assertEquals((await store.set("a", "both", 2)).version, 8);
      await assertSound(store, supports);
    },

    "import gives entries versions and times of their own, if asked": async (
      open,
    ) => {
      await using store = await open();
      const text = entryLine("x", 1, { version: 7, updatedAt: TIME });
      await store.import(streamOf(text), { versions: false });
      const timed = await store.entry("a", "x");
      assertEquals([timed?.version, timed?.updatedAt.toJSON()], [1, TIME]);
      await store.delete("a", "x");
      await store.import(streamOf(text), { times: false });
      const versioned = await store.entry("a", "x");
      assertEquals(versioned?.version, 7);
      assert(versioned!.updatedAt.toJSON() > TIME);
    },

    "import writes an existing entry as set does": async (open) => {
      await using store = await open();
      await store.set("a", "same", 1);
      await store.set("a", "other", 1);
      const told = { version: 7, updatedAt: TIME };
      const result = await store.import(streamOf(
        entryLine("same", 1, told),
        entryLine("other", 2, told),
        entryLine("new", 3, told),
        entryLine("new", 4, told),
      ));
      assertEquals(result, {
        ...NOTHING,
        lines: 4,
        created: 1,
        updated: 2,
        unchanged: 1,
      });
      assertEquals((await store.entry("a", "same"))?.version, 1);
      const other = await store.entry("a", "other");
      assertEquals([other?.value, other?.version], [2, 2]);
      assert(other!.updatedAt.toJSON() > TIME);
      assertEquals((await store.entry("a", "new"))?.version, 8);
    },

    "a watch has imported entries, with their versions": async (open) => {
      await using store = await open();
      const watch = store.watch("a").getReader();
      await store.import(streamOf(
        entryLine("x", 1, { version: 7 }) + entryLine("x", 2),
      ));
      assertEquals(brief(await take(watch, 2)), ["create x@7", "update x@8"]);
      await watch.cancel();
    },
  }),

  "import takes only the kinds that are named": async (open) => {
    await using store = await open();
    const lines = ["a", "b", "c"].map((kind) =>
      lineOf({ kind, key: "x", value: 1 })
    );
    const result = await store.import(streamOf(...lines), {
      kinds: ["c", "a"],
    });
    assertEquals(result, { ...NOTHING, lines: 3, created: 2, skipped: 1 });
    assertEquals(await store.kinds(), ["a", "c"]);
  },

  "C2 import writes in transactions, and reports each": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const size = linesInOneTransaction(supports);
    const keys = numberedKeys(2.5 * size);
    const text = keys.map((key) => entryLine(key, 1)).join("");
    const progress: number[] = [];
    const result = await store.import(streamOf(text), {
      onProgress: ({ lines, created }) => progress.push(lines, created),
    });
    assertEquals(progress, [1, 2, 2.5].flatMap((n) => [n * size, n * size]));
    assertEquals(result, {
      ...NOTHING,
      lines: keys.length,
      created: keys.length,
    });
    assertEquals(await store.keys("a"), keys);
  },

  ...needing(needsValueBytes(300_002), {
    "import keeps its transactions small if lines are large": async (
      open,
    ) => {
      await using store = await open();
      const large = "x".repeat(300_000);
      const lines = numberedKeys(10).map((key) => entryLine(key, large));
      const progress: number[] = [];
      await store.import(streamOf(...lines), {
        onProgress: ({ lines }) => progress.push(lines),
      });
      assertEquals(progress, [4, 8, 10]);
    },
  }),

  "C8 a long import lets the event loop turn": async (open) => {
    await using store = await open();
    const text = numberedKeys(20_000).map((key) => entryLine(key, 1)).join("");
    await assertLoopTurns(() => store.import(streamOf(text)));
  },

  "import checks values by their kind's schema": async (open) => {
    const schemas = {
      a: standardSchema(findCountLater),
      doubled: standardSchema((value) => ({ value: (value as number) * 2 })),
    };
    await using store = await open({ schemas });
    const text = entryLine("x", 1) + entryLine("y", -1) +
      lineOf({ kind: "doubled", key: "x", value: 2 });
    const [refused] = await refusedOf(store, text);
    assertEquals(refused.line, 2);
    assertStringIncludes(refused.reason, "Cannot accept the value");
    assertEquals([...await store.list("a")], [["x", 1]]);
    assertEquals(await store.get("doubled", "x"), 4);
    const error = await assertRejects(
      () => store.import(streamOf(entryLine("y", -1))),
      ImportError,
    );
    assertInstanceOf(error.cause, ValidationError);
  },

  "import does not write values that `equals` calls equal": async (open) => {
    await using store = await open({ equals: () => true });
    await store.set("a", "x", 1);
    const result = await store.import(streamOf(entryLine("x", 2)));
    assertEquals(result, { ...NOTHING, lines: 1, unchanged: 1 });
    assertEquals(await store.get("a", "x"), 1);
  },

  "a store can import while it exports": async (open, supports) => {
    await using store = await open();
    await fillMany(store, "a", numberedKeys(1_500), supports);
    const copy = store.export({ kinds: ["a"] })
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(
        new TransformStream<string, string>({
          transform: (text, out) =>
            out.enqueue(text.replaceAll('"kind":"a"', '"kind":"b"')),
        }),
      );
    const result = await store.import(copy);
    assertEquals(result.created, 1_500);
    assertEquals(await store.keys("b"), await store.keys("a"));
  },

  "import refuses invalid streams and options": async (
    open,
  ) => {
    await using store = await open();
    for (const lines of [undefined, "text", [entryLine("x", 1)], {}]) {
      await assertRejects(
        () => store.import(lines as ReadableStream),
        TypeError,
        "ReadableStream",
      );
    }
    await assertRejects(
      () => store.import(streamOf(1 as unknown as string)),
      TypeError,
      "bytes or text, received 1",
    );
    const wrong: [unknown, ErrorConstructor | typeof InvalidNameError][] = [
      [{ kind: "a" }, TypeError],
      [{ kinds: "a" }, TypeError],
      [{ prefix: "a" }, TypeError],
      [{ kinds: [""] }, InvalidNameError],
      [{ versions: 1 }, TypeError],
      [{ times: "no" }, TypeError],
      [{ onRefused: true }, TypeError],
      [{ onProgress: true }, TypeError],
      [{ signal: {} }, TypeError],
    ];
    for (const [options, error] of wrong) {
      const call = () =>
        store.import(streamOf(), options as Record<string, never>);
      await assertRejects(call, error, undefined, platform.inspect(options));
    }
    const locked = streamOf(entryLine("x", 1));
    locked.getReader();
    await assertRejects(() => store.import(locked), TypeError, "locked");
  },
};
