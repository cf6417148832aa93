/**
 * Runs a program and records what it does to the files of a directory.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { Disk } from "./disk.ts";
import { recorderEnv, type TracedDirectory } from "./recorder.ts";
import { readTrace, type Step } from "./trace.ts";

/** What a program did, and where it began. */
export interface Trace {
  /** The disk before the first step. Each call makes another one. */
  begin(): Disk;
  readonly steps: readonly Step[];
}

/**
 * Runs a program, to its end, that works in a directory. Asserts that the trace
 * tells all of what it did: that it leads to what is there in the end.
 */
export async function runTraced(
  where: TracedDirectory,
  run: (env: Record<string, string>) => Promise<void>,
): Promise<Trace> {
  const { directory, trace } = where;
  const before = await filesOf(directory);
  const begin = () => {
    const disk = new Disk();
    for (const { name, inode, bytes } of before) disk.add(name, inode, bytes);
    return disk;
  };
  await run(await recorderEnv(where));
  const steps = readTrace(await Deno.readFile(trace));
  await Deno.remove(trace);
  const end = begin();
  for (const step of steps) end.apply(step);
  await assertIs(directory, end);
  return { begin, steps };
}

interface FoundFile {
  readonly name: string;
  readonly inode: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

async function filesOf(directory: string): Promise<FoundFile[]> {
  const files: FoundFile[] = [];
  for await (const { name } of Deno.readDir(directory)) {
    const path = join(directory, name);
    const inode = (await Deno.stat(path)).ino!;
    files.push({ name, inode, bytes: await Deno.readFile(path) });
  }
  return files;
}

async function assertIs(directory: string, disk: Disk): Promise<void> {
  const found = await filesOf(directory);
  const names = found.map(({ name }) => name).sort();
  assertEquals([...disk.names.keys()].sort(), names, "the names in the trace");
  for (const { name, bytes } of found) {
    const traced = disk.names.get(name)!.read();
    const isSame = traced.length === bytes.length &&
      traced.every((byte, i) => byte === bytes[i]);
    if (!name.endsWith("-shm")) {
      assertEquals(isSame, true, `what is in ${name}`);
    }
  }
}
