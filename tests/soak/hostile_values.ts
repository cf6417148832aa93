/**
 * Values and names about SQLite's limit of 1 000 000 000 bytes for a row: what
 * is too much is refused with the sizes named, harms nobody who shares the
 * transaction, and the store goes on. It takes up to 5 GB of memory.
 *
 * `deno task soak tests/soak/hostile_values.ts --driver=builtin`
 *
 * @module
 */
import { type Codec, openStore, type Store, StoreError } from "../../mod.ts";
import { readFlags } from "./flags.ts";

const flags = readFlags({ driver: "auto" });
const driver = flags.driver as "auto" | "ffi" | "builtin";

/** Stores bytes as they are. */
const raw: Codec = {
  name: "raw",
  encode: (bytes) => bytes as Uint8Array,
  decode: (bytes) => bytes,
};

{
  await using store = await openStore({ path: ":memory:", driver, codec: raw });
  console.log(`On the driver ${store.driver}`);
  await refuseTooLong(store);
  await refuseTooLongTogether(store);
  await refuseTooLongNames(store);
  equal((await store.keys("k")).join(), "after,before", "the keys");
}
await keepTheLongest();
console.log("all is well");

/** 2^31 is where bindings fail, 2^32 and a little where they cut. */
async function refuseTooLong(store: Store): Promise<void> {
  const sizes = [1_000_000_000, 2 ** 31 - 1, 2 ** 31, 2 ** 32 + 10];
  for (const size of sizes) {
    // Zeros that nobody writes take no memory; the store's copy does.
    const [before, tooLong, after] = await Promise.allSettled([
      store.set("k", "before", bytes(3, size % 200)),
      store.setAll("k", { a: bytes(3, 1), long: new Uint8Array(size) }),
      store.set("k", "after", bytes(3, size % 200)),
    ]);
    assertRefused(tooLong, '"k"/"long"', `${size} bytes`, "1000000000 bytes");
    for (const { status } of [before, after]) {
      equal(status, "fulfilled", "the others");
    }
    console.log(`refused ${size} bytes`);
  }
}

/** The log holds a value and the one before in one row. */
async function refuseTooLongTogether(store: Store): Promise<void> {
  const events = store.watch("k").getReader();
  await store.set("k", "large", bytes(600_000_000, 1));
  const [large, other] = await Promise.allSettled([
    store.set("k", "large", bytes(600_000_000, 2)),
    store.set("k", "before", bytes(4, 4)),
  ]);
  assertRefused(large, "600000000 bytes, and the one before", "delete");
  equal(other.status, "fulfilled", "the other");
  equal((await store.entry("k", "large"))?.version, 1, "the version");
  // As much as fits beside it.
  const smaller = bytes(399_000_000, 3);
  equal((await store.set("k", "large", smaller)).version, 2, "the version");
  await assertBytes((await store.get("k", "large")) as Uint8Array, smaller);
  const seen = [];
  for (let i = 0; i < 3; i++) {
    const { value } = await events.read();
    const { length } = value?.value as Uint8Array;
    seen.push(`${value?.type} ${value?.key} ${length}`);
  }
  equal(
    seen.join(),
    "create large 600000000,update before 4,update large 399000000",
    "the events",
  );
  await events.cancel();
  await store.atomic().delete("k", "large").commit();
  console.log("refused 600 MB in the place of 600 MB");
}

async function refuseTooLongNames(store: Store): Promise<void> {
  const long = "k".repeat(16 * 2 ** 20);
  await store.set(long, long, bytes(1, 1));
  equal((await store.keys(long))[0] === long, true, "a key of 16 MB");
  await store.delete(long, long);
  // Of three bytes each.
  const tooLong = "\uffff".repeat(334_000_000);
  const outcomes = await Promise.allSettled([
    store.set("k", tooLong, bytes(1, 1)),
    store.get("k", tooLong),
    store.delete(tooLong, "k"),
  ]);
  for (const outcome of outcomes) {
    assertRefused(outcome, " 100200000", " 1000000000 bytes");
  }
  console.log("kept a key of 16 MB, refused one of 1 GB");
}

/** All of the limit that the rest of the row leaves. */
async function keepTheLongest(): Promise<void> {
  await using store = await openStore({ path: ":memory:", driver, codec: raw });
  const size = 999_999_900;
  const { status } = await store.set("k", "a", new Uint8Array(size));
  equal(status, "created", "the longest");
  await store.atomic().delete("k", "a").commit();
  equal(await store.count("k"), 0, "the count");
  console.log(`kept ${size} bytes, and deleted them`);
}

function bytes(length: number, filler: number): Uint8Array {
  return new Uint8Array(length).fill(filler);
}

function assertRefused(
  outcome: PromiseSettledResult<unknown>,
  ...parts: string[]
): void {
  const reason = outcome.status === "rejected" ? outcome.reason : outcome;
  if (!(reason instanceof StoreError) || reason.code !== "TOO_LARGE") {
    throw new Error("Expected a StoreError", { cause: reason });
  }
  for (const part of parts) equal(reason.message.includes(part), true, part);
  equal(reason.message.length < 1_000, true, "a short message");
}

async function assertBytes(
  actual: Uint8Array,
  expected: Uint8Array,
): Promise<void> {
  const [a, b] = await Promise.all(
    [actual, expected].map(async (bytes) =>
      new Uint8Array(
        await crypto.subtle.digest("SHA-256", bytes as BufferSource),
      ).toString()
    ),
  );
  equal(a, b, "the digest");
}

function equal<T>(actual: T, expected: T, what: string): void {
  if (actual === expected) return;
  throw new Error(`Expected ${what} to be ${expected}, found ${actual}`);
}
