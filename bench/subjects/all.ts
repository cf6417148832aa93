/**
 * All subjects, and those that are not available here.
 *
 * @module
 */
import type { Missing } from "../../tests/support/postgres/find_postgres.ts";
import { BETTER_SQLITE, DENO_KV, LMDB, NODE_SQLITE } from "../results.ts";
import type { PostgresServers } from "../postgres/servers.ts";
import { type Binding, loadDbSqlite, nodeSqlite } from "./binding.ts";
import { denoKvSubject } from "./deno_kv.ts";
import { loadKeyv } from "./keyv.ts";
import { loadLmdb } from "./lmdb.ts";
import { loadBetterSqlite, ownTableSubject } from "./own_table.ts";
import { installPeers } from "./npm.ts";
import { rawSubject } from "./raw.ts";
import { type DriverName, memorySubject, storeSubject } from "./store.ts";
import type { Absent, Subject } from "./subject.ts";
import { loadUnstorageFiles, loadUnstorageTable } from "./unstorage.ts";

/** What there is to compare. */
export interface Subjects {
  readonly present: readonly Subject[];
  readonly absent: readonly Absent[];
  /** The binding of each driver that there is. */
  readonly bindings: ReadonlyMap<DriverName, Binding>;
}

/** Loads every subject, of the store on the drivers that are asked for. */
export async function loadSubjects(
  drivers: readonly string[],
  servers: PostgresServers | Missing,
): Promise<Subjects> {
  const present: Subject[] = [];
  const absent: Absent[] = [];
  if ("reason" in servers) {
    absent.push({ name: "store (PostgreSQL)", absent: servers.reason });
  }
  const bindings = new Map<DriverName, Binding>();
  const load = async (
    name: string,
    loadThem: () => Subject[] | Promise<Subject[]>,
  ) => {
    try {
      present.push(...await loadThem());
    } catch (error) {
      absent.push({ name, absent: reasonOf(error) });
    }
  };
  const onDriver = async (
    driver: DriverName,
    loadIt: () => Promise<Binding>,
  ) => {
    if (!drivers.includes(driver)) return;
    await load(`store (${driver})`, async () => {
      const binding = await loadIt();
      bindings.set(driver, binding);
      return [storeSubject(driver), rawSubject(driver, binding)];
    });
  };
  await onDriver("builtin", () => Promise.resolve(nodeSqlite));
  await onDriver("ffi", loadDbSqlite);
  if (drivers.includes("memory")) present.push(memorySubject);
  await load(DENO_KV, () => [denoKvSubject()]);
  const nodeTable = ownTableSubject(NODE_SQLITE, nodeSqlite);
  present.push(nodeTable);
  const whyNone = await installPeers();
  const loadPeer = (name: string, loadIt: () => Subject) =>
    load(name, () => {
      if (whyNone) throw new Error(whyNone);
      return [loadIt()];
    });
  await loadPeer(
    BETTER_SQLITE,
    () => ownTableSubject(BETTER_SQLITE, loadBetterSqlite()),
  );
  await loadPeer(LMDB, loadLmdb);
  await loadPeer("Keyv, SQLite", loadKeyv);
  await loadPeer("unstorage, SQLite", loadUnstorageTable);
  await loadPeer("unstorage, files", loadUnstorageFiles);
  return { present, absent, bindings };
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n")[0];
}
