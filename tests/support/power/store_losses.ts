/**
 * Losses of power of a process that writes to a store.
 *
 * With durability `"full"` every write that was acknowledged must be there. With
 * `"normal"` the last ones may be missing. In any case there is a beginning of
 * what was written, each write whole or not at all, nothing is unsound, and the
 * store goes on.
 *
 * @module
 */
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { join } from "node:path";
import { openStore } from "../../../mod.ts";
import type { TestDriver } from "../drivers.ts";
import { createGoFile } from "../go_file.ts";
import type { Random } from "../random.ts";
import { readRawFile } from "../raw_file.ts";
import { type Judge, judgeLosses, type LossOptions } from "./losses.ts";
import { powerDirs } from "./power_dirs.ts";
import { traceProgram } from "./run_program.ts";
import type { WriteArgs } from "./traced_programs.ts";
import { linesOf, type Moment, Story } from "./writes.ts";

/** What is written, and when power is lost. */
export interface StoreLosses extends Omit<WriteArgs, "path">, LossOptions {
  /** Whether the file is another program's before: a table, and no change log. */
  readonly isUpgraded: boolean;
}

/** Runs it, and judges what is left each time. Gives the steps of the trace. */
export async function assertStoreSurvives(
  random: Random,
  { isUpgraded, points, ignored, ...args }: StoreLosses,
): Promise<number> {
  await using dirs = await powerDirs();
  const path = join(dirs.directory, "app.db");
  if (isUpgraded) {
    await createGoFile({ name: args.driver } as TestDriver, path);
  }
  const trace = await traceProgram(dirs, "write", { ...args, path });
  const judge = judgeOf(args, isUpgraded ? UPGRADED : undefined, random);
  const options = { points, ignored, random, directory: dirs.left };
  await judgeLosses(trace, options, judge);
  return trace.steps.length;
}

/** What `createGoFile` leaves, when it has been opened: nobody resumes from before. */
const UPGRADED: Moment = {
  revision: 1,
  rows: [{ kind: "k", key: "a", version: 3, value: "1" }],
};

/** The kind that tells whether the store goes on. */
const AFTER = "after";

function judgeOf(
  args: Omit<WriteArgs, "path">,
  before: Moment | undefined,
  random: Random,
): Judge {
  const { driver, durability, history, sessions, seed } = args;
  const writes = sessions.reduce((sum, { writes }) => sum + writes, 0);
  const callers = Math.max(...sessions.map(({ callers }) => callers));
  const story = new Story(seed, writes, before);
  return async (directory, { printed }) => {
    const path = join(directory, "app.db");
    const options = { wal: random.chance(0.5), history };
    const head = await goOn(path, driver, options);
    assertIsMoment(path, head, story, history);

    const settled = printed.split("\n").filter((line) => line !== "")
      .map(Number);
    const called = Math.min(writes, settled.length + callers);
    const newest = story.moments[called].revision;
    assert(head <= newest, "a write is there that nobody called");
    if (durability === "normal") return;
    // Writes settle in order, but for a few turns: those before are there, too.
    const acknowledged = Math.max(-1, ...settled) + 1;
    assertGreaterOrEqual(
      head,
      story.moments[acknowledged].revision,
      `an acknowledged write is missing, of ${acknowledged}`,
    );
  };
}

/** Asserts that a file is as it was at a revision, at the end of a write. */
function assertIsMoment(
  path: string,
  head: number,
  { moments, changes }: Story,
  history: number,
): void {
  const moment = moments.find(({ revision }) => revision === head);
  assert(moment, `revision ${head} is in the middle of a write`);
  const file = readRawFile(path);
  const rows = file.entries.filter(({ kind }) => kind !== AFTER);
  assertEquals(linesOf(rows), linesOf(moment.rows), "the entries");
  const log = file.changes.filter(({ kind }) => kind !== AFTER);
  const told = changes.slice(0, head - moments[0].revision);
  assertEquals(log, told.slice(told.length - log.length), "the change log");
  // The write that goes on is in the log, too.
  assertGreaterOrEqual(log.length, Math.min(told.length, history - 1));
}

/** Opens what is left, and writes to it. Gives the newest revision before. */
async function goOn(
  path: string,
  driver: TestDriver["name"],
  options: { wal: boolean; history: number },
): Promise<number> {
  await using store = await openStore({ path, driver, ...options });
  assertEquals(await store.verify(), [], "what is wrong with the file");
  const { revision } = await store.set(AFTER, "a", 1);
  return revision - 1;
}
