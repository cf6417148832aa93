/**
 * What processes do that lose power, made at random.
 *
 * @module
 */
import type { TestDriver } from "../drivers.ts";
import type { Random } from "../random.ts";
import { assertBackupsSurvive } from "./backup_losses.ts";
import { assertCursorSurvives } from "./cursor_losses.ts";
import { assertStoreSurvives, type StoreLosses } from "./store_losses.ts";
import type { Session } from "./traced_programs.ts";

/** Something that loses power at many moments. */
export interface Scenario {
  /** What it is, for the report. */
  readonly name: string;
  /** Runs it, and judges what is left each time. Gives the steps of the trace. */
  run(random: Random): Promise<number>;
}

/** What may lose power: a store, its backups, the command line's cursor. */
export type Subject = "store" | "backup" | "cursor";

/** How a scenario is made. */
export interface ScenarioOptions {
  /** What it is of: one of these. */
  readonly subjects: readonly Subject[];
  readonly drivers: readonly TestDriver["name"][];
  /** At how many moments power is lost. */
  readonly points: number;
}

/** More changes than any scenario makes. */
const WHOLE_HISTORY = 1_000_000;

/** SQLite's cache and its checkpoints are small, so that a short trace has all that it does. */
export const SMALL_CACHE =
  "PRAGMA cache_size = 10; PRAGMA wal_autocheckpoint = 20";

/** Makes a scenario. */
export function randomScenario(
  random: Random,
  { subjects, drivers, points }: ScenarioOptions,
): Scenario {
  const driver = random.pick(drivers);
  switch (random.pick(subjects)) {
    case "backup": {
      const options = {
        driver,
        wal: random.chance(0.5),
        replaces: random.chance(0.5),
        backups: random.between(1, 4),
        writesBetween: random.between(0, 20),
        seed: seedOf(random),
        points,
      };
      return {
        name: `backup ${JSON.stringify(options)}`,
        run: (random) => assertBackupsSurvive(random, options),
      };
    }
    case "cursor": {
      const events = random.between(1, 20);
      const options = { events, isThere: random.chance(0.5), points };
      return {
        name: `cursor ${JSON.stringify(options)}`,
        run: (random) => assertCursorSurvives(random, options),
      };
    }
    case "store": {
      const options = randomStore(random, driver, points);
      return {
        name: `store ${JSON.stringify(options)}`,
        run: (random) => assertStoreSurvives(random, options),
      };
    }
  }
}

function randomStore(
  random: Random,
  driver: TestDriver["name"],
  points: number,
): StoreLosses {
  const pageSize = random.pick([512, 1024, 4096, 16384]);
  return {
    driver,
    durability: random.pick(["full", "normal"]),
    history: random.pick([20, WHOLE_HISTORY]),
    tuning: { onOpen: `PRAGMA page_size = ${pageSize}; ${SMALL_CACHE}` },
    seed: seedOf(random),
    sessions: randomSessions(random),
    isUpgraded: random.chance(0.2),
    points,
  };
}

function randomSessions(random: Random): Session[] {
  return Array.from({ length: random.between(1, 4) }, () => ({
    wal: random.chance(0.5),
    writes: random.between(0, 25),
    callers: random.between(1, 8),
    ...(random.chance(0.2) && { sql: vacuum(random.pick([1024, 8192])) }),
  }));
}

/**
 * SQL that writes the whole file anew, with pages of another size. With less
 * than EXTRA it cuts the file after a deletion of its journal that is not
 * durable, and a loss of power may corrupt it.
 */
export function vacuum(pageSize: number): string {
  return `PRAGMA synchronous = EXTRA; PRAGMA journal_mode = DELETE;
    PRAGMA page_size = ${pageSize}; VACUUM`;
}

function seedOf(random: Random): string {
  return `${random.seed}/writes`;
}
