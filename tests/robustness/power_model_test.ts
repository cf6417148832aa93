/**
 * What the simulation of a loss of power takes, and what it does not.
 *
 * @module
 */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { Disk } from "../support/power/disk.ts";
import { losePower } from "../support/power/power_loss.ts";
import type { Step } from "../support/power/trace.ts";
import { withSeed } from "../support/random.ts";

/** What losses of power leave after some steps, as text by name, without repeats. */
async function remainsOf(steps: readonly Step[]): Promise<Set<string>> {
  const disk = new Disk();
  for (const step of steps) disk.apply(step);
  const decoder = new TextDecoder();
  return await withSeed(
    "remains",
    (random) =>
      new Set(Array.from({ length: 500 }, () => {
        const left = [...losePower(disk, random)].sort()
          .map(([name, bytes]) => [name, decoder.decode(bytes)]);
        return JSON.stringify(Object.fromEntries(left));
      })),
  );
}

const write = (text: string, file = 1): Step => ({
  do: "write",
  file,
  at: 0,
  bytes: new TextEncoder().encode(text),
});
const create = (name: string, file = 1): Step => ({
  do: "open",
  file,
  name,
  isEmptied: false,
});
const SYNC: Step = { do: "sync", file: 1 };
const SYNC_DIRECTORY: Step = { do: "syncDirectory" };

const REMAINS: Record<string, { steps: Step[]; remains: object[] }> = {
  "nothing that is synced": {
    steps: [create("a"), write("1"), SYNC, SYNC_DIRECTORY],
    remains: [{ a: "1" }],
  },
  "a name that is not synced": {
    steps: [create("a"), write("1"), SYNC],
    remains: [{}, { a: "1" }],
  },
  "bytes that are not synced": {
    steps: [create("a"), write("1"), SYNC, SYNC_DIRECTORY, write("2")],
    remains: [{ a: "1" }, { a: "2" }],
  },
  "a removal that is not synced": {
    steps: [
      ...[create("a"), write("1"), SYNC, SYNC_DIRECTORY],
      { do: "unlink", name: "a" },
    ],
    remains: [{}, { a: "1" }],
  },
  "a new file's name, and not that of the one it replaces": {
    steps: [
      ...[create("a", 2), write("old", 2), { do: "sync", file: 2 } as const],
      ...[create("b"), write("new"), SYNC, SYNC_DIRECTORY],
      { do: "rename", name: "b", to: "a" },
    ],
    remains: [{ a: "old", b: "new" }, { a: "new" }],
  },
};

for (const [what, { steps, remains }] of Object.entries(REMAINS)) {
  Deno.test(`a loss of power takes ${what}`, async () => {
    const expected = new Set(remains.map((left) => JSON.stringify(left)));
    assertEquals(await remainsOf(steps), expected);
  });
}

Deno.test("a loss of power keeps some sectors of a write, and not others", async () => {
  const before = write("1".repeat(1024));
  const after = write("2".repeat(1024));
  const found = await remainsOf([
    ...[create("a"), before, SYNC, SYNC_DIRECTORY, after],
  ]);
  const sectors = ["1".repeat(512), "2".repeat(512)];
  const expected = sectors.flatMap((first) =>
    sectors.map((second) => JSON.stringify({ a: first + second }))
  );
  assertEquals(found, new Set(expected));
});

Deno.test("a loss of power leaves a size without its bytes", async () => {
  const found = await remainsOf([create("a"), SYNC_DIRECTORY, write("1")]);
  const empty = JSON.stringify({ a: "" });
  const zero = JSON.stringify({ a: "\0" });
  assert(found.has(empty), "the size is lost");
  assert(found.has(zero), "the bytes are lost");
  assertGreater(found.size, 3, "there is noise in their place");
});
