/**
 * A store in a file whose lock another connection holds.
 *
 * @module
 */
import { openStore, type SqliteStore } from "../../../mod.ts";
import { connect, fileAt } from "../connect.ts";
import type { TestDriver } from "../drivers.ts";
import { instrumentedDriver } from "../faults/instrumented_driver.ts";

/** The store, which is open. Disposing of it closes it. */
export interface LockedStore extends AsyncDisposable {
  readonly store: SqliteStore<{ k: number }>;
}

/** Opens a store whose lock is held until its first transaction is tried for the given time. */
export async function lockedStore(
  { name, ...driver }: TestDriver,
  path: string,
  { until, busyTimeout }: {
    readonly until: number;
    readonly busyTimeout?: number;
  },
): Promise<LockedStore> {
  let begins = 0;
  let isHeld = false;
  const release = () => {
    if (isHeld) holder.exec("ROLLBACK");
    isHeld = false;
  };
  const store = await openStore<{ k: number }>({
    path,
    busyTimeout,
    driver: await instrumentedDriver(name, (sql) => {
      if (isHeld && sql === "BEGIN IMMEDIATE" && ++begins === until) release();
    }),
  });
  const holder = await connect({ name, ...driver }, fileAt(path));
  holder.exec("BEGIN IMMEDIATE");
  isHeld = true;
  return {
    store,
    async [Symbol.asyncDispose]() {
      release();
      holder.close();
      await store.close();
    },
  };
}
