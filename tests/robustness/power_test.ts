/**
 * What a loss of power leaves of a store, its backups, and the cursor of the
 * command line. `tests/soak/power.ts` loses power many more times.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { drivers, type TestDriver } from "../support/drivers.ts";
import { assertBackupsSurvive } from "../support/power/backup_losses.ts";
import { assertCursorSurvives } from "../support/power/cursor_losses.ts";
import { powerDirs } from "../support/power/power_dirs.ts";
import { loadRecorder, recorderEnv } from "../support/power/recorder.ts";
import { SMALL_CACHE, vacuum } from "../support/power/scenarios.ts";
import {
  assertStoreSurvives,
  type StoreLosses,
} from "../support/power/store_losses.ts";
import { runChild } from "../support/processes/child.ts";
import { type Random, withSeed } from "../support/random.ts";

const recorder = await loadRecorder();
const [builtin] = drivers;

/** Registers a test, as ignored if nothing can be recorded here. */
function testOn(
  { name: driver, test }: TestDriver,
  name: string,
  fn: (random: Random) => Promise<unknown>,
): void {
  if (recorder.unavailable !== undefined) {
    return Deno.test.ignore(
      `${name} [${driver}] (${recorder.unavailable})`,
      () => {
      },
    );
  }
  test(`${name} [${driver}]`, () =>
    withSeed(name, async (random) => void await fn(random)));
}

function testOnEachDriver(
  name: string,
  fn: (random: Random, driver: TestDriver) => Promise<unknown>,
): void {
  for (const driver of drivers) {
    testOn(driver, name, (random) => fn(random, driver));
  }
}

/** A store that is opened in one journal mode after the other. */
function storeOn(
  driver: TestDriver,
  options: Partial<StoreLosses>,
): StoreLosses {
  return {
    driver: driver.name,
    durability: "full",
    history: 1_000_000,
    tuning: { onOpen: SMALL_CACHE },
    seed: "writes",
    sessions: [
      { wal: true, writes: 18, callers: 4 },
      { wal: false, writes: 18, callers: 4 },
      { wal: true, writes: 4, callers: 1, sql: vacuum(1024) },
    ],
    isUpgraded: false,
    points: 40,
    ...options,
  };
}

for (const durability of ["full", "normal"] as const) {
  testOnEachDriver(
    `C1 C2 with durability "${durability}" a store survives a loss of power`,
    (random, driver) =>
      assertStoreSurvives(random, storeOn(driver, { durability })),
  );
}

testOnEachDriver(
  "another program's file survives a loss of power while it is upgraded",
  (random, driver) =>
    assertStoreSurvives(
      random,
      storeOn(driver, {
        isUpgraded: true,
        durability: random.pick(["full", "normal"]),
        sessions: [{ wal: true, writes: 2, callers: 1 }],
      }),
    ),
);

testOnEachDriver(
  "after a loss of power there is the backup, or the file that it replaces",
  (random, { name }) =>
    assertBackupsSurvive(random, {
      driver: name,
      wal: random.chance(0.5),
      seed: "writes",
      backups: 2,
      writesBetween: 5,
      replaces: true,
      points: 40,
    }),
);

for (const isThere of [false, true]) {
  testOn(
    builtin,
    `the cursor of a watch survives a loss of power${
      isThere ? "" : ", and so does a new one"
    }`,
    (random) =>
      assertCursorSurvives(random, { events: 5, isThere, points: 150 }),
  );
}

testOnEachDriver(
  "`backup()` tells that a directory cannot be synced",
  async (_random, { name }) => {
    await using dirs = await powerDirs();
    // By their numbers in Linux.
    const errors = { EIO: 5, ENOSPC: 28, EINVAL: 22, ENOTSUP: 95 };
    const program = `
      const store = await zestor.openStore({
        path: ":memory:", driver: "${name}",
      });
      await store.set("k", "a", 1);
      const { link } = Deno;
      for (const number of ${JSON.stringify(Object.values(errors))}) {
        // SQLite syncs the directory before.
        Deno.link = async (from, to) => {
          await link(from, to);
          Deno.env.set("ZESTOR_POWER_DIRECTORY_ERROR", String(number));
        };
        const path = "traced/" + number + ".db";
        const told = await store.backup(path).then(() => "done", String);
        Deno.env.delete("ZESTOR_POWER_DIRECTORY_ERROR");
        const copy = await zestor.openStore({ path, driver: "${name}" });
        console.log(told.replace(/"[^"]*"/, "…"), await copy.get("k", "a"));
        await copy.close();
      }
      await store.close();
    `;
    const env = await recorderEnv(dirs);
    const { stdout, stderr } = await runChild(dirs.beside("."), program, {
      permissions: ["-A"],
      env,
    });
    const refused = (reason: string) =>
      `StoreError: Cannot back up to … durably: the copy is in place, but its directory cannot be synced: ${reason}; a loss of power may take the copy: check that the disk works, then back up again with overwrite: true 1`;
    assertEquals({ lines: stdout.split("\n"), stderr }, {
      lines: [
        refused("Input/output error (os error 5)"),
        refused("No space left on device (os error 28)"),
        "done 1",
        "done 1",
      ],
      stderr: "",
    });
  },
);

// What the tests above must see.

const MISTAKES: Record<string, (random: Random) => Promise<unknown>> = {
  "a store that does not sync": (random) =>
    assertStoreSurvives(
      random,
      storeOn(builtin, { tuning: { synchronous: "OFF" } }),
    ),
  "a write-ahead log that is not synced with each commit": (random) =>
    assertStoreSurvives(
      random,
      storeOn(builtin, {
        tuning: { synchronous: "NORMAL" },
        sessions: [{ wal: true, writes: 15, callers: 1 }],
      }),
    ),
  "a rollback journal that is synced once": (random) =>
    assertStoreSurvives(
      random,
      storeOn(builtin, {
        durability: "normal",
        tuning: { synchronous: "NORMAL", onOpen: "PRAGMA page_size = 1024" },
        sessions: [{ wal: false, writes: 12, callers: 1 }],
        points: 900,
      }),
    ),
  "a rollback journal whose deletion is not durable": (random) =>
    assertStoreSurvives(
      random,
      storeOn(builtin, {
        tuning: { synchronous: "FULL" },
        sessions: [{ wal: false, writes: 15, callers: 1 }],
      }),
    ),
  "a file whose name is not durable": (random) =>
    assertStoreSurvives(
      random,
      storeOn(builtin, { ignored: "syncDirectory" }),
    ),
  "a backup whose name is not durable": (random) =>
    assertBackupsSurvive(random, {
      driver: "builtin",
      wal: true,
      seed: "writes",
      backups: 2,
      writesBetween: 5,
      replaces: false,
      points: 100,
      ignored: "syncDirectory",
    }),
  "a cursor that is not synced": (random) =>
    assertCursorSurvives(random, {
      events: 5,
      isThere: true,
      points: 100,
      ignored: "sync",
    }),
};

for (const [mistake, run] of Object.entries(MISTAKES)) {
  testOn(
    builtin,
    `a loss of power shows ${mistake}`,
    (random) =>
      assertRejects(() => run(random), Error, "After a loss of power"),
  );
}
