/**
 * Losses of power of a process that backs up its store.
 *
 * At the target there must be the whole copy of a backup that is done, and while
 * one is under way that of the last, or the new one. Before the first one there
 * is no file, or the one that it replaces.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { openStore } from "../../../mod.ts";
import type { Random } from "../random.ts";
import { readRawFile } from "../raw_file.ts";
import { type Judge, judgeLosses, type LossOptions } from "./losses.ts";
import { traceProgram } from "./run_program.ts";
import { powerDirs } from "./power_dirs.ts";
import {
  type BackUpArgs,
  type BackUpProgress,
  REPLACED,
} from "./traced_programs.ts";
import { linesOf, type Moment, Story } from "./writes.ts";

/** What is backed up, and when power is lost. */
export type BackupLosses = Omit<BackUpArgs, "path" | "target"> & LossOptions;

/** Runs it, and judges what is left each time. Gives the steps of the trace. */
export async function assertBackupsSurvive(
  random: Random,
  { points, ignored, ...args }: BackupLosses,
): Promise<number> {
  await using dirs = await powerDirs();
  const trace = await traceProgram(dirs, "backUp", {
    ...args,
    // In another directory, whose syncs do not help.
    path: dirs.beside("app.db"),
    target: join(dirs.directory, TARGET),
  });
  const options = { points, ignored, random, directory: dirs.left };
  await judgeLosses(trace, options, judgeOf(args));
  return trace.steps.length;
}

const TARGET = "copy.db";

function judgeOf(args: Omit<BackUpArgs, "path" | "target">): Judge {
  const { driver, seed, backups, writesBetween, replaces } = args;
  const story = new Story(seed, backups * writesBetween);
  const momentOf = (backup: number): Moment | undefined =>
    backup > 0
      ? story.moments[backup * writesBetween]
      : replaces
      ? BEFORE
      : undefined;
  return async (directory, { printed }) => {
    const progress = printed.split("\n").filter((line) => line !== "")
      .map((line): BackUpProgress => JSON.parse(line));
    const last = progress.at(-1);
    // The file that is replaced is itself not there yet.
    if (!last || last.backup === 0 && last.is === "begun") return;
    const expected = [momentOf(last.backup)];
    if (last.is === "begun") expected.push(momentOf(last.backup - 1));

    const path = join(directory, TARGET);
    const isThere = await Deno.stat(path).then(() => true, () => false);
    if (!isThere) {
      return assert(expected.includes(undefined), "there is no backup");
    }
    {
      await using store = await openStore({ path, driver });
      assertEquals(await store.verify(), [], "what is wrong with the backup");
    }
    const { head, entries } = readRawFile(path);
    const found = tell({ revision: head, rows: entries });
    assert(
      expected.some((moment) => moment && tell(moment) === found),
      `the backup is another: ${found}`,
    );
  };
}

const BEFORE: Moment = {
  revision: 1,
  rows: [{
    kind: REPLACED.kind,
    key: REPLACED.key,
    version: 1,
    value: JSON.stringify(REPLACED.value),
  }],
};

function tell({ revision, rows }: Moment): string {
  return [`revision ${revision}`, ...linesOf(rows)].join("\n");
}
