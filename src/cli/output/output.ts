/**
 * Standard output and standard error. A write waits for the reader, but not
 * after the command is interrupted.
 *
 * @module
 */
import { reasonOf } from "../../base/messages.ts";
import { unlessAborted } from "../../base/promises.ts";
import { withoutPasswords } from "./passwords.ts";

/** How much text is collected before it is written, in UTF-16 units. */
const CHUNK = 65_536;

/** The width of a terminal that does not report it. */
const DEFAULT_COLUMNS = 80;

const encoder = new TextEncoder();

/** When to use colours. */
export type ColorChoice = "auto" | "always" | "never";

/** Standard output, for commands. */
export interface Output {
  /** The width of the terminal. Absent if it is not a terminal. */
  readonly columns: number | undefined;
  /** Whether to use colours. */
  readonly isColored: boolean;
  /** Writes text, together with later text. */
  write(text: string): Promise<void>;
  /** Writes bytes, at once. */
  writeBytes(bytes: Uint8Array): Promise<void>;
  /** Writes the collected text. */
  flush(): Promise<void>;
}

/** Opens standard output. A write that waits for the reader rejects when the signal aborts. */
export function openOutput(color: ColorChoice, signal: AbortSignal): Output {
  let collected = "";
  const writeAll = async (bytes: Uint8Array) => {
    for (let written = 0; written < bytes.length;) {
      const writing = writeSome(bytes.subarray(written));
      written += await unlessAborted(writing, signal);
    }
  };
  const flush = async () => {
    const bytes = encoder.encode(collected);
    collected = "";
    await writeAll(bytes);
  };
  return {
    columns: terminalColumns(),
    isColored: isColored(color, Deno.stdout),
    flush,
    async write(text) {
      collected += text;
      if (collected.length >= CHUNK) await flush();
    },
    async writeBytes(bytes) {
      await flush();
      await writeAll(bytes);
    },
  };
}

async function writeSome(bytes: Uint8Array): Promise<number> {
  try {
    return await Deno.stdout.write(bytes);
  } catch (cause) {
    if (cause instanceof Deno.errors.BrokenPipe) throw cause;
    throw new Error(`Cannot print: ${reasonOf(cause)}`, { cause });
  }
}

/** Writes a line to standard error, without passwords. It ignores a missing reader. */
export function writeError(line: string): void {
  const bytes = encoder.encode(`${withoutPasswords(line)}\n`);
  try {
    for (let written = 0; written < bytes.length;) {
      written += Deno.stderr.writeSync(bytes.subarray(written));
    }
  } catch {
    // There is no other place to report it.
  }
}

/** Whether to use colours on a stream. */
export function isColored(
  color: ColorChoice,
  stream: { isTerminal(): boolean },
): boolean {
  if (color !== "auto") return color === "always";
  return !Deno.noColor && stream.isTerminal();
}

/** The width of the terminal on standard output. */
export function terminalColumns(): number | undefined {
  if (!Deno.stdout.isTerminal()) return undefined;
  try {
    return Deno.consoleSize().columns || DEFAULT_COLUMNS;
  } catch {
    return DEFAULT_COLUMNS;
  }
}
