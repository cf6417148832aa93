/**
 * Everything that is compared, and what of it cannot be had here.
 *
 * @module
 */
import { loadDbSqlite, nodeSqlite } from "./binding.ts";
import { denoKvSubject, whyNoDenoKv } from "./deno_kv.ts";
import { rawSubject } from "./raw.ts";
import { memorySubject, storeSubject } from "./store.ts";
import type { Absent, Subject } from "./subject.ts";

/** Loads every subject. */
export async function loadSubjects(): Promise<(Subject | Absent)[]> {
  const loads: [string, () => Subject[] | Promise<Subject[]>][] = [
    ["store (builtin)", () => [
      storeSubject("builtin"),
      rawSubject("builtin", nodeSqlite),
    ]],
    ["store (ffi)", async () => {
      const binding = await loadDbSqlite();
      return [storeSubject("ffi"), rawSubject("ffi", binding)];
    }],
    ["store (memory)", () => [memorySubject]],
    ["Deno KV", () => {
      const reason = whyNoDenoKv();
      if (reason) throw new Error(reason);
      return [denoKvSubject];
    }],
  ];
  const loaded = await Promise.all(loads.map(async ([name, load]) => {
    try {
      return await load();
    } catch (error) {
      return [{ name, absent: reasonOf(error) }];
    }
  }));
  return loaded.flat();
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n")[0];
}
