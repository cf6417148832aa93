/**
 * The library that records what a process does to the files of a directory. Its
 * source is in `recorder/`; it is compiled once, when it is first asked for.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tempDirOfFile } from "../temp_dir.ts";

const SOURCES = ["data.c", "names.c", "sync.c", "trace.c", "traced.c"];

/** The recorder, or why there is none here. */
export type Recorder =
  | { readonly library: string; readonly unavailable?: undefined }
  | { readonly library?: undefined; readonly unavailable: string };

let recorder: Promise<Recorder> | undefined;

/** Compiles the recorder. */
export function loadRecorder(): Promise<Recorder> {
  return recorder ??= compile();
}

async function compile(): Promise<Recorder> {
  if (Deno.build.os !== "linux") {
    return { unavailable: "the recorder preloads a library as Linux does" };
  }
  const library = join(tempDirOfFile(), "recorder.so");
  const folder = fileURLToPath(new URL("recorder/", import.meta.url));
  const sources = SOURCES.map((name) => join(folder, name));
  const flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"];
  const args = [...flags, "-o", library, ...sources, "-ldl", "-lpthread"];
  try {
    const { success, stderr } = await new Deno.Command("cc", { args }).output();
    if (success) return { library };
    const [reason] = new TextDecoder().decode(stderr).split("\n");
    return { unavailable: `cc cannot compile the recorder: ${reason}` };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { unavailable: "there is no C compiler, cc" };
  }
}

/** A directory whose files are recorded, and the file for the trace, which is not in it. */
export interface TracedDirectory {
  readonly directory: string;
  readonly trace: string;
}

/** The variables that make a process record what it does to the files of a directory. */
export async function recorderEnv(
  { directory, trace }: TracedDirectory,
): Promise<Record<string, string>> {
  const { library, unavailable } = await loadRecorder();
  if (library === undefined) throw new Error(unavailable);
  return {
    LD_PRELOAD: library,
    ZESTOR_POWER_DIRECTORY: directory,
    ZESTOR_POWER_TRACE: trace,
  };
}
