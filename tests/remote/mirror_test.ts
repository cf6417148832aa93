/**
 * Mirrors of a server that cannot be reached for a while, or is put back to an
 * earlier state: what they show changes by differences, and is never empty.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { StoreClosedError, StoreUnavailableError } from "../../mod.ts";
import { briefPatches, PatchedList } from "../../src/testing/mirrors.ts";
import { turn } from "../../src/testing/reading.ts";
import type { DecidedChange } from "../../src/remote/batch_plan.ts";
import {
  openRemoteStore,
  type RemoteStore,
} from "../support/remote/open_remote_store.ts";

type Kinds = { a: number; b: number };

async function withStore(
  test: (store: RemoteStore<Kinds>) => Promise<void>,
  options: { history?: number; busyTimeout?: number } = {},
): Promise<void> {
  await using store = await openRemoteStore<Kinds>({
    longest: 1,
    sweepInterval: 5,
    ...options,
  });
  for (let n = 1; n <= 10; n++) await store.set("a", `${n}`, n);
  await test(store);
}

/** Puts the server back to revision 5, and makes these changes in one step. */
function putBack(
  { server }: RemoteStore<Kinds>,
  changes: readonly DecidedChange[],
): void {
  server.putBack(5);
  const client = "other";
  const writes = [{ checks: [], seen: [], changes, end: "done" }] as const;
  server.handle("hello", { client });
  const reply = server.handle("write", { client, batch: 1, writes });
  assert("ok" in reply && reply.ok);
  server.handle("bye", { client });
}

function put(key: string, value: number): DecidedChange {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  return { kind: "a", key, next: { value: bytes } };
}

/** Keys that the server lost, and other changes at the same revisions. */
const SEQUELS: Record<string, [DecidedChange[], Record<string, number>]> = {
  "nothing new": [[], {}],
  "fewer changes": [[put("6", 60), put("x", 1)], { 6: 60, x: 1 }],
  "as many changes, and the same entries": [
    [6, 7, 8, 9, 10].map((n) => put(`${n}`, n)),
    { 6: 6, 7: 7, 8: 8, 9: 9, 10: 10 },
  ],
  "more changes": [
    [6, 7, 8, 9, 10, 11, 12].map((n) => put(`${n}`, n * 10)),
    { 6: 60, 7: 70, 8: 80, 9: 90, 10: 100, 11: 110, 12: 120 },
  ],
};

for (const [name, [changes, later]] of Object.entries(SEQUELS)) {
  Deno.test(`put back, ${name}: a mirror shows the difference`, () =>
    withStore(async (store) => {
      await using mirror = await store.mirror("a");
      const list = new PatchedList<number>();
      const all = mirror.changes({ initial: true });
      const reader = all.getReader();
      list.apply((await reader.read()).value!.patches);
      let fewest = Infinity;
      const told: string[] = [];
      mirror.addEventListener("change", ({ detail }) => {
        fewest = Math.min(fewest, mirror.size);
        told.push(...briefPatches(detail.patches));
      });
      store.line.deafen();
      putBack(store, changes);
      // It is in order behind what the server has now.
      await store.set("a", "z", 0);
      while (mirror.get("z") !== 0) await turn();
      const first = { 1: 1, 2: 2, 3: 3, 4: 4, 5: 5 };
      assertEquals(Object.fromEntries(mirror), { ...first, ...later, z: 0 });
      assert(fewest >= 5, "it was never empty in between");
      if (name.includes("same")) {
        assertEquals(told, ["entered z after 9"], "what is the same stays");
      }
      while (list.entries.length === 0 || !isThere(list, "z")) {
        list.apply((await reader.read()).value!.patches);
      }
      list.assertIs(mirror);
    }));
}

function isThere({ entries }: PatchedList<number>, key: string): boolean {
  return entries.some((entry) => entry.key === key);
}

Deno.test("a mirror goes on when its server can be reached again", () =>
  withStore(async (store) => {
    await using mirror = await store.mirror("a");
    await using other = await openRemoteStore<Kinds>({
      server: store.server,
      longest: 0,
    });
    for (let round = 0; round < 5; round++) {
      store.line.cut();
      assertEquals(mirror.get("1"), round || 1, "it shows what it has seen");
      // More than the log keeps, from the second round on.
      const keys = Array.from({ length: round * 20 }, (_, n) => `b${n}`);
      await other.setAll("a", keys.map((key) => [key, round] as const));
      const { revision } = await other.set("a", "1", round + 1);
      const reached = mirror.reached(revision);
      store.line.mend();
      await reached;
      assertEquals(new Map(mirror), await other.list("a"));
    }
  }, { history: 10 }));

Deno.test("no mirror is opened of a server that cannot be reached", () =>
  withStore(async (store) => {
    store.line.cut();
    await assertRejects(() => store.mirror("a"), StoreUnavailableError);
    store.line.mend();
    await using mirror = await store.mirror("a");
    assertEquals(mirror.size, 10);
  }, { busyTimeout: 20 }));

Deno.test("a mirror ends at once, whether its server answers or not", () =>
  withStore(async (store) => {
    const stop = new AbortController();
    const aborted = await store.mirror("a", { signal: stop.signal });
    const closed = await store.mirror("a");
    const open = await store.mirror("a");
    store.line.silence();
    const reason = new Error("stop");
    const waiting = [
      assertRejects(() => aborted.reached(100), Error, "stop"),
      assertRejects(() => closed.reached(100), StoreClosedError, "mirror"),
      assertRejects(() => open.reached(100), StoreClosedError),
    ];
    stop.abort(reason);
    await aborted.closed;
    await closed.close();
    await store.close();
    await open.closed;
    await Promise.all(waiting);
  }, { busyTimeout: 20 }));
