/**
 * Compares very many random operations on a store with a model.
 *
 * `deno task soak tests/soak/model.ts --operations=1000000 --store=builtin --history=1000`
 *
 * @module
 */
import { openStore } from "../../mod.ts";
import { openEtcdStore } from "../../src/etcd/open_etcd_store.ts";
import { openMemoryStore } from "../../src/memory/open_memory_store.ts";
import { openPostgresStore } from "../../src/postgres/open_postgres_store.ts";
import { sharedEtcd } from "../support/etcd/shared.ts";
import { freshPrefix } from "../support/etcd/test_etcd.ts";
import type { ModelStore } from "../support/model/operations.ts";
import { simulate } from "../support/model/simulation.ts";
import { sharedPostgres } from "../support/postgres/shared.ts";
import { freshSchema } from "../support/postgres/test_postgres.ts";
import { Random } from "../support/random.ts";
import { tempDir } from "../support/temp_dir.ts";
import { readFlags } from "./flags.ts";

const { operations, store, history, seed } = readFlags({
  operations: 1_000_000,
  /** `builtin`, `ffi`, `memory`, `postgres` or `etcd`. */
  store: "builtin",
  history: 1_000,
});

await using dir = await tempDir();
const report = await simulate(new Random(seed), {
  open: await opening(),
  kept: store !== "memory",
  history,
  operations,
});
console.log(report);

async function opening(): Promise<() => Promise<ModelStore>> {
  const options = { history, durability: "normal" } as const;
  switch (store) {
    case "memory":
      return () => openMemoryStore({ history });
    case "postgres": {
      const { url } = found(await sharedPostgres());
      const place = { url, schema: freshSchema() };
      return () => openPostgresStore({ ...options, ...place });
    }
    case "etcd": {
      const { url } = found(await sharedEtcd());
      const place = { endpoints: [url], prefix: freshPrefix() };
      return () => openEtcdStore({ ...place, history });
    }
    default: {
      const path = dir.file("app.db");
      const driver = store as "builtin" | "ffi";
      return () => openStore({ ...options, path, driver });
    }
  }
}

function found<Server extends object>(
  server: Server | { readonly reason: string },
): Server {
  if ("reason" in server) throw new Error(server.reason);
  return server;
}
