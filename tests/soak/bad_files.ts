/**
 * Damages files at random, thousands of them, and looks at what a store makes
 * of each: an error of its own, what was written, or a finding of `verify()`.
 * Anything else ends it, and is told with the number of the file.
 *
 * `deno task soak tests/soak/bad_files.ts --files=3000 --commits=80 --driver=builtin --first=0`
 *
 * @module
 */
import type { TestDriver } from "../support/drivers.ts";
import {
  makeSamples,
  type Outcome,
  SCENARIOS,
  tryScenario,
} from "../support/faults/bad_files.ts";
import { Random } from "../support/random.ts";
import { tempDir } from "../support/temp_dir.ts";
import { readFlags } from "./flags.ts";

const { files, commits, driver, first, seed } = readFlags({
  files: 3_000,
  commits: 80,
  driver: "builtin",
  first: 0,
});
const name = driver as TestDriver["name"];

await using dir = await tempDir();
const samples = await makeSamples({ name } as TestDriver, dir.path, commits);
const counts = new Map<string, Map<Outcome, number>>();
for (let i = first; i < first + files; i++) {
  // Each file has its own numbers, so that it can be tried alone.
  const random = new Random(`${seed}/${i}`);
  const scenario = random.pick(Object.keys(SCENARIOS));
  let outcome: Outcome;
  try {
    outcome = await tryScenario(scenario, samples, random, {
      path: dir.file("app.db"),
      driver: name,
    });
  } catch (cause) {
    throw new Error(
      `File ${i}, ${scenario}; again with --seed=${seed} --first=${i} --files=1`,
      { cause },
    );
  }
  const outcomes = counts.get(scenario) ?? new Map<Outcome, number>();
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  counts.set(scenario, outcomes);
  if ((i + 1 - first) % 500 === 0) console.log(`${i + 1 - first} files`);
}
report(counts);

function report(counts: Map<string, Map<Outcome, number>>): void {
  for (const [scenario, outcomes] of counts) {
    const told = [...outcomes].map(([outcome, count]) => `${count} ${outcome}`);
    console.log(`${scenario}: ${told.toSorted().join(", ")}`);
  }
}
