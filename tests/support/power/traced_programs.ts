/**
 * The programs that are traced. Each prints a line when something has been
 * acknowledged to it: what is printed before a loss of power must survive it.
 *
 * @module
 */
import { openStore, type StoreOptions } from "../../../mod.ts";
import type { TestDriver } from "../drivers.ts";
import type { Value } from "../model/operations.ts";
import { perform } from "../model/operations.ts";
import { runProgram, tell } from "../processes/peer_side.ts";
import { Random } from "../random.ts";
import { tunedDriver, type Tuning } from "./tuned_driver.ts";
import { writeOf } from "./writes.ts";

/** A store that is opened, written to, and closed. */
export interface Session {
  readonly wal: boolean;
  readonly writes: number;
  /** How many writes may be under way at once. */
  readonly callers: number;
  /** SQL of another program, which has the file before. */
  readonly sql?: string;
}

/** What is written to one file. */
export interface WriteArgs {
  readonly path: string;
  readonly driver: TestDriver["name"];
  readonly durability: NonNullable<StoreOptions["durability"]>;
  readonly history: number;
  readonly tuning: Tuning;
  readonly seed: string;
  readonly sessions: readonly Session[];
}

/** Writes, in one session after the other; prints the number of each write that has settled. */
async function write(args: WriteArgs): Promise<void> {
  const { path, durability, history, sessions } = args;
  const driver = await tunedDriver(args.driver, args.tuning);
  const random = new Random(args.seed);
  let n = 0;
  for (const { wal, writes, callers, sql } of sessions) {
    if (sql !== undefined) {
      const connection = driver.open({ path, mode: "rwc" });
      connection.exec(sql);
      connection.close();
    }
    await using store = await openStore<Record<string, Value>>({
      path,
      driver,
      durability,
      history,
      wal,
    });
    const running = new Set<Promise<void>>();
    for (const end = n + writes; n < end; n++) {
      const number = n;
      const settled = perform(store, writeOf(random, n)).then(() => {
        running.delete(settled);
        tell(number);
      });
      running.add(settled);
      while (running.size >= callers) await Promise.race(running);
    }
    await Promise.all(running);
    await store.compact();
  }
}

/** Backups of a file, one over the other. */
export interface BackUpArgs {
  readonly path: string;
  readonly target: string;
  readonly driver: TestDriver["name"];
  readonly wal: boolean;
  readonly seed: string;
  readonly backups: number;
  readonly writesBetween: number;
  /** Whether the first one replaces the file of another store. */
  readonly replaces: boolean;
}

/** What is printed of backups: 0 is the file that was there before. */
export interface BackUpProgress {
  readonly backup: number;
  readonly is: "begun" | "done";
}

/** What is in the file that was at the target before. */
export const REPLACED = { kind: "replaced", key: "a", value: { n: 1 } };

/** Writes, and backs up; prints when a backup has begun, and when it is done. */
async function backUp(
  { path, target, driver, wal, seed, replaces, ...args }: BackUpArgs,
): Promise<void> {
  const tellProgress = (progress: BackUpProgress) => tell(progress);
  tellProgress({ backup: 0, is: "begun" });
  if (replaces) {
    await using store = await openStore({ path: target, driver });
    await store.set(REPLACED.kind, REPLACED.key, REPLACED.value);
  }
  tellProgress({ backup: 0, is: "done" });
  await using store = await openStore<Record<string, Value>>({
    path,
    driver,
    wal,
  });
  const random = new Random(seed);
  let n = 0;
  for (let backup = 1; backup <= args.backups; backup++) {
    for (const end = n + args.writesBetween; n < end; n++) {
      await perform(store, writeOf(random, n));
    }
    tellProgress({ backup, is: "begun" });
    await store.backup(target, { overwrite: replaces || backup > 1 });
    tellProgress({ backup, is: "done" });
  }
}

const programs = { write, backUp };

/** The programs by name. */
export type TracedPrograms = typeof programs;

if (import.meta.main) await runProgram(programs);
