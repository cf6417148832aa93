/**
 * Runs the command of a watch, one at a time. Data of an event is in the
 * environment and on standard input, never in the command's text.
 *
 * @module
 */
import { reasonOf } from "../../base/messages.ts";
import { SHELL } from "../shell.ts";
import { HAS_SESSIONS, type ProcessGuard } from "./process_guard.ts";

/**
 * The shell waits for a line before the command begins, so that the guard
 * already knows the process. If the watch is killed before, the pipe closes,
 * and nothing begins.
 */
const WAIT_FOR_GUARD = 'IFS= read -r _ || exit 1; exec sh -c "$0"';

/** The command to run for events. */
export interface EventCommand {
  /** The shell command. */
  readonly text: string;
  /** Variables that name the store for the command. They may contain a password. */
  readonly store: Readonly<Record<string, string>>;
  /** Aborts when the watch must end. */
  readonly signal: AbortSignal;
  /** Ends the processes that the command started. Absent if there are no sessions. */
  readonly guard: ProcessGuard | undefined;
}

/** The event or the events for which a command runs once. */
export interface Occasion {
  /** The name, for messages. */
  readonly about: string;
  /** Environment variables. */
  readonly variables: Readonly<Record<string, string>>;
  /** More environment variables, of any length. If they are too long, they are empty. */
  readonly names: Readonly<Record<string, string>>;
  /** The text on standard input. */
  readonly input: string;
  /** The error if the names are too long. Absent if the command does not need them. */
  readonly tooLong?: (cause: unknown) => Error;
}

/** Runs a command until it ends. Throws unless it succeeds. */
export async function runCommand(
  command: EventCommand,
  occasion: Occasion,
): Promise<void> {
  const { signal, guard } = command;
  const { about, input } = occasion;
  const child = start(command, occasion);
  const stop = async () => {
    await guard?.end();
    // If the guard was killed, at least the shell is ended.
    end(child);
  };
  signal.addEventListener("abort", stop);
  try {
    await guard?.add(child.pid).catch((cause) => {
      end(child);
      throw cannotRun(occasion, cause);
    });
    await give(child.stdin, `${guard ? "\n" : ""}${input}`);
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

function cannotRun({ about }: Occasion, cause: unknown): Error {
  return new Error(
    `Cannot run the command for ${about}: ${reasonOf(cause)}`,
    { cause },
  );
}

function start(
  { text, store, guard }: EventCommand,
  occasion: Occasion,
): Deno.ChildProcess {
  const { variables, names, tooLong } = occasion;
  const run = (names: Readonly<Record<string, string>>) =>
    spawn(guard ? [WAIT_FOR_GUARD, text] : [text], {
      ...store,
      ...variables,
      ...names,
    });
  try {
    return run(names);
  } catch (cause) {
    if (!isTooLong(cause)) throw cannotRun(occasion, cause);
    if (tooLong) throw tooLong(cause);
    return run(withoutValues(names));
  }
}

function withoutValues(
  names: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(Object.keys(names).map((name) => [name, ""]));
}

/**
 * Whether the environment is too long. It is not too long without the names,
 * because this process has a longer one.
 */
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
    // The command has just ended.
  }
}

/** Writes the input of a child, or as much as it reads. */
async function give(
  stdin: WritableStream<Uint8Array>,
  text: string,
): Promise<void> {
  try {
    await new Blob([text]).stream().pipeTo(stdin);
  } catch {
    // The child has ended, or closed its input. Its exit status counts.
  }
}
