/**
 * Tests of versions at the largest safe integer: readable values are kept, and
 * no write creates an unreadable version.
 *
 * @module
 */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { Store } from "../../contract/store.ts";
import { ImportError, StoreError } from "../../contract/errors.ts";
import {
  type Cases,
  needing,
  needsImportedVersions,
  type Open,
  type OpenForTest,
} from "../case.ts";
import { entryLine, NOTHING, refusedOf, streamOf } from "../lines.ts";
import { assertSound, brief, numberedKeys, take, textOf } from "../reading.ts";
import { keysOfOneWrite } from "../sizes.ts";
import type { Manifest } from "../supports.ts";

const LAST = Number.MAX_SAFE_INTEGER;

const REFUSAL = `its version is ${LAST}, which is the largest possible`;

/** A store with an entry of the largest version, `"a"/"x"`. */
async function openWithLast(open: Open, options?: OpenForTest): Promise<Store> {
  const store = await open(options);
  await store.import(streamOf(entryLine("x", 1, { version: LAST })));
  return store;
}

/** Every operation that writes another value. */
const writesOf = (
  supports: Manifest,
): Record<string, (store: Store) => Promise<unknown>> => ({
  set: (store) => store.set("a", "x", 2),
  "set with ifVersion": (store) => store.set("a", "x", 2, { ifVersion: LAST }),
  update: (store) => store.update("a", "x", () => 2),
  setAll: (store) => store.setAll("a", { w: 2, x: 2, y: 2 }),
  "setAll of many": (store) =>
    store.setAll(
      "a",
      ["x", ...keysOfOneWrite(501, supports).slice(1)].map((key) =>
        [key, 2] as const
      ),
    ),
  "atomic update": (store) =>
    store.atomic().set("a", "w", 2).update("a", "x", () => 2).commit(),
  atomic: (store) =>
    store.atomic().set("a", "w", 2).set("a", "x", 2).set("b", "y", 2).commit(),
});

export const numberLimits: Cases = needing(needsImportedVersions, {
  "a version at the end of safe integers comes back from everywhere": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const watch = store.watch("a").getReader();
    for (const [key, version] of [["x", LAST - 1], ["y", LAST]] as const) {
      await store.import(streamOf(entryLine(key, 1, { version })));
    }
    assertEquals((await store.set("a", "x", 2)).version, LAST);
    assertEquals(brief(await take(watch, 3)), [
      `create x@${LAST - 1}`,
      `create y@${LAST}`,
      `update x@${LAST}`,
    ]);
    await watch.cancel();
    await using copy = await open();
    await copy.import(store.export());
    assertEquals(await textOf(copy.export()), await textOf(store.export()));
    await assertSound(store, supports);
    const told = await refusedOf(
      store,
      entryLine("z", 1),
      entryLine("z", 1, { version: LAST + 1 }),
      entryLine("z", 1, { version: 2 ** 60 }),
    );
    assertEquals(told.map(({ line }) => line), [2, 3]);
    assertStringIncludes(told[0].reason, `an integer from 1 to ${LAST}`);
  },

  "no write makes a version that cannot be read back": async (
    open,
    supports,
  ) => {
    for (
      const equals of [
        undefined,
        (_: string, a: unknown, b: unknown) => a === b,
      ]
    ) {
      await using store = await openWithLast(open, equals && { equals });
      const before = await textOf(store.export());
      const watch = store.watch("a").getReader();
      for (const [name, write] of Object.entries(writesOf(supports))) {
        const error = await assertRejects(
          () => write(store),
          StoreError,
          REFUSAL,
          name,
        );
        assertStringIncludes(error.message, '"a"/"x"');
        assertEquals(await textOf(store.export()), before, name);
      }
      // The same value is a no-op.
      const { status, version } = await store.set("a", "x", 1);
      assertEquals([status, version], ["unchanged", LAST]);
      // As the error says.
      assertEquals((await store.delete("a", "x"))?.version, LAST);
      assertEquals((await store.set("a", "x", 2)).version, 1);
      assertEquals(brief(await take(watch, 2)), [
        `delete x@${LAST}`,
        "create x@1",
      ]);
      await watch.cancel();
      await assertSound(store, supports);
    }
  },

  "C4 a write past the last version fails no other": async (open, supports) => {
    await using store = await openWithLast(open);
    const others = numberedKeys(3).map((key) => store.set("a", key, 1));
    const refused = Object.values(writesOf(supports)).map((write) =>
      assertRejects(() => write(store), StoreError, REFUSAL)
    );
    const last = store.set("b", "x", 1);
    await Promise.all([...others, ...refused, last]);
    assertEquals(await store.keys("a"), [...numberedKeys(3), "x"]);
    assertEquals(await store.get("a", "x"), 1);
    assertEquals(await store.get("b", "x"), 1);
    await assertSound(store, supports);
  },

  "import refuses a line past the last version, and writes the others": async (
    open,
    supports,
  ) => {
    await using store = await openWithLast(open);
    const lines = [
      entryLine("w", 1),
      entryLine("x", 2),
      entryLine("x", 1),
      entryLine("y", 1, { version: LAST }) + entryLine("y", 2),
    ];
    const told: string[] = [];
    const result = await store.import(streamOf(...lines), {
      onRefused: ({ line, reason }) => told.push(`${line} ${reason}`),
    });
    assertEquals(result, {
      ...NOTHING,
      lines: 5,
      created: 2,
      unchanged: 1,
      refused: 2,
    });
    assertEquals(told.map((text) => text[0]), ["2", "5"]);
    for (const text of told) assertStringIncludes(text, REFUSAL);
    await assertRejects(
      () => store.import(streamOf(entryLine("x", 2))),
      ImportError,
      REFUSAL,
    );
    await assertSound(store, supports);
  },
});
