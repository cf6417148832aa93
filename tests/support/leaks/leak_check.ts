/**
 * Runs `leak_side.ts` in a process of its own, and judges what is left there.
 *
 * @module
 */
import { denoRun } from "../processes/deno_run.ts";
import type { Amount, Rest } from "./leak_side.ts";

/** How much memory may be left, in bytes, however much was done. */
export interface Bounds {
  readonly heap: number;
  readonly resident: number;
}

const SIDE = new URL("leak_side.ts", import.meta.url);

/** What every part of the side has left. Throws if it did not end well, by itself. */
export async function runLeakSide(amount: Amount): Promise<Rest[]> {
  const { code, stdout } = await denoRun(SIDE, {
    flags: ["-A", "--no-check", "--v8-flags=--expose-gc"],
    args: [JSON.stringify(amount)],
    stderr: "inherit",
  }).output();
  if (code !== 0) throw new Error(`The side ended with code ${code}`);
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Rest);
}

/** What should not be left, in words; none where all is well. */
export function leaksIn(rests: readonly Rest[], bounds: Bounds): string[] {
  return rests.flatMap((rest) => {
    const { name, rounds, alive, listeners, files, heap, resident } = rest;
    const left = [
      alive > 0 && `${alive} that should be garbage`,
      listeners > 0 && `${listeners} listeners`,
      files > 0 && `${files} open files`,
      heap > bounds.heap && `${heap} bytes of heap`,
      resident > bounds.resident && `${resident} bytes of memory`,
    ].filter((part) => part !== false);
    return left.length === 0
      ? []
      : [`${name}, ${rounds} times, left ${left.join(", ")}`];
  });
}
