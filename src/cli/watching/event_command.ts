/**
 * Runs a command for each event, one at a time: who it is about is in the
 * environment, the value on standard input. What an entry holds is never a part
 * of the command's text.
 *
 * @module
 */
import type { WatchEvent } from "../../contract.ts";
import { quote, reasonOf } from "../../errors.ts";
import { UsageError } from "../errors.ts";
import { isGranted } from "../permissions.ts";

// PowerShell on Windows: `cmd` would put what is in a variable into the
// command's text, and run it.
const SHELL = Deno.build.os === "windows"
  ? ["powershell", "-NoProfile", "-Command"]
  : ["sh", "-c"];

/** A command that is to be run for events. */
export interface EventCommand {
  /** The command, for the shell. */
  readonly text: string;
  /** The store's path, for what it runs. */
  readonly db: string;
  /** Makes JSON of a value. */
  toJson(value: unknown): string;
  /** Aborts when the watch is to end. */
  readonly signal: AbortSignal;
}

/** Throws `UsageError` where the shell may not be run. */
export async function assertShellPermitted(): Promise<void> {
  const [shell] = SHELL;
  if (await isGranted({ name: "run", command: shell })) return;
  throw new UsageError(
    `Cannot run a command: the permission is missing; run deno with --allow-run=${shell}`,
  );
}

/** Runs the command for an event, to its end; throws unless it succeeds. */
export async function runForEvent(
  { text, db, toJson, signal }: EventCommand,
  event: WatchEvent,
): Promise<void> {
  const { type, kind, key, version, revision } = event;
  const about = `${type} ${quote(kind, key)} at revision ${revision}`;
  const child = spawn(about, text, {
    ZESTOR_DB: db,
    ZESTOR_TYPE: type,
    ZESTOR_KIND: kind,
    ZESTOR_KEY: key,
    ZESTOR_VERSION: `${version}`,
    ZESTOR_REVISION: `${revision}`,
  });
  const stop = () => end(child);
  signal.addEventListener("abort", stop);
  try {
    await give(child.stdin, `${toJson(event.value)}\n`);
    const { success, code, signal: by } = await child.status;
    if (success) return;
    throw new Error(
      `The command failed for ${about}: ${
        by ? `it was ended by ${by}` : `it exited with ${code}`
      }`,
    );
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function spawn(
  about: string,
  text: string,
  env: Record<string, string>,
): Deno.ChildProcess {
  const [shell, ...args] = SHELL;
  try {
    return new Deno.Command(shell, {
      args: [...args, text],
      env,
      stdin: "piped",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
  } catch (cause) {
    throw new Error(
      `Cannot run the command for ${about}: ${reasonOf(cause)}`,
      { cause },
    );
  }
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
