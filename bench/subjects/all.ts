/**
 * Everything that is compared, and what of it cannot be had here.
 *
 * @module
 */
import { type Binding, loadDbSqlite, nodeSqlite } from "./binding.ts";
import { denoKvSubject } from "./deno_kv.ts";
import { rawSubject } from "./raw.ts";
import { type DriverName, memorySubject, storeSubject } from "./store.ts";
import type { Absent, Subject } from "./subject.ts";

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
): Promise<Subjects> {
  const present: Subject[] = [];
  const absent: Absent[] = [];
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
  const onDriver = async (driver: DriverName, loading: Promise<Binding>) => {
    if (!drivers.includes(driver)) return;
    await load(`store (${driver})`, async () => {
      const binding = await loading;
      bindings.set(driver, binding);
      return [storeSubject(driver), rawSubject(driver, binding)];
    });
  };
  await onDriver("builtin", Promise.resolve(nodeSqlite));
  await onDriver("ffi", loadDbSqlite());
  if (drivers.includes("memory")) present.push(memorySubject);
  await load("Deno KV", () => [denoKvSubject()]);
  return { present, absent, bindings };
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n")[0];
}
