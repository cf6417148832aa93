/**
 * How far something long has come: a bar on a terminal, nothing elsewhere. It is
 * on standard error, and gone when what is printed comes.
 *
 * @module
 */
import process from "node:process";
import type { ImportResult } from "../../contract/transfer.ts";

/** Shows how far an import has come. */
export interface Progress {
  /** Counts the bytes that are read. */
  counting(): TransformStream<Uint8Array, Uint8Array>;
  /** Shows what has been done so far. */
  show(soFar: ImportResult): void;
  /** Takes it away, until it is shown again. */
  clear(): void;
}

/** The part of `cli-progress` that is used, which has no types. */
interface Bar {
  start(total: number, value: number, payload: object): void;
  update(value: number, payload: object): void;
  stop(): void;
}

/** Begins to show progress, of so many bytes if that is known. */
export async function openProgress(
  size: number | undefined,
): Promise<Progress> {
  const newBar = Deno.stderr.isTerminal() ? await barOf(size) : undefined;
  let bytes = 0;
  let bar: Bar | undefined;
  return {
    counting: () =>
      new TransformStream({
        transform(chunk, out) {
          bytes += chunk.length;
          out.enqueue(chunk);
        },
      }),
    show({ lines }) {
      bar ??= newBar?.();
      bar?.update(Math.min(bytes, size ?? bytes), { lines });
    },
    clear() {
      bar?.stop();
      bar = undefined;
    },
  };
}

/** What starts a bar. It is loaded where there is a terminal. */
async function barOf(size: number | undefined): Promise<() => Bar> {
  const { default: { SingleBar } } = await import("cli-progress");
  const options = {
    stream: process.stderr,
    format: size === undefined
      ? "{lines} lines"
      : "{bar} {percentage}%  {lines} lines",
    barCompleteChar: "\u2588",
    barIncompleteChar: "\u2591",
    barsize: 24,
    clearOnComplete: true,
    // An interruption ends the command, which takes the bar away.
    gracefulExit: false,
    emptyOnZero: true,
  };
  return () => {
    const bar: Bar = new SingleBar(options);
    bar.start(size ?? 0, 0, { lines: 0 });
    return bar;
  };
}
