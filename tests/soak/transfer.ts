/**
 * Exports very many entries, of every version and size, imports them elsewhere,
 * and exports them again: both exports must be the same, byte for byte, and
 * take no memory that grows with the entries.
 *
 * `deno task soak tests/soak/transfer.ts --entries=1000000 --driver=builtin`
 *
 * @module
 */
import { createHash } from "node:crypto";
import { openStore, type Store } from "../../mod.ts";
import { Random } from "../support/random.ts";
import { tempDir } from "../support/temp_dir.ts";
import { readFlags } from "./flags.ts";

/** How much larger the process may become while it exports or imports, in bytes. */
const MAX_GROWTH = 256 * 2 ** 20;
/** How many entries are written at once. */
const AT_ONCE = 20_000;

const { entries, driver, seed } = readFlags({
  entries: 1_000_000,
  /** `builtin` or `ffi`. */
  driver: "builtin",
});

await using dir = await tempDir();
const open = (name: string) =>
  openStore({
    path: dir.file(name),
    driver: driver as "builtin" | "ffi",
    durability: "normal",
  });
await using source = await open("source.db");
await using target = await open("target.db");
await fill(source, new Random(seed));

const memory = Deno.memoryUsage().rss;
let peak = memory;
const notePeak = () => peak = Math.max(peak, Deno.memoryUsage().rss);

const file = dir.file("entries.ndjson");
await source.export().pipeThrough(noting())
  .pipeTo((await Deno.open(file, { write: true, create: true })).writable);
const { lines, created, refused } = await target.import(
  (await Deno.open(file)).readable,
  { onProgress: notePeak },
);
const [before, after] = [await hashOf(source), await hashOf(target)];

const growth = Math.round((peak - memory) / 2 ** 20);
const { size } = await Deno.stat(file);
console.log({ lines, created, refused, bytes: size, growth: `${growth} MiB` });
if (created !== entries || before !== after) {
  throw new Error(`The copy is another: ${before}, ${after}`);
}
if (peak - memory > MAX_GROWTH) {
  throw new Error(`The process grew by ${growth} MiB`);
}

/** Writes the entries, and some of them again, so that their versions differ. */
async function fill(store: Store, random: Random): Promise<void> {
  for (let start = 0; start < entries; start += AT_ONCE) {
    const kind = `kind ${random.below(5)}`;
    const count = Math.min(AT_ONCE, entries - start);
    const numbers = Array.from({ length: count }, (_, i) => start + i);
    await store.setAll(kind, numbers.map((n) => [`${n}`, valueOf(n, random)]));
    const again = numbers.filter(() => random.chance(0.1));
    await store.setAll(kind, again.map((n) => [`${n}`, { again: n }]));
  }
}

function valueOf(n: number, random: Random): unknown {
  const size = random.chance(0.001) ? 20_000 : random.below(90);
  return { n, text: random.pick(["é", "\n", "\u2028"]).repeat(size) };
}

async function hashOf(store: Store): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of store.export().pipeThrough(noting())) {
    hash.update(chunk);
  }
  return hash.digest("hex");
}

function noting<T>(): TransformStream<T, T> {
  return new TransformStream({
    transform(chunk, out) {
      notePeak();
      out.enqueue(chunk);
    },
  });
}
