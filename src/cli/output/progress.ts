/**
 * How far something long has come: a bar on a terminal, nothing elsewhere. It is
 * on standard error, and gone when what is printed comes.
 *
 * @module
 */
/** What is shown. */
export interface ProgressOptions {
  /** The end of the bar; absent if it is not known. */
  readonly total: number | undefined;
  /** What is counted, as in "lines". */
  readonly unit: string;
}

/** Shows how far something has come. */
export interface Progress {
  /** Shows how many there were so far, and how far the bar is; by default as far as that. */
  show(count: number, done?: number): void;
  /** Takes it away, until it is shown again. */
  clear(): void;
}

/** The part of `cli-progress` that is used, which has no types. */
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

/** What starts a bar. It is loaded where there is a terminal. */
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
    // An interruption ends the command, which takes the bar away.
    gracefulExit: false,
    emptyOnZero: true,
  };
  return () => {
    const bar: Bar = new SingleBar(options);
    bar.start(total ?? 0, 0, { count: 0 });
    return bar;
  };
}
