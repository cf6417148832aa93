/**
 * Which keys changed since a revision: each with its first change, looked for
 * in the new part of the log alone.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { compareKeys } from "../src/keys/key_order.ts";
import { ALL_KEYS, isInRange } from "../src/keys/key_range.ts";
import { ChangedKeys } from "../src/local/changed_keys.ts";
import type { Changes } from "../src/local/storage.ts";
import { MemoryStorage } from "../src/memory/memory_storage.ts";
import { withSeed } from "./support/random.ts";
import { KEYS, KINDS, randomRange } from "./support/storage_model.ts";

/** A log of changes whose looks are counted. */
class FakeLog {
  readonly changes: [kind: string, key: string][] = [];
  readonly looks: [kind: string, after: number, until: number][] = [];

  keysOf(since: number): ChangedKeys {
    const log: Pick<Changes, "listChangedKeys"> = {
      listChangedKeys: (kind, range, after, until) => {
        assertEquals(range, ALL_KEYS);
        this.looks.push([kind, after, until]);
        return this.changes
          .map(([kind, key], i) => ({ kind, key, revision: i + 1 }))
          .slice(after, until)
          .filter((change) => change.kind === kind)
          .map(({ key, revision }) => ({ key, revision }));
      },
    };
    return new ChangedKeys(log as Changes, since);
  }
}

Deno.test("the first change of each key since a revision is found, in both directions, while the log grows", () =>
  withSeed("changed keys", (random) => {
    for (let round = 0; round < 50; round++) {
      const log = new FakeLog();
      const grow = () => {
        for (let n = random.below(20); n > 0; n--) {
          log.changes.push([random.pick(KINDS), random.pick(KEYS)]);
        }
      };
      grow();
      const since = random.between(0, log.changes.length);
      const keys = log.keysOf(since);
      for (let step = 0; step < 10; step++) {
        grow();
        const kind = random.pick(KINDS);
        assert(keys.scan(kind, log.changes.length));
        const first = new Map<string, number>();
        for (const [i, change] of log.changes.entries()) {
          if (i < since || change[0] !== kind) continue;
          if (!first.has(change[1])) first.set(change[1], i + 1);
        }
        for (const key of KEYS) {
          assertEquals(keys.firstChange(kind, key), first.get(key));
        }
        const range = randomRange(random);
        const expected = [...first]
          .map(([key, revision]) => ({ key, revision }))
          .filter(({ key }) => isInRange(range, key))
          .sort((a, b) => compareKeys(a.key, b.key));
        assertEquals([...keys.within(kind, range)], expected);
        assertEquals(
          [...keys.within(kind, range, true)],
          expected.toReversed(),
        );
      }
      // No part of the log is looked through twice for a kind.
      for (const kind of KINDS) {
        let seen = since;
        for (const [lookedFor, after, until] of log.looks) {
          if (lookedFor !== kind) continue;
          assertEquals(after, seen);
          assert(until > after);
          seen = until;
        }
      }
    }
  }));

Deno.test("a long log is looked through 10 000 revisions a step", () => {
  const log = new FakeLog();
  for (let n = 0; n < 25_000; n++) log.changes.push(["k", `${n % 3}`]);
  const keys = log.keysOf(2);
  assert(!keys.scan("k", 25_000));
  assertEquals(keys.firstChange("k", "0"), 4);
  assert(!keys.scan("k", 25_000));
  assert(keys.scan("k", 25_000));
  assert(keys.scan("k", 25_000));
  assertEquals(log.looks, [
    ["k", 2, 10_002],
    ["k", 10_002, 20_002],
    ["k", 20_002, 25_000],
  ]);
  assertEquals([...keys.within("k", ALL_KEYS)], [
    { key: "0", revision: 4 },
    { key: "1", revision: 5 },
    { key: "2", revision: 3 },
  ]);
});

Deno.test("a kind that nobody asked for has no changed keys, and is not scanned", () => {
  const storage = new MemoryStorage();
  storage.put("k", "a", { value: new Uint8Array() });
  const keys = new ChangedKeys(storage, 0);
  assertEquals(keys.firstChange("k", "a"), undefined);
  assertEquals([...keys.within("k", ALL_KEYS)], []);
  assert(keys.scan("k", 0));
  assertEquals(keys.firstChange("k", "a"), undefined);
  assert(keys.scan("k", 1));
  assertEquals(keys.firstChange("k", "a"), 1);
});
