/**
 * Failures of SQLite while a store is opened, one at each call of the driver:
 * a lock is waited for; else the opening is refused, the file is as it was, and
 * nothing of it is held.
 *
 * @module
 */
import {
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import {
  openStore,
  type SqliteStore,
  StoreBusyError,
  StoreOpenError,
  type StoreOptions,
} from "../../mod.ts";
import { SqlError } from "../../src/sqlite/driver/mod.ts";
import { existsSync } from "node:fs";
import { connect, fileAt } from "../support/connect.ts";
import { type TestDriver, testOnEachDriver } from "../support/drivers.ts";
import {
  failAt,
  failFrom,
  type Failure,
  type Fault,
  Faults,
  faultyDriver,
  type Step,
} from "../support/faults/faulty_driver.ts";
import { wrappedDriver } from "../support/faults/instrumented_driver.ts";
import { FrozenTime } from "../support/manual_time.ts";
import { type TempDir, tempDirInMemory } from "../support/temp_dir.ts";

/** How a file was made, and how it is opened. */
interface Case {
  readonly make: (driver: TestDriver, path: string) => Promise<void>;
  readonly options?: Partial<StoreOptions>;
  readonly query?: string;
  /** Of its entry k/a, 0 where it has none. */
  readonly version: number;
}

const CASES: Record<string, Case> = {
  "a new file": { make: async () => {}, version: 0 },
  "the reference's file": { make: makeReferenceFile, version: 3 },
  "a store's file": { make: makeStoreFile, version: 1 },
  "a store's file, without a write-ahead log": {
    make: makeStoreFile,
    options: { wal: false },
    version: 1,
  },
  "a store's file, read-only": {
    make: makeStoreFile,
    query: "?mode=ro",
    version: 1,
  },
};

async function makeReferenceFile(
  driver: TestDriver,
  path: string,
): Promise<void> {
  using connection = await connect(driver, fileAt(path));
  connection.exec(`
    CREATE TABLE zestor_kv (kind TEXT NOT NULL, key TEXT NOT NULL,
      value BLOB NOT NULL, version INTEGER NOT NULL DEFAULT 1,
      updated_at TEXT NOT NULL, PRIMARY KEY (kind, key));
    INSERT INTO zestor_kv VALUES ('k', 'a', '1', 3, '2024-01-01T00:00:00.000Z')`);
}

async function makeStoreFile({ name }: TestDriver, path: string) {
  await using store = await openStore({ path, driver: name, wal: false });
  await store.set("k", "a", 1);
}

/** A file of a case in a directory of its own, made anew for each opening. */
class Subject {
  readonly #driver: TestDriver;
  readonly #case: Case;
  readonly #dir: TempDir;
  readonly faults = new Faults();
  #before: unknown;

  constructor(driver: TestDriver, of: Case, dir: TempDir) {
    this.#driver = driver;
    this.#case = of;
    this.#dir = dir;
  }

  get #path(): string {
    return this.#dir.file("app.db");
  }

  /** Makes what is copied for each opening. */
  async prepare(): Promise<void> {
    await this.#case.make(this.#driver, this.#dir.file("template"));
    this.anew();
    this.#before = await this.#contents();
  }

  /** Puts it back. Not asynchronously, here and below: that takes longer than the work. */
  anew(): void {
    const template = this.#dir.file("template");
    if (existsSync(this.#path)) Deno.removeSync(this.#path);
    if (existsSync(template)) Deno.copyFileSync(template, this.#path);
  }

  /** Opens it; what is waited for takes no time. */
  async open(options: Partial<StoreOptions> = {}): Promise<SqliteStore> {
    using time = new FrozenTime();
    let isSettled = false;
    const opening = this.#open(options).finally(() => isSettled = true);
    // It is awaited below.
    opening.catch(() => {});
    await time.until(() => isSettled, () => "openStore()");
    return await opening;
  }

  async #open(options: Partial<StoreOptions>): Promise<SqliteStore> {
    return await openStore({
      path: `file:${this.#path}${this.#case.query ?? ""}`,
      driver: await faultyDriver(this.#driver.name, this.faults),
      ...this.#case.options,
      ...options,
    });
  }

  /** Sees that the file is as it was. */
  async assertUnchanged(): Promise<void> {
    assertEquals(await this.#contents(), this.#before);
  }

  async #contents(): Promise<unknown> {
    using connection = await connect(this.#driver, fileAt(this.#path));
    const tables = connection.prepare(
      "SELECT name, sql FROM sqlite_schema ORDER BY name",
    ).all();
    return tables.map(({ name, sql }) => ({
      sql,
      rows: /^zestor_(kv|changes|meta)$/.test(name as string)
        ? connection.prepare(`SELECT * FROM ${name}`).all()
        : [],
    }));
  }

  /** Sees that nothing is held, nor left beside the file, and that it can be opened. */
  async assertReleased(): Promise<void> {
    assertEquals(this.faults.open, 0);
    this.faults.lift();
    const files = [...Deno.readDirSync(this.#dir.path)]
      .map(({ name }) => name)
      .filter((name) => !/^(template|app\.db)$/.test(name));
    assertEquals(files, []);
    // As if of another SQLite library: that is refused while the file is open.
    const another = await wrappedDriver(this.#driver.name, (_, run) => run());
    await using store = await this.open({
      driver: { ...another, name: "another" },
    });
    const entry = await store.entry("k", "a");
    assertEquals(entry?.version ?? 0, this.#case.version);
  }
}

interface OpeningStep extends Step {
  /** Whether the file has been brought to the format by then. */
  readonly isUpgraded: boolean;
}

/** Does it for each call of the driver, of each case. */
async function forEachStep(
  driver: TestDriver,
  verify: (subject: Subject, step: OpeningStep) => Promise<void>,
): Promise<void> {
  for (const [name, of] of Object.entries(CASES)) {
    await using dir = await tempDirInMemory();
    const subject = new Subject(driver, of, dir);
    await subject.prepare();
    subject.anew();
    subject.faults.inject(() => undefined);
    await (await subject.open()).close();
    const steps = [...subject.faults.steps];
    assertGreater(steps.length, 5);
    const commit = steps.find(({ sql }) => sql === "COMMIT");
    for (const step of steps) {
      const isUpgraded = commit !== undefined && step.number > commit.number;
      try {
        await verify(subject, { ...step, isUpgraded });
      } catch (cause) {
        const { number, method, sql } = step;
        const { message } = cause as Error;
        const where = `${name}, at ${number} (${method} ${sql})`;
        throw new Error(`${where}: ${message}`, { cause });
      }
    }
  }
}

testOnEachDriver(
  "`openStore()` waits for a lock at any one call of the driver",
  (driver) =>
    forEachStep(driver, async (subject, { number, sql }) => {
      // No lock is in the way of these.
      if (/^(PRAGMA busy_timeout|ROLLBACK)/.test(sql)) return;
      subject.anew();
      subject.faults.inject(
        failAt(number, { failure: "busy", effect: "nothing" }),
      );
      await (await subject.open()).close();
      assertEquals(subject.faults.injected.length, 1);
      await subject.assertReleased();
    }),
);

testOnEachDriver(
  "`openStore()` that fails at any one call of the driver leaves the file as it was",
  (driver) =>
    forEachStep(
      driver,
      async (subject, { number, transaction, isUpgraded }) => {
        const alike: Failure[] = ["full", "io", "corrupt"];
        const failure = alike[number % 3];
        const faults: Fault[] = [{ failure, effect: "nothing" }];
        if (transaction) faults.push({ failure: "io", effect: "rollback" });
        for (const fault of faults) {
          subject.anew();
          subject.faults.inject(failAt(number, fault));
          const error = await assertRejects(
            () => subject.open(),
            StoreOpenError,
          );
          assertInstanceOf(error.cause, SqlError);
          assertEquals(error.cause.failure, fault.failure);
          if (!isUpgraded) await subject.assertUnchanged();
          await subject.assertReleased();
        }
      },
    ),
);

testOnEachDriver(
  "`openStore()` gives up if a failure lasts, and holds nothing",
  (driver) =>
    forEachStep(driver, async (subject, { number, isUpgraded }) => {
      const failure = number % 2 === 0 ? "busy" : "io";
      subject.anew();
      subject.faults.inject(failFrom(number, { failure, effect: "nothing" }));
      await assertRejects(
        () => subject.open({ busyTimeout: 3 }),
        failure === "busy" ? StoreBusyError : StoreOpenError,
      );
      subject.faults.lift();
      if (!isUpgraded) await subject.assertUnchanged();
      await subject.assertReleased();
    }),
);
