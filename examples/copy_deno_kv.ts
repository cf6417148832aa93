/**
 * Copies a Deno KV database into a store:
 *
 *     deno run --unstable-kv --allow-read --allow-write examples/copy_deno_kv.ts kv.db app.db
 *
 * The first part of each key becomes the kind, see `nameOf`. An entry that
 * cannot be copied is reported, and the exit code is 1. You can run it again.
 */
import { openStore, StoreError } from "@zestor/store";
import { structured } from "@zestor/store/structured";

/** How many entries one transaction writes. */
const BATCH = 500;

/** Between the parts of a key. */
const SEPARATOR = "/";

/** The kind and the key of an entry: change this to fit your keys. */
function nameOf(key: Deno.KvKey): [kind: string, key: string] {
  const [kind, ...rest] = key.map(textOf);
  return [kind, rest.join(SEPARATOR)];
}

/** How many digits a number in a key has, so that text has the numbers' order. */
const DIGITS = 16;

/** A part of a key as text. Two different parts never have the same text. */
function textOf(part: Deno.KvKeyPart): string {
  if (typeof part === "string") {
    const isNumber = part.length === DIGITS && /^\d+$/.test(part);
    if (!isNumber && !part.includes(SEPARATOR)) return part;
  } else if (Number.isSafeInteger(part) && Number(part) >= 0) {
    return String(part).padStart(DIGITS, "0");
  }
  throw new TypeError(`cannot use ${Deno.inspect(part)} in a key`);
}

/** A `Deno.KvU64` is for Deno KV alone. */
function valueOf(value: unknown): unknown {
  return value instanceof Deno.KvU64 ? value.value : value;
}

const [from, to] = Deno.args;
if (to === undefined) {
  console.error("Give the paths of the Deno KV database and of the store");
  Deno.exit(2);
}

using kv = await Deno.openKv(from);
await using store = await openStore({ path: to, codec: structured });

let batch = store.atomic();
let waiting = 0;
let copied = 0;
for await (const { key, value } of kv.list({ prefix: [] })) {
  try {
    batch.set(...nameOf(key), valueOf(value));
    waiting++;
    copied++;
  } catch (error) {
    // A part that is no text, an empty name, or a value that cannot be cloned.
    if (!(error instanceof TypeError || error instanceof StoreError)) {
      throw error;
    }
    console.error(`${Deno.inspect(key)}: ${error.message}`);
    Deno.exitCode = 1;
  }
  if (waiting === BATCH) {
    await batch.commit();
    batch = store.atomic();
    waiting = 0;
  }
}
await batch.commit();
console.log(`${copied} entries copied`);
