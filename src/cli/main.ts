/**
 * The `zestor` command: reads and writes a store from a shell.
 *
 * ```sh
 * deno run -A jsr:@zestor/store/cli --help
 * deno install -g -n zestor -A jsr:@zestor/store/cli
 * ```
 *
 * Its exit code is 0 if all is done, 1 if there is no such entry, or if it has
 * another version, 2 if the command line or a value is invalid, and 3 if the
 * store fails or is not sound. It is 130 after an interruption, and 143 after a
 * termination. An error is one line on standard error. Before it exits, it
 * closes all stores, and writes all output.
 *
 * @module
 */
import "./needs_deno.ts";
import type { CommandContext } from "./command.ts";
import { EXIT, exitCodeOf, lineOf, traceOf } from "./errors.ts";
import {
  type ColorChoice,
  isColored,
  openOutput,
  type Output,
  terminalColumns,
  writeError,
} from "./output/output.ts";
import { type Invocation, parseCommandLine } from "./program.ts";
import { toJsonOf } from "./output/json.ts";
import { styled } from "./output/style.ts";
import { openEnds } from "./stores/ends.ts";
import { openFileOf, openStoreOf, variablesOf } from "./stores/open.ts";
import { openStoreWhenThere } from "./stores/waiting.ts";
import { CommandLineError, usageText } from "./usage_message.ts";
import { wordOf } from "./usage_terms.ts";

/** The signals that end a command, with their exit codes. */
const INTERRUPTIONS: Partial<Record<Deno.Signal, number>> =
  Deno.build.os === "windows" ? { SIGINT: 130 } : { SIGINT: 130, SIGTERM: 143 };

/** How long after its sending a signal may arrive, in ms. */
const LATE_SIGNAL_MS = 100;

/**
 * Runs the command on this process's standard streams.
 *
 * @param args The command line, without the program's name.
 * @returns The exit code.
 *
 * @example
 * ```ts
 * import { main } from "@zestor/store/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const args = ["get", "users", "alice", "--db", "missing.db"];
 * assertEquals(await main(args), 3);
 * ```
 */
export async function main(args: readonly string[]): Promise<number> {
  using interruption = listenForInterruption();
  const { signal } = interruption;
  const color = colorIn(args);
  let isDebugged = false;
  try {
    const parsed = await parseCommandLine(args, {
      isColored: isColored(color, Deno.stdout),
      columns: terminalColumns(),
    });
    if (typeof parsed === "string") return await print(parsed, signal);
    isDebugged = parsed.debug;
    return await run(parsed, interruption);
  } catch (error) {
    if (signal.aborted) return interruption.exitCode;
    // The reader of the output has closed it.
    if (error instanceof Deno.errors.BrokenPipe) return EXIT.done;
    tell(error, isColored(color, Deno.stderr) ? "colored" : "plain");
    if (isDebugged) writeError(traceOf(error));
    return exitCodeOf(error);
  }
}

async function print(text: string, signal: AbortSignal): Promise<number> {
  const output = openOutput("never", signal);
  await output.write(text);
  await output.flush();
  return EXIT.done;
}

async function run(
  { action, ...options }: Invocation,
  { signal, yieldTerminal }: Interruption,
): Promise<number> {
  const output = openOutput(options.color, signal);
  const context: CommandContext = {
    output,
    codec: options.codec,
    signal,
    yieldTerminal,
    openStore: (access) => openStoreOf(options, { access, signal }),
    openFile: (access, what) => openFileOf(options, what, { access, signal }),
    openEnds: (names) => openEnds(options, names, signal),
    openStoreWhenThere: () => openStoreWhenThere(options, signal),
    variablesOf: (store) => variablesOf(options, store),
    printing: (format) => ({
      output,
      format: format ?? (output.columns === undefined ? "ndjson" : "table"),
      toJson: toJsonOf(options.codec),
    }),
  };
  return await flushing(output, () => action(context)) ?? EXIT.done;
}

/** Also prints the output from before a failure. */
async function flushing<T>(
  { flush }: Output,
  work: () => Promise<T>,
): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    await flush().catch(() => {});
    throw error;
  }
  await flush();
  return result;
}

/** When to use colours, even if the rest of the command line is invalid. */
function colorIn(args: readonly string[]): ColorChoice {
  const found = wordOf(args, "--color");
  return found === "always" || found === "never" ? found : "auto";
}

function tell(error: unknown, as: "plain" | "colored"): void {
  const name = as === "colored" ? styled("red", "zestor") : "zestor";
  const line = error instanceof CommandLineError
    ? usageText(error.parts, as)
    : lineOf(error);
  writeError(`${name}: ${line}`);
}

interface Interruption extends Disposable {
  /** Aborts when the process must end. */
  readonly signal: AbortSignal;
  /** The exit code in this case. */
  readonly exitCode: number;
  /** Ignores `SIGINT` until it is disposed of. */
  yieldTerminal(): Disposable;
}

function listenForInterruption(): Interruption {
  const controller = new AbortController();
  let exitCode: number = EXIT.failure;
  let yielded = 0;
  const listeners = Object.entries(INTERRUPTIONS).map(([name, code]) => {
    const listener = () => {
      if (yielded > 0 && name === "SIGINT") return;
      exitCode = code;
      controller.abort();
    };
    Deno.addSignalListener(name as Deno.Signal, listener);
    return [name as Deno.Signal, listener] as const;
  });
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    yieldTerminal() {
      yielded++;
      return {
        [Symbol.dispose]() {
          Deno.unrefTimer(setTimeout(() => yielded--, LATE_SIGNAL_MS));
        },
      };
    },
    [Symbol.dispose]() {
      for (const [name, listener] of listeners) {
        Deno.removeSignalListener(name, listener);
      }
    },
  };
}

// Nobody waits for the reads and writes that are still pending.
if (import.meta.main) Deno.exit(await main(Deno.args));
