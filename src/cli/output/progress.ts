/**
 * Shows the progress of long work: a bar on a terminal, nothing elsewhere. It
 * is on standard error, and is removed before other output.
 *
 * @module
 */
/** The settings of the bar. */
export interface ProgressOptions {
  /** The end of the bar. Absent if it is unknown. */
  readonly total: number | undefined;
  /** The name of the counted things, such as "lines". */
  readonly unit: string;
}

/** Shows the progress. */
export interface Progress {
  /** Shows the number so far, and the state of the bar, which is the number by default. */
  show(count: number, done?: number): void;
  /** Removes the bar until the next `show`. */
  clear(): void;
}

/** The used part of `cli-progress`, which has no types. */
interface Bar {
  start(total: number, value: number, payload: object): void;
  update(value: number, payload: object): void;
  stop(): void;
}

/** Begins to show progress. */
export async function openProgress(
  { total, unit }: ProgressOptions,
): Promise<Progress> {
  const newBar = Deno.stderr.isTerminal()
    ? await barOf({ total, unit })
    : undefined;
  let bar: Bar | undefined;
  return {
    show(count, done = count) {
      bar ??= newBar?.();
      bar?.update(Math.min(done, total ?? done), { count });
    },
    clear() {
      bar?.stop();
      bar = undefined;
    },
  };
}

/** The function that starts a bar. It is loaded only for a terminal. */
async function barOf(
  { total, unit }: ProgressOptions,
): Promise<() => Bar> {
  const { default: { SingleBar } } = await import("cli-progress");
  const { default: process } = await import("node:process");
  const options = {
    stream: process.stderr,
    format: total === undefined
      ? `{count} ${unit}`
      : `{bar} {percentage}%  {count} ${unit}`,
    barCompleteChar: "\u2588",
    barIncompleteChar: "\u2591",
    barsize: 24,
    clearOnComplete: true,
    // An interruption ends the command, which removes the bar.
    gracefulExit: false,
    emptyOnZero: true,
  };
  return () => {
    const bar: Bar = new SingleBar(options);
    bar.start(total ?? 0, 0, { count: 0 });
    return bar;
  };
}
