/**
 * Loses power at many moments of what processes do to their files, and judges
 * what is left each time.
 *
 * `deno task soak tests/soak/power.ts --rounds=100 --points=500 --drivers=builtin,ffi --subjects=store,backup,cursor --first=0`
 *
 * @module
 */
import { drivers, type TestDriver } from "../support/drivers.ts";
import { loadRecorder } from "../support/power/recorder.ts";
import { randomScenario, type Subject } from "../support/power/scenarios.ts";
import { Random } from "../support/random.ts";
import { readFlags } from "./flags.ts";

const { rounds, points, first, seed, ...flags } = readFlags({
  rounds: 100,
  points: 500,
  drivers: drivers.filter(({ unavailable }) => !unavailable)
    .map(({ name }) => name).join(),
  // Most of a store, which has most ways to go wrong.
  subjects: "store,store,store,backup,cursor",
  first: 0,
});
const options = {
  subjects: flags.subjects.split(",") as Subject[],
  drivers: flags.drivers.split(",") as TestDriver["name"][],
  points,
};

const { unavailable } = await loadRecorder();
if (unavailable !== undefined) {
  console.error(`Cannot lose power: ${unavailable}`);
  Deno.exit(1);
}

const total = { rounds: 0, steps: 0, losses: 0 };
for (let round = first; round < first + rounds; round++) {
  // Each round has its own numbers, so that it can be tried alone.
  const random = new Random(`${seed}/${round}`);
  const { name, run } = randomScenario(random, options);
  try {
    total.steps += await run(random);
  } catch (cause) {
    throw new Error(
      `Round ${round}, ${name}; again with --seed=${seed} --first=${round} --rounds=1`,
      { cause },
    );
  }
  total.rounds++;
  total.losses += points;
  console.log(`${round}: ${name}`);
}
console.log(total);
