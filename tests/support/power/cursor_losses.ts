/**
 * Losses of power of `zestor watch --cursor`, which keeps its place in a file.
 *
 * The file must be whole. Its place is one that the watch has had, and never
 * ahead of what was printed. If there was no file before, it is there when the
 * first line has ended.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { openStore } from "../../../mod.ts";
import type { Random } from "../random.ts";
import { startCli } from "../running_cli.ts";
import { type Judge, judgeLosses, type LossOptions } from "./losses.ts";
import { powerDirs } from "./power_dirs.ts";
import { runTraced } from "./traced_run.ts";

/** What is watched, and when power is lost. */
export interface CursorLosses extends LossOptions {
  /** How many changes are printed. */
  readonly events: number;
  /** Whether there is a file with a place before. */
  readonly isThere: boolean;
}

const KIND = "users";
const CURSOR = "users.cursor";

/** Runs it, and judges what is left each time. Gives the steps of the trace. */
export async function assertCursorSurvives(
  random: Random,
  { events, isThere, points, ignored }: CursorLosses,
): Promise<number> {
  await using dirs = await powerDirs();
  const db = dirs.beside("app.db");
  await using store = await openStore({ path: db, driver: "builtin" });
  for (let n = 0; n < events; n++) await store.set(KIND, `${n}`, n);
  const cursor = join(dirs.directory, CURSOR);
  if (isThere) {
    const text = JSON.stringify({ kind: KIND, revision: 0 }) + "\n";
    await Deno.writeTextFile(cursor, text);
  }
  const from = isThere ? [] : ["--after", "0"];
  const args = ["watch", KIND, "--db", db, "--cursor", cursor, ...from];
  const trace = await runTraced(dirs, async (env) => {
    const watch = startCli(args, { cwd: dirs.directory, env });
    for (let n = 0; n < events; n++) await watch.line();
    watch.kill("SIGINT");
    const { code, stderr } = await watch.ended();
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
  });
  const options = { points, ignored, random, directory: dirs.left };
  await judgeLosses(trace, options, judgeOf(isThere));
  return trace.steps.length;
}

function judgeOf(isThere: boolean): Judge {
  return async (directory, { printed }) => {
    const lines = printed.split("\n");
    const places = lines.filter((line) => line !== "")
      .map((line) => JSON.parse(line).revision);
    if (isThere) places.unshift(0);
    let text: string;
    try {
      text = await Deno.readTextFile(join(directory, CURSOR));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      const isPromised = isThere || lines.length > 1;
      return assert(!isPromised, "the cursor is gone");
    }
    assert(text.endsWith("\n"), `the cursor is ${JSON.stringify(text)}`);
    const { revision, cursor } = JSON.parse(text);
    const place = revision ?? Number(cursor.split("-")[1]);
    assert(places.includes(place), `${place} is ahead of ${places}`);
  };
}
