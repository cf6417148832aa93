/**
 * Runs a command for each event, one at a time. The names of the entry are in
 * the environment, the value or the whole event is on standard input. What an
 * entry holds is never a part of the command's text.
 *
 * @module
 */
import type { WatchEvent } from "../../contract/watch.ts";
import { reasonOf } from "../../base/messages.ts";
import { UsageError } from "../errors.ts";
import { isGranted } from "../permissions.ts";
import { eventLine, type ToJson, valueLine } from "./event_line.ts";
import { HAS_SESSIONS, type ProcessGuard } from "./process_guard.ts";
import { describeEvent, SkippedEventError } from "./skipped_event.ts";

// PowerShell on Windows: `cmd` would put what is in a variable into the
// command's text, and run it.
const SHELL = Deno.build.os === "windows"
  ? ["powershell", "-NoProfile", "-Command"]
  : ["sh", "-c"];

/**
 * The shell waits for a line before the command begins, so that the guard knows
 * it by then. If the watch is killed before, the pipe closes, and nothing begins.
 */
const WAIT_FOR_GUARD = 'IFS= read -r _ || exit 1; exec sh -c "$0"';

/** A command that is to be run for events. */
export interface EventCommand {
  /** The command, for the shell. */
  readonly text: string;
  /** The store's path, for what it runs. */
  readonly db: string;
  /** What it finds on standard input. */
  readonly input: "value" | "record";
  /** Makes JSON of a value. */
  readonly toJson: ToJson;
  /** Aborts when the watch is to end. */
  readonly signal: AbortSignal;
  /** Ends what it started; absent where there are no sessions. */
  readonly guard: ProcessGuard | undefined;
}

/** Throws `UsageError` if the shell may not be run. */
export async function assertShellPermitted(): Promise<void> {
  const [shell] = SHELL;
  if (await isGranted({ name: "run", command: shell })) return;
  throw new UsageError(
    `Cannot run a command: the permission is missing; run deno with --allow-run=${shell}`,
  );
}

/** Runs the command for an event, to its end; throws unless it succeeds. */
export async function runForEvent(
  command: EventCommand,
  event: WatchEvent,
): Promise<void> {
  const { toJson, signal, guard, input } = command;
  const about = describeEvent(event);
  const line = input === "record"
    ? eventLine(event, toJson)
    : valueLine(event, toJson);
  const child = start(command, event);
  const stop = async () => {
    await guard?.end();
    // If the guard was killed, the shell at least is told.
    end(child);
  };
  signal.addEventListener("abort", stop);
  try {
    await guard?.add(child.pid).catch((cause) => {
      end(child);
      throw cannotRun(event, cause);
    });
    await give(child.stdin, `${guard ? "\n" : ""}${line}\n`);
    const { success, code, signal: by } = await child.status;
    if (success) return;
    throw new Error(
      `The command failed for ${about}: ${
        by ? `it was ended by ${by}` : `it exited with ${code}`
      }`,
    );
  } finally {
    signal.removeEventListener("abort", stop);
    guard?.hasEnded();
  }
}

function cannotRun(event: WatchEvent, cause: unknown): Error {
  const about = describeEvent(event);
  return new Error(
    `Cannot run the command for ${about}: ${reasonOf(cause)}`,
    { cause },
  );
}

function start(
  { text, db, input, guard }: EventCommand,
  event: WatchEvent,
): Deno.ChildProcess {
  const { type, kind, key, version, revision } = event;
  const run = (names: { ZESTOR_KIND: string; ZESTOR_KEY: string }) =>
    spawn(guard ? [WAIT_FOR_GUARD, text] : [text], {
      ZESTOR_DB: db,
      ZESTOR_TYPE: type,
      ZESTOR_VERSION: `${version}`,
      ZESTOR_REVISION: `${revision}`,
      ...names,
    });
  try {
    return run({ ZESTOR_KIND: kind, ZESTOR_KEY: key });
  } catch (cause) {
    if (!isTooLong(cause)) throw cannotRun(event, cause);
    // The record has them.
    if (input === "record") return run({ ZESTOR_KIND: "", ZESTOR_KEY: "" });
    const advice =
      "its names are too long for the environment; with --record the command reads them from standard input";
    throw new SkippedEventError("run the command for", event, {
      cause,
      advice,
    });
  }
}

/** Whether the environment is too long. Without the names it is not: this process has a longer one. */
function isTooLong(error: unknown): boolean {
  return (error as { code?: unknown }).code === "E2BIG";
}

function spawn(
  script: readonly string[],
  env: Record<string, string>,
): Deno.ChildProcess {
  const [shell, ...args] = SHELL;
  return new Deno.Command(shell, {
    args: [...args, ...script],
    env,
    stdin: "piped",
    stdout: "inherit",
    stderr: "inherit",
    detached: HAS_SESSIONS,
  }).spawn();
}

function end(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch {
    // It has just ended.
  }
}

/** Writes a child's whole input, or as much as it reads. */
async function give(
  stdin: WritableStream<Uint8Array>,
  text: string,
): Promise<void> {
  try {
    await new Blob([text]).stream().pipeTo(stdin);
  } catch {
    // It has ended, or closed its input: how it ended is what counts.
  }
}
