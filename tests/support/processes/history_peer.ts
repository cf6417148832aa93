/**
 * The programs of peers whose calls make a history, see `peer.ts` and
 * `../history/processes.ts`.
 *
 * @module
 */
import { type CallersOptions, makeCalls } from "../history/callers.ts";
import type { HistoryStore } from "../history/perform.ts";
import { TraceWriter } from "../history/trace.ts";
import { runProgram, tell } from "./peer_side.ts";
import { type Opening, openPlace, type StorePlace } from "./places.ts";

/** What a peer does to a store, and where it writes the trace. */
export interface MakeCallsArgs extends CallersOptions {
  store: StorePlace & Opening;
  trace: string;
}

/** How many answers pass until the peer tells of them. */
const TOLD_EVERY = 10;

/** Makes calls, and tells now and then how many are answered. */
async function callAndTrace(
  { store: options, trace: path, ...calls }: MakeCallsArgs,
): Promise<void> {
  using trace = new TraceWriter(path);
  await using store: HistoryStore = await openPlace(options);
  await makeCalls(store, trace, calls, (answered) => {
    if (answered % TOLD_EVERY === 0) tell(answered);
  });
}

const programs = { callAndTrace };

/** The programs by name. */
export type HistoryPrograms = typeof programs;

if (import.meta.main) await runProgram(programs);
