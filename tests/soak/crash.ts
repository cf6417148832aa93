/**
 * Processes that are killed while they write and watch, many times, in every
 * mode of a file.
 *
 * `deno task soak tests/soak/crash.ts --rounds=200 --drivers=builtin,ffi`
 *
 * @module
 */
import {
  assertSurvivesCrashes,
  type CrashOptions,
  type CrashReport,
  WHOLE_HISTORY,
} from "../support/processes/crash.ts";
import { drivers } from "../support/drivers.ts";
import { filePlace } from "../support/processes/places.ts";
import { Random } from "../support/random.ts";
import { readFlags } from "./flags.ts";

/** How many rounds one file goes through. */
const ROUNDS_PER_FILE = 10;

const { rounds, seed, ...flags } = readFlags({
  rounds: 200,
  drivers: drivers.filter(({ unavailable }) => !unavailable)
    .map(({ name }) => name).join(),
});
const taken = flags.drivers.split(",") as ("builtin" | "ffi")[];
const modes = (["full", "normal"] as const).flatMap((durability) =>
  [true, false].flatMap((wal) =>
    [WHOLE_HISTORY, 100].map((history) => ({ durability, wal, history }))
  )
);

const total: CrashReport = {
  kills: 0,
  acknowledged: 0,
  unacknowledged: 0,
  changes: 0,
  events: 0,
};
for (let file = 0, done = 0; done < rounds; file++) {
  const mode = modes[file % modes.length];
  const options: CrashOptions = {
    ...mode,
    place: (dir) =>
      filePlace(dir.file("app.db"), { drivers: taken, wal: mode.wal }),
    rounds: Math.min(ROUNDS_PER_FILE, rounds - done),
    acknowledgements: 500,
  };
  const report = await assertSurvivesCrashes(
    new Random(`${seed}/${file}`),
    options,
  );
  done += options.rounds;
  for (const name of Object.keys(total) as (keyof CrashReport)[]) {
    total[name] += report[name];
  }
  console.log(`${done} rounds; ${JSON.stringify({ ...mode, ...report })}`);
}
console.log(total);
