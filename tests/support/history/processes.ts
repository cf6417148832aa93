/**
 * Makes a history of one place: several processes, each with several callers,
 * make random calls on few keys, and are killed while they do.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import type { MakeCallsArgs } from "../processes/history_peer.ts";
import { startHistoryPeer } from "../processes/peer.ts";
import { openPlace, type TestPlace } from "../processes/places.ts";
import type { Random } from "../random.ts";
import { type TempDir, tempDir } from "../temp_dir.ts";
import type { Change } from "../watches/watch_validators.ts";
import type { Call, Operation } from "./calls.ts";
import { assertLinearizable } from "./check_history.ts";
import { type HistoryStore, KEYS, perform } from "./perform.ts";
import { readTrace, TraceWriter } from "./trace.ts";

/** Who makes the history. */
export interface HistoryOptions {
  /** Where the entries are; it may be in the directory. */
  readonly place: (dir: TempDir) => TestPlace;
  readonly durability: "full" | "normal";
  /** How many processes there are at once. */
  readonly processes: number;
  /** How many calls of a process may be under way at once, at most. */
  readonly callers: number;
  /** At least so many calls are made. */
  readonly operations: number;
  /** How many calls a process makes, at most. */
  readonly callsOfLife: number;
  /** Done once a round, while the processes make calls. @default {nothing} */
  readonly disturb?: () => Promise<void>;
}

/** A history, and what the change log tells of it. */
interface History {
  readonly operations: readonly Operation[];
  readonly log: readonly Change[];
  /** How many processes were killed. */
  readonly kills: number;
}

/** What was seen. */
export interface HistoryReport {
  operations: number;
  changes: number;
  kills: number;
  /** Calls without an answer. */
  unanswered: number;
  /** Calls whose condition did not hold. */
  conflicts: number;
  /** Calls with an error that promises that nothing was done. */
  refused: number;
  /** Calls with an error that does not tell. */
  unclear: number;
}

/** How many of the processes end by themselves. */
const UNKILLED = 0.2;
/** How many of the others are killed while they start. */
const KILLED_AT_START = 0.1;
/** How long a process takes to start and open the file, and more, in ms. */
const LONGEST_START = 500;
/** More changes than any history has. */
const WHOLE_LOG = 100_000_000;
/** How long a call waits for the lock, in ms: longer than any test has to. */
const BUSY_TIMEOUT = 60_000;

/**
 * Makes a history, and asserts that it is linearizable. If not, the directory
 * with the trace, and the file if there is one, is kept, and the error names it.
 */
export async function assertProcessesLinearize(
  random: Random,
  options: HistoryOptions,
): Promise<HistoryReport> {
  const dir = await tempDir();
  try {
    const history = await makeHistory(random, dir, options);
    assertLinearizable(history.operations, history.log);
    await dir[Symbol.asyncDispose]();
    return reportOn(history);
  } catch (cause) {
    const { message } = cause as Error;
    throw new Error(
      `${message}\nThe trace is kept in ${dir.path}`,
      {
        cause,
      },
    );
  }
}

/** Lets processes make calls, in rounds: each round ends when all its processes have ended. */
async function makeHistory(
  random: Random,
  dir: TempDir,
  options: HistoryOptions,
): Promise<History> {
  const maker = new HistoryMaker(random, dir, options);
  while (maker.answered < options.operations) await maker.runRound();
  return await maker.finish();
}

/** Counts what happened in a history. */
function reportOn({ operations, log, kills }: History): HistoryReport {
  const count = (name: string) =>
    operations.filter(({ answer }) => answer && name in answer).length;
  return {
    operations: operations.length,
    changes: log.length,
    kills,
    unanswered: operations.filter(({ answer }) => !answer).length,
    conflicts: count("conflict"),
    refused: count("refused"),
    unclear: count("unclear"),
  };
}

class HistoryMaker {
  answered = 0;
  readonly #random: Random;
  readonly #options: HistoryOptions;
  readonly #place: TestPlace;
  readonly #trace: string;
  #kills = 0;
  #lives = 0;

  constructor(random: Random, dir: TempDir, options: HistoryOptions) {
    this.#random = random;
    this.#options = options;
    this.#place = options.place(dir);
    this.#trace = dir.file("trace.ndjson");
  }

  async runRound(): Promise<void> {
    const lives = Array.from(
      { length: this.#options.processes },
      () => this.#planLife(),
    );
    await Promise.all([
      ...lives.map((life) => this.#live(life)),
      this.#options.disturb?.(),
    ]);
  }

  /** Reads every key once more, and gives the whole history. */
  async finish(): Promise<History> {
    using trace = new TraceWriter(this.#trace);
    await using store: HistoryStore = await openPlace({
      ...this.#place.of(0),
      history: WHOLE_LOG,
    });
    for (const [n, key] of KEYS.entries()) {
      const call: Call = { do: "entry", key };
      trace.call(`end.${n}`, call);
      trace.answer(`end.${n}`, await perform(store, call));
    }
    await store.close();
    return {
      operations: await readTrace(this.#trace),
      log: (await this.#place.read()).changes,
      kills: this.#kills,
    };
  }

  /** Decides before any process starts, so that a seed brings the same plans back. */
  #planLife(): { args: MakeCallsArgs; killAfter: number } {
    const { durability, callers, callsOfLife } = this.#options;
    const random = this.#random;
    const life = ++this.#lives;
    const calls = random.between(1, callsOfLife);
    const killAfter = random.chance(KILLED_AT_START) ? 0 : random.below(calls);
    return {
      args: {
        name: String(life),
        seed: `${random.seed}/${life}`,
        callers: random.between(1, callers),
        calls,
        trace: this.#trace,
        store: {
          ...this.#place.of(life),
          durability,
          history: WHOLE_LOG,
          busyTimeout: BUSY_TIMEOUT,
        },
      },
      killAfter: random.chance(UNKILLED) ? Infinity : killAfter,
    };
  }

  async #live(
    { args, killAfter }: { args: MakeCallsArgs; killAfter: number },
  ): Promise<void> {
    await using peer = startHistoryPeer("callAndTrace", args);
    let isKilled = false;
    const kill = async () => {
      isKilled = true;
      this.#kills++;
      await peer.kill();
    };
    if (killAfter === 0) {
      // While it starts, or opens the file.
      await delay(this.#random.below(LONGEST_START));
      await kill();
    }
    let answered = 0;
    for await (const count of peer.messages<number>()) {
      answered = count;
      if (answered >= killAfter && !isKilled) await kill();
    }
    if (!isKilled) await peer.exited();
    this.answered += answered;
  }
}
