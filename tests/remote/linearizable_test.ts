/**
 * Whether the calls on several stores of one server are linearizable, while
 * their lines are cut.
 *
 * @module
 */
import { openRemoteStore } from "../support/remote/open_remote_store.ts";
import { Server } from "../support/remote/server.ts";
import { makeCalls } from "../support/history/callers.ts";
import { assertLinearizable } from "../support/history/check_history.ts";
import { readTrace, TraceWriter } from "../support/history/trace.ts";
import { Random, withSeed } from "../support/random.ts";
import { tempDir } from "../support/temp_dir.ts";

for (const cuts of [0, 0.2]) {
  Deno.test(`the calls on three stores of a server are linearizable, if ${cuts * 100} % of the requests are cut`, () =>
    withSeed(`linearizable ${cuts}`, async ({ seed }) => {
      await using dir = await tempDir();
      const path = dir.file("trace.ndjson");
      using trace = new TraceWriter(path);
      const server = new Server();
      await Promise.all(["1", "2", "3"].map(async (name) => {
        await using store = await openRemoteStore<Record<string, string>>({
          server,
          cuts,
          longest: 1,
          random: new Random(`${seed} line ${name}`),
        });
        const calls = { name, seed: `${seed} ${name}`, callers: 4, calls: 500 };
        await makeCalls(store, trace, calls);
      }));
      assertLinearizable(await readTrace(path));
    }));
}
