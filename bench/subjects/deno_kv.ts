/**
 * Deno KV on a file, which needs `--unstable-kv`.
 *
 * @module
 */
import { DENO_KV } from "../results.ts";
import type { Value } from "../values.ts";
import type { Session, Subject } from "./subject.ts";

/** The most that one commit may hold, see https://docs.deno.com/deploy/kv/. */
const MOST_MUTATIONS = 500;
const MOST_BYTES = 700_000;

/** The most that Deno KV reads at once. */
const BATCH_SIZE = 500;

/** Deno KV; throws where there is none. */
export function denoKvSubject(): Subject {
  if (typeof Deno.openKv !== "function") {
    throw new Error("started without --unstable-kv");
  }
  return {
    name: DENO_KV,
    family: "peer",
    isDurable: true,
    durability: "WAL, one fsync for each commit",
    setsAllBy: `a transaction for each ${MOST_MUTATIONS}`,
    open: async (folder) => sessionOf(await Deno.openKv(`${folder}/deno.kv`)),
  };
}

function sessionOf(kv: Deno.Kv): Session {
  const list = () =>
    kv.list<Value>({ prefix: ["users"] }, { batchSize: BATCH_SIZE });
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
      for await (const { key, value } of list()) {
        found.set(key[1] as string, value);
      }
      return found;
    },
    async entries() {
      let count = 0;
      for await (const { versionstamp } of list()) if (versionstamp) count++;
      return count;
    },
    close: () => kv.close(),
  };
}
