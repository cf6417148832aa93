/**
 * A program that runs once: its time compared with an empty program.
 *
 * @module
 */
import { denoRun } from "../../tests/support/processes/deno_run.ts";
import {
  type Contender,
  measure,
  type Measurement,
  spreadOf,
} from "../measure.ts";
import { atMost, formatTime, type Line, lineOf } from "../results.ts";
import type { Row } from "./row.ts";

/** How much longer than the empty program a store's may take, in ms. */
const MOST = 30;

const EMPTY = "empty program";

const mod = new URL("../../mod.ts", import.meta.url);

const KV_PROGRAM = `
  const kv = await Deno.openKv(Deno.args[0]);
  await kv.set(["users", "alice"], { name: "Alice" });
  await kv.get(["users", "alice"]);
  kv.close();`;

function storeProgram(driver: string): string {
  return `
  import { openStore } from "${mod}";
  const store = await openStore({ path: Deno.args[0], driver: "${driver}" });
  await store.set("users", "alice", { name: "Alice" });
  await store.get("users", "alice");
  await store.close();`;
}

/** The row. */
export const startUpRow: Row = {
  name: "start-up",
  async measure(bench) {
    const folder = await bench.makeFolder();
    const programs = new Map([
      [EMPTY, ""],
      ["Deno KV", KV_PROGRAM],
      ...[...bench.bindings.keys()].map((driver) =>
        [`store (${driver})`, storeProgram(driver)] as const
      ),
    ]);
    const contenders: Contender[] = [];
    for (const [name, program] of programs) {
      const file = `${folder}/${contenders.length}.ts`;
      await Deno.writeTextFile(file, program);
      contenders.push({ name, operate: () => run(file, `${file}.db`) });
    }
    // A process takes long, and few of them say little.
    const plan = { ...bench.plan, budget: 5 * bench.plan.budget };
    const measured = await measure(contenders, plan, {
      batchSize: 1,
      singles: 0,
    });
    const empty = measured.find(({ name }) => name === EMPTY)!;
    return {
      name: this.name,
      work:
        "a program in a process of its own opens a file, sets an entry, gets it and closes the file; its packages are in Deno's cache",
      unit: "program",
      lines: measured.map((measurement) => lineAbove(empty, measurement)),
    };
  },
};

async function run(program: string, path: string): Promise<void> {
  const { success, stderr } = await denoRun(program, {
    flags: ["-A", "--no-check", "--unstable-kv"],
    args: [path],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** The time of a program, and a goal for its difference to the empty one. */
function lineAbove(empty: Measurement, own: Measurement): Line {
  const isStore = own.name.startsWith("store");
  const line = lineOf(own, isStore ? "store" : "peer");
  const above = spreadOf(own.times.map((time, round) => {
    const base = empty.times[round];
    return time === undefined || base === undefined ? undefined : time - base;
  }));
  const goals = isStore
    ? [atMost(MOST, above.median, formatTime, " over the empty program")]
    : [];
  return { ...line, goals };
}
