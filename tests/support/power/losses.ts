/**
 * Losses of power at many moments of what a process did, each of which leaves
 * a directory to judge.
 *
 * @module
 */
import { join } from "node:path";
import type { Random } from "../random.ts";
import type { Disk } from "./disk.ts";
import { losePower } from "./power_loss.ts";
import type { Trace } from "./traced_run.ts";
import type { Step } from "./trace.ts";

/** A directory that a loss of power has left. */
export interface Loss {
  /** What the process had written to standard output until then. */
  readonly printed: string;
}

/** Looks at what is left in a directory, which it may change. Throws if that must not be. */
export type Judge = (directory: string, loss: Loss) => Promise<void>;

/** When power is lost. */
export interface LossOptions {
  /** At how many moments. */
  readonly points: number;
  /** What the disk ignores, to prove that the judges see it. @default {nothing} */
  readonly ignored?: "sync" | "syncDirectory";
}

/** Judges what losses of power leave in a directory, which is emptied each time. */
export async function judgeLosses(
  trace: Trace,
  { points, ignored, random, directory }: LossOptions & {
    readonly random: Random;
    readonly directory: string;
  },
  judge: Judge,
): Promise<void> {
  const disk = trace.begin();
  const steps = trace.steps.filter((step) => step.do !== ignored);
  let printed = "";
  const moments = chooseMoments(steps, points, random);
  for (let done = 0; done <= steps.length; done++) {
    for (let again = moments.get(done) ?? 0; again > 0; again--) {
      await leave(directory, disk, random);
      try {
        await judge(directory, { printed });
      } catch (cause) {
        throw new Error(
          `After a loss of power before step ${done}: ${
            (cause as Error).message
          }`,
          { cause },
        );
      }
    }
    const step = steps[done];
    if (step === undefined) break;
    if (step.do === "print") printed += step.text;
    else disk.apply(step);
  }
}

/** How many losses there are after so many steps. */
function chooseMoments(
  steps: readonly Step[],
  points: number,
  random: Random,
): Map<number, number> {
  // Most is lost before a sync, and most is promised after an acknowledgement.
  const telling = steps.flatMap((step, i) =>
    step.do === "sync" || step.do === "syncDirectory"
      ? [i]
      : step.do === "print"
      ? [i + 1]
      : []
  );
  const moments = new Map<number, number>();
  for (let i = 0; i < points; i++) {
    const moment = telling.length > 0 && random.chance(0.7)
      ? random.pick(telling)
      : random.below(steps.length + 1);
    moments.set(moment, (moments.get(moment) ?? 0) + 1);
  }
  return moments;
}

async function leave(
  directory: string,
  disk: Disk,
  random: Random,
): Promise<void> {
  for await (const { name } of Deno.readDir(directory)) {
    await Deno.remove(join(directory, name));
  }
  for (const [name, bytes] of losePower(disk, random)) {
    await Deno.writeFile(join(directory, name), bytes);
  }
}
