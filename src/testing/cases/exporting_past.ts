/**
 * Tests of `export({ at })` and of a snapshot's export: the lines as they were
 * at a past revision.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import type { StoreExportOptions } from "../../contract/mod.ts";
import { InvalidNameError } from "../../contract/errors.ts";
import type { Cases } from "../case.ts";
import {
  assertRejectsWith,
  fill,
  next,
  numberedKey,
  numberedKeys,
  textOf,
} from "../reading.ts";
import { fillMany } from "../sizes.ts";

import { makePast } from "../past.ts";
import { inOrder } from "../reads_of.ts";
export const exportingPast: Cases = {
  "export at: gives the same lines as at that revision": async (open) => {
    await using store = await open();
    const moments = await makePast(store);
    for (const { revision, all } of moments) {
      const at = revision;
      assertEquals(await textOf(store.export({ at })), all.export);
      assertEquals(
        await textOf(store.export({ at, times: false })),
        all["export without times"],
      );
      assertEquals(
        await textOf(store.export({ at, kinds: ["users", "none"] })),
        all["export users"],
      );
    }
  },

  "export at and export of a snapshot take its options": async (open) => {
    await using store = await open();
    await store.setAll("a", { x: 1, xy: 1, z: 1 });
    await store.setAll("b", { x: 1, y: 1 });
    const { revision } = await store.set("c", "xyz", 1);
    await using snapshot = await store.snapshot();
    const options: StoreExportOptions[] = [
      {},
      { kinds: [] },
      { kinds: ["c", "a", "none"] },
      { prefix: "x" },
      { prefix: "xy", kinds: ["a"] },
      { versions: false },
      { times: false, versions: false },
    ];
    const texts = () =>
      Promise.all(options.map((each) => textOf(store.export(each))));
    const before = await texts();
    await store.setAll("a", { x: 2, xyy: 2 });
    await store.deleteAll("b");
    await store.set("d", "x", 1);
    for (const [i, each] of options.entries()) {
      const what = JSON.stringify(each);
      const at = revision;
      assertEquals(await textOf(snapshot.export(each)), before[i], what);
      assertEquals(
        await textOf(store.export({ ...each, at })),
        before[i],
        what,
      );
    }
    assertThrows(
      () => snapshot.export({ at: revision } as StoreExportOptions),
      TypeError,
      "at",
    );
    assertThrows(() => snapshot.export({ kinds: [""] }), InvalidNameError);
  },

  "an export at a revision is of one moment while others write": async (
    open,
    supports,
  ) => {
    await using store = await open();
    await fillMany(store, "a", numberedKeys(2_000), supports);
    await fill(store, "b", ["x"]);
    const before = await textOf(store.export());
    const { revision } = await store.set("c", "x", 1);
    const reader = store.export({ at: revision - 1 }).getReader();
    const chunks = [await next(reader)];
    await store.atomic().set("a", numberedKey(1999), "changed")
      .delete("b", "x").set("a", "zzz", "new").delete("a", numberedKey(1000))
      .commit();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
    }
    assertEquals(await new Blob(chunks).text(), before);
  },

  "an export at a revision can be imported": async (open) => {
    await using store = await open();
    const moments = await makePast(store);
    for (const { revision, all } of moments) {
      await using copy = await open();
      await copy.import(store.export({ at: revision }));
      assertEquals(inOrder(await copy.getAll()), all.getAll);
    }
  },

  "C7 an export at a revision errors with the signal's reason": async (
    open,
  ) => {
    await using store = await open();
    const { revision: at } = await store.set("users", "a", 1);
    const reason = new Error("stop");
    const signal = AbortSignal.abort(reason);
    await assertRejectsWith(
      () => textOf(store.export({ at, signal })),
      reason,
      "export",
    );
    await assertRejectsWith(
      () => store.snapshot({ at, signal }),
      reason,
      "snapshot",
    );
  },
};
