/**
 * A kind of a million entries: each answer takes a page of it, wherever the page
 * is. The work is counted, not the time.
 *
 * @module
 */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { openStore } from "../../mod.ts";
import type {
  ChangesPage,
  CountAnswer,
  EntriesPage,
  EntryAnswer,
  KindsAnswer,
} from "../../src/inspector/api.ts";
import { drivers } from "../support/drivers.ts";
import { wrappedDriver } from "../support/faults/instrumented_driver.ts";
import { fill, keyOf, MILLION } from "../support/inspector/million.ts";
import { type Given, serveInspector } from "../support/inspector/serve.ts";
import { tempDirInMemory } from "../support/temp_dir.ts";

const [{ test }] = drivers;

test("a million entries are shown by pages, and each reads only its own entries", async () => {
  await using dir = await tempDirInMemory();
  let rows = 0;
  let statements = 0;
  const driver = await wrappedDriver("builtin", ({ method }, carryOut) => {
    const result = carryOut();
    if (method === "all" || method === "get") {
      statements++;
      rows += [result ?? []].flat().length;
    }
    return result;
  });
  const path = dir.file("app.db");
  await fill(path);
  await using store = await openStore({ path, driver });
  await store.set("n", keyOf(500_000), "changed");
  await using served = await serveInspector(store);

  /** An answer, whose work is bounded. */
  async function bounded<T>(name: string, query: Given): Promise<T> {
    rows = statements = 0;
    const answer = await served.get<T>(name, { kind: "n", ...query });
    const what = `${name} ${JSON.stringify(query)}`;
    assertLessOrEqual(rows, 120, what);
    assertLessOrEqual(statements, 20, what);
    return answer;
  }
  const keys = async (query: Given) => {
    const { entries, hasMore } = await bounded<EntriesPage>("entries", query);
    return [entries[0]?.key, entries.at(-1)?.key, hasMore];
  };
  assertEquals(await keys({}), [keyOf(0), keyOf(99), true]);
  assertEquals(await keys({ past: keyOf(700_000) }), [
    keyOf(700_001),
    keyOf(700_100),
    true,
  ]);
  assertEquals(await keys({ past: keyOf(700_000), reverse: 1 }), [
    keyOf(699_999),
    keyOf(699_900),
    true,
  ]);
  assertEquals(await keys({ reverse: 1 }), [
    keyOf(MILLION - 1),
    keyOf(MILLION - 100),
    true,
  ]);
  assertEquals(await keys({ prefix: "00999", past: keyOf(99_950) }), [
    keyOf(99_951),
    keyOf(99_999),
    false,
  ]);
  const at = 1;
  assertEquals(await keys({ past: keyOf(499_990), at }), [
    keyOf(499_991),
    keyOf(500_090),
    true,
  ]);
  const { value } = await bounded<EntryAnswer>("entry", {
    key: keyOf(500_000),
    at,
  });
  assertEquals(value.state === "text" && value.text, "500000");
  const { changes } = await bounded<ChangesPage>("changes", {
    key: keyOf(500_000),
  });
  assertEquals(changes[0].type, "update");
  assertEquals(await bounded<CountAnswer>("count", {}), {
    count: 100_000,
    isMore: true,
  });
  rows = statements = 0;
  const { kinds } = await served.get<KindsAnswer>("kinds");
  assertEquals(kinds.map(({ count }) => count), [MILLION]);
  assertLessOrEqual(rows, 120);
});
