/**
 * What is left of a file if the processes that write it are killed. Many more
 * rounds: `tests/soak/crash.ts`.
 *
 * @module
 */
import {
  assertSurvivesCrashes,
  WHOLE_HISTORY,
} from "../support/processes/crash.ts";
import { drivers } from "../support/drivers.ts";
import { filePlace } from "../support/processes/places.ts";
import { withSeed } from "../support/random.ts";

const [builtin] = drivers;
const available = drivers.filter(({ unavailable }) => !unavailable)
  .map(({ name }) => name);

for (const durability of ["full", "normal"] as const) {
  for (const wal of [true, false]) {
    for (const history of [WHOLE_HISTORY, 100]) {
      const name = `C1 what is acknowledged survives the process, C2 whole, ` +
        `with durability "${durability}"${
          wal ? "" : ", without a write-ahead log"
        }${history === WHOLE_HISTORY ? "" : ", with a short history"}`;
      builtin.test(`${name} [${available}]`, async () => {
        await withSeed(name, (random) =>
          assertSurvivesCrashes(random, {
            place: (dir) =>
              filePlace(dir.file("app.db"), { drivers: available, wal }),
            durability,
            history,
            rounds: 2,
            acknowledgements: 200,
          }));
      });
    }
  }
}
