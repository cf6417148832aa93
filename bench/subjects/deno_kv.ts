/**
 * Deno KV on a file, which needs `--unstable-kv`.
 *
 * @module
 */
import type { Value } from "../values.ts";
import type { Subject } from "./subject.ts";

const NAME = "Deno KV";

/** The most that one commit may hold, see https://docs.deno.com/deploy/kv/. */
const MOST_MUTATIONS = 500;
const MOST_BYTES = 700_000;

/** The most that Deno KV reads at once. */
const BATCH_SIZE = 500;

/** Deno KV. */
export const denoKvSubject: Subject = {
  name: NAME,
  family: "peer",
  durability: "loss of power: WAL, one fsync for each commit",
  async open(folder) {
    const kv = await Deno.openKv(`${folder}/deno.kv`);
    return {
      get: async (key) => (await kv.get<Value>(["users", key])).value!,
      set: (key, value) => kv.set(["users", key], value),
      async setAll(entries) {
        const bytes = JSON.stringify(entries[0]).length;
        const most = Math.min(MOST_MUTATIONS, Math.floor(MOST_BYTES / bytes));
        for (let start = 0; start < entries.length; start += most) {
          const atomic = kv.atomic();
          for (const [key, value] of entries.slice(start, start + most)) {
            atomic.set(["users", key], value);
          }
          await atomic.commit();
        }
      },
      async list() {
        const found = new Map<string, Value>();
        const list = kv.list<Value>({ prefix: ["users"] }, {
          batchSize: BATCH_SIZE,
        });
        for await (const { key, value } of list) {
          found.set(key[1] as string, value);
        }
        return found;
      },
      async entries() {
        let count = 0;
        const list = kv.list<Value>({ prefix: ["users"] }, {
          batchSize: BATCH_SIZE,
        });
        for await (const { versionstamp } of list) if (versionstamp) count++;
        return count;
      },
      close: () => kv.close(),
    };
  },
};

/** Why there is no Deno KV, if so. */
export function whyNoDenoKv(): string | undefined {
  return typeof Deno.openKv === "function"
    ? undefined
    : "started without --unstable-kv";
}
