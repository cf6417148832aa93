/**
 * Tests of `export`: its lines, that they are of one moment, and how it ends.
 *
 * @module
 */
import { platform } from "../../base/platform.ts";
import {
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { InvalidNameError, StoreClosedError } from "../../contract/errors.ts";
import type { ExportOptions } from "../../contract/transfer.ts";
import type { Cases } from "../case.ts";
import {
  assertLoopTurns,
  fill,
  linesOf,
  next,
  numberedKeys,
  textOf,
} from "../reading.ts";
import { fillMany } from "../sizes.ts";

export const exporting: Cases = {
  "export gives a line for each entry, by kind and key": async (open) => {
    await using store = await open();
    assertEquals(await textOf(store.export()), "");
    await store.set("b", "k", 1);
    await store.set("a", "y", { n: [1, null, "é"] });
    await store.set("a", "x", "first");
    await store.set("a", "x", "second");
    const { updatedAt } = (await store.entry("a", "x"))!;
    const [first, ...others] = (await textOf(store.export())).split("\n");
    assertEquals(
      first,
      `{"kind":"a","key":"x","value":"second","version":2,"updatedAt":"${updatedAt.toJSON()}"}`,
    );
    assertEquals(others.length, 3);
    assertStringIncludes(
      others[0],
      '{"kind":"a","key":"y","value":{"n":[1,null,"é"]},"version":1,"updatedAt":"',
    );
    assertStringIncludes(others[1], '{"kind":"b","key":"k","value":1,');
    assertEquals(others[2], "");
  },

  "export leaves out versions and times, if asked": async (open) => {
    await using store = await open();
    await store.set("a", "x", 1);
    assertEquals(
      await textOf(store.export({ versions: false, times: false })),
      '{"kind":"a","key":"x","value":1}\n',
    );
    const [line] = await linesOf(store.export({ versions: false }));
    assertEquals(Object.keys(line), ["kind", "key", "value", "updatedAt"]);
  },

  "export takes only the kinds that are named": async (open) => {
    await using store = await open();
    for (const kind of ["a", "b", "c"]) await store.set(kind, "x", 1);
    const kindsOf = async (kinds: string[]) =>
      (await linesOf(store.export({ kinds }))).map(({ kind }) => kind);
    assertEquals(await kindsOf(["c", "a", "none"]), ["a", "c"]);
    assertEquals(await kindsOf([]), []);
  },

  "export takes only the keys with a prefix, of each kind": async (open) => {
    await using store = await open();
    for (const kind of ["a", "b"]) {
      await fill(store, kind, ["x", "x/1", "x/\u{10ffff}", "x\uffff", "y"]);
    }
    await fill(store, "c", ["X", "w", "y"]);
    const namesOf = async (options: ExportOptions) =>
      (await linesOf(store.export(options)))
        .map(({ kind, key }) => `${kind} ${key}`);
    assertEquals(await namesOf({ prefix: "x/" }), [
      "a x/1",
      "a x/\u{10ffff}",
      "b x/1",
      "b x/\u{10ffff}",
    ]);
    assertEquals(await namesOf({ prefix: "y", kinds: ["c", "b"] }), [
      "b y",
      "c y",
    ]);
    assertEquals((await namesOf({ prefix: "" })).length, 13);
    assertEquals(await namesOf({ prefix: "none" }), []);
  },

  "export takes a prefix with more keys than a page": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const keys = numberedKeys(2_000);
    await fillMany(store, "a", keys, supports);
    const prefix = keys[1_500].slice(0, -3);
    const found = await linesOf(store.export({ prefix }));
    assertEquals(
      found.map(({ key }) => key),
      keys.filter((key) => key.startsWith(prefix)),
    );
  },

  "export keeps each name and value on its line": async (open) => {
    await using store = await open();
    const hostile = '\n\r\u2028\u0085\u202e"\\\u001b[31m\u{1f600}';
    await store.set(hostile, hostile, { [hostile]: hostile });
    assertEquals((await textOf(store.export())).split("\n").length, 2);
    const [{ kind, key, value }] = await linesOf(store.export());
    assertEquals([kind, key, value], [hostile, hostile, {
      [hostile]: hostile,
    }]);
  },

  "C3 export sees the writes that were called before it is read": async (
    open,
  ) => {
    await using store = await open();
    const writes = [store.set("a", "x", 1), store.set("a", "y", 2)];
    const lines = await linesOf(store.export());
    assertEquals(lines.map(({ key }) => key), ["x", "y"]);
    await Promise.all(writes);
  },

  "export is of one moment while others write": async (
    open,
    supports,
  ) => {
    await using store = await open();
    const keys = numberedKeys(2_000);
    await fillMany(store, "a", keys, supports);
    await fill(store, "b", ["x"]);
    const before = await textOf(store.export());
    const reader = store.export().getReader();
    const chunks = [await next(reader)];
    await store.atomic().set("a", keys[1999], "changed").delete("b", "x")
      .set("a", "zzz", "new").set("c", "new", 1).delete("a", keys[1000])
      .commit();
    const rest = await Array.fromAsync(restOf(reader));
    assertEquals(await new Blob([...chunks, ...rest]).text(), before);
    const after = await linesOf(store.export());
    assertEquals(after.length, 2_001);
  },

  "every chunk of an export ends with a line": async (open, supports) => {
    await using store = await open();
    await fillMany(store, "a", numberedKeys(1_000), supports);
    for await (const chunk of store.export()) {
      assertEquals(chunk.at(-1), "\n".charCodeAt(0));
    }
  },

  "C8 a long export lets the event loop turn": async (open, supports) => {
    await using store = await open();
    await fillMany(store, "a", numberedKeys(30_000), supports);
    await assertLoopTurns(() => textOf(store.export()));
  },

  "an export that is not read to its end can be cancelled": async (
    open,
    supports,
  ) => {
    await using store = await open();
    await fillMany(store, "a", numberedKeys(1_000), supports);
    const reader = store.export().getReader();
    await next(reader);
    await reader.cancel();
    // Nothing is in the way of a write.
    await store.set("a", "x", 1);
    const unread = store.export();
    await unread.cancel();
  },

  "C7 an export errors with the signal's reason": async (open, supports) => {
    await using store = await open();
    await fillMany(store, "a", numberedKeys(1_000), supports);
    const reason = new Error("enough");
    const aborted = store.export({ signal: AbortSignal.abort(reason) });
    assertEquals(await assertRejects(() => textOf(aborted)), reason);
    const controller = new AbortController();
    const reader = store.export({ signal: controller.signal }).getReader();
    await next(reader);
    controller.abort(reason);
    const rest = Array.fromAsync(restOf(reader));
    assertEquals(await assertRejects(() => rest), reason);
  },

  "an export errors when the store closes": async (open, supports) => {
    const store = await open();
    await fillMany(store, "a", numberedKeys(1_000), supports);
    const reader = store.export().getReader();
    await next(reader);
    await store.close();
    const rest = Array.fromAsync(restOf(reader));
    await assertRejects(() => rest, StoreClosedError);
    assertThrows(() => store.export(), StoreClosedError);
  },

  "an export errors at once, whether it is read or not": async (
    open,
    supports,
  ) => {
    const store = await open();
    await fillMany(store, "a", numberedKeys(1_000), supports);
    const reason = new Error("enough");
    const controller = new AbortController();
    const stopped = store.export({ signal: controller.signal }).getReader();
    const stalled = [store.export().getReader(), store.export().getReader()];
    await Promise.all([next(stopped), next(stalled[0])]);
    controller.abort(reason);
    assertEquals(await assertRejects(() => stopped.closed), reason);
    const closed = stalled.map((reader) =>
      assertRejects(() => reader.closed, StoreClosedError)
    );
    await store.close();
    await Promise.all(closed);
  },

  "export refuses invalid options": async (open) => {
    await using store = await open();
    const wrong: [unknown, ErrorConstructor | typeof InvalidNameError][] = [
      [{ kind: "a" }, TypeError],
      [{ kinds: "a" }, TypeError],
      [{ kinds: [""] }, InvalidNameError],
      [{ kinds: [1] }, InvalidNameError],
      [{ prefix: 1 }, InvalidNameError],
      [{ prefix: "\0" }, InvalidNameError],
      [{ prefix: "\ud800" }, InvalidNameError],
      [{ versions: 1 }, TypeError],
      [{ times: "no" }, TypeError],
      [{ signal: {} }, TypeError],
      [["a"], TypeError],
    ];
    for (const [options, error] of wrong) {
      assertThrows(
        () => store.export(options as Record<string, never>),
        error,
        undefined,
        platform.inspect(options),
      );
    }
  },
};

async function* restOf<T>(
  reader: ReadableStreamDefaultReader<T>,
): AsyncGenerator<T> {
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
