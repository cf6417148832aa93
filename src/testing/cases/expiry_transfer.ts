/**
 * Tests of expiry in exports and imports: lines have the expiry, and entries
 * that have expired meanwhile are not imported.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Cases } from "../case.ts";
import { HOUR, setExpired, SOON } from "../expiring.ts";
import { entryLine, lineOf, NOTHING, refusedOf, streamOf } from "../lines.ts";
import { assertSound, brief, linesOf, next, take, textOf } from "../reading.ts";

const PAST = "2001-02-03T04:05:06.789Z";
const FUTURE = "2999-02-03T04:05:06.789Z";

export const expiryTransfer: Cases = {
  "export has the expiry of an entry": async (open) => {
    await using store = await open();
    await store.set("a", "lasting", 1);
    await store.set("a", "soon", 1, { expireIn: HOUR });
    const { expiresAt } = (await store.entry("a", "soon"))!;
    const [lasting, soon] = await linesOf(store.export());
    assert(!("expiresAt" in lasting));
    assertEquals(soon.expiresAt, expiresAt!.toJSON());
    // It is neither a time of a change nor a version.
    const [, bare] = await linesOf(
      store.export({ versions: false, times: false }),
    );
    assertEquals(bare, {
      kind: "a",
      key: "soon",
      value: 1,
      expiresAt: expiresAt!.toJSON(),
    });
  },

  "C9 export leaves out expired entries": async (open) => {
    await using store = await open();
    await setExpired(store, "a", "gone");
    assertEquals(await textOf(store.export()), "");
  },

  "import creates with the line's expiry": async (open, supports) => {
    await using store = await open();
    const events = store.watch("a").getReader();
    const text = entryLine("x", 1, { expiresAt: FUTURE }) + entryLine("y", 1);
    const result = await store.import(streamOf(text));
    assertEquals(result, { ...NOTHING, lines: 2, created: 2 });
    assertEquals((await store.entry("a", "x"))?.expiresAt?.toJSON(), FUTURE);
    assert(!("expiresAt" in (await store.entry("a", "y"))!));
    const [x, y] = await take(events, 2);
    assert(x.type === "create" && y.type === "create");
    assertEquals([x.expiresAt?.toJSON(), y.expiresAt], [FUTURE, undefined]);
    await assertSound(store, supports);
  },

  "import keeps the line's expiry, also without versions and times": async (
    open,
  ) => {
    await using store = await open();
    const text = entryLine("x", 1, { expiresAt: FUTURE });
    await store.import(streamOf(text), { versions: false, times: false });
    assertEquals((await store.entry("a", "x"))?.expiresAt?.toJSON(), FUTURE);
  },

  "import writes exported entries with their expiries": async (open) => {
    await using from = await open();
    await using to = await open();
    await from.set("a", "x", 1, { expireIn: HOUR });
    await from.set("a", "y", 1);
    await from.set("b", "z", [1], { expireIn: 2 * HOUR });
    const lines = (times: boolean) => textOf(from.export({ times }));
    const result = await to.import(streamOf(await lines(true)));
    assertEquals(result, { ...NOTHING, lines: 3, created: 3 });
    assertEquals(await textOf(to.export({ times: false })), await lines(false));
    // Again, it changes nothing.
    const again = await to.import(from.export());
    assertEquals(again, { ...NOTHING, lines: 3, unchanged: 3 });
  },

  "import writes the expiry of an existing entry as set does": async (open) => {
    await using store = await open();
    await store.set("a", "cleared", 1, { expireIn: HOUR });
    await store.set("a", "given", 1);
    await store.set("a", "replaced", 1, { expireIn: HOUR });
    await store.set("a", "same", 1);
    const result = await store.import(streamOf(
      entryLine("cleared", 1),
      entryLine("given", 1, { expiresAt: FUTURE }),
      entryLine("replaced", 2, { expiresAt: FUTURE }),
      entryLine("same", 1),
    ));
    assertEquals(result, { ...NOTHING, lines: 4, updated: 3, unchanged: 1 });
    const entries = await Array.fromAsync(store.entries("a"));
    assertEquals(
      entries.map(({ key, version, expiresAt }) => [
        key,
        version,
        expiresAt?.toJSON(),
      ]),
      [
        ["cleared", 2, undefined],
        ["given", 2, FUTURE],
        ["replaced", 2, FUTURE],
        ["same", 1, undefined],
      ],
    );
  },

  "import skips the line of an entry that has expired": async (open) => {
    await using store = await open();
    await store.set("a", "there", 1);
    const before = await store.entry("a", "there");
    const events = store.watch("a").getReader();
    const result = await store.import(
      streamOf(
        entryLine("gone", 1, { expiresAt: PAST }),
        entryLine("there", 2, { expiresAt: PAST }),
        entryLine("other", 1),
        lineOf({ kind: "b", key: "x", value: 1, expiresAt: FUTURE }),
      ),
      { kinds: ["a"] },
    );
    assertEquals(result, { ...NOTHING, lines: 4, created: 1, skipped: 3 });
    assertEquals(await store.entry("a", "there"), before);
    assertEquals(brief([await next(events)]), ["create other@1"]);
  },

  "C9 import over an expired entry creates an entry": async (open) => {
    await using store = await open();
    const { revision } = await setExpired(store, "a", "x");
    const result = await store.import(streamOf(entryLine("x", 1)));
    assertEquals(result, { ...NOTHING, lines: 1, created: 1 });
    const entry = (await store.entry("a", "x"))!;
    assertEquals([entry.version, entry.revision], [1, revision + 2]);
    assert(!("expiresAt" in entry));
  },

  "C9 imported entries expire": async (open) => {
    await using store = await open();
    const events = store.watch("a").getReader();
    const expiresAt = new Date(Date.now() + HOUR).toJSON();
    await store.import(streamOf(entryLine("later", 1, { expiresAt })));
    // The time may have passed when the line is read. Then the line is skipped.
    const soon = new Date(Date.now() + SOON).toJSON();
    const { created, skipped } = await store.import(
      streamOf(entryLine("soon", 1, { expiresAt: soon })),
    );
    assertEquals(created + skipped, 1);
    await store.set("a", "probe", 1, { expireIn: 2 * SOON });
    const seen = await take(events, created === 1 ? 5 : 3);
    const gone = seen.filter(({ type }) => type === "delete");
    assertEquals(
      gone.map(({ key }) => key).sort(),
      created === 1 ? ["probe", "soon"] : ["probe"],
    );
    assertEquals(await store.keys("a"), ["later"]);
  },

  "import refuses an invalid expiry": async (open) => {
    await using store = await open();
    const wrong = [
      1,
      null,
      "today",
      "",
      "2999-02-30T25:00:00Z",
      { $date: FUTURE },
    ];
    for (const expiresAt of wrong) {
      const [refused] = await refusedOf(
        store,
        entryLine("ok", 1),
        entryLine("x", 1, { expiresAt }),
      );
      assertEquals(refused.line, 2, JSON.stringify(expiresAt));
      assertStringIncludes(refused.reason, "expiresAt");
    }
    assertEquals(await store.keys("a"), ["ok"]);
  },
};
