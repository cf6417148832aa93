/**
 * The native library of `@db/sqlite`: finds out whether it is on this machine,
 * and loads it without output, because standard output belongs to the program.
 *
 * The binding's loader, `@denosaurs/plug`, downloads the library if its cache
 * does not have it, prints that with `console.log`, and asks the network again
 * at each start that finds no cache.
 *
 * @module
 */
import { join } from "../../base/paths.ts";

/** The URL of the binding's releases. */
const RELEASES = "https://github.com/denodrivers/sqlite3/releases/download/";

/** The releases that the binding's version range in deno.json allows. */
const VERSION = /^0\.13\./;

/**
 * Whether the library is on this machine, so that loading it downloads nothing:
 * an environment variable names it, or the loader's cache has it. It reads the
 * environment, and asks for no permission.
 */
export async function isNativeLibraryHere(): Promise<boolean> {
  const { env } = Deno;
  if (env.get("DENO_SQLITE_PATH") || env.get("DENO_SQLITE_LOCAL") === "1") {
    return true;
  }
  const cache = cacheOfLoader();
  if (cache === undefined) return false;
  const { state } = await Deno.permissions.query({ name: "read", path: cache });
  if (state !== "granted") return false;
  return await hasRelease(cache);
}

/** Whether a cache has the library of a release. Beside each file is a note of its URL. */
async function hasRelease(cache: string): Promise<boolean> {
  try {
    for await (const { name } of Deno.readDir(cache)) {
      if (!name.endsWith(".metadata.json")) continue;
      const note = await Deno.readTextFile(join(cache, name));
      if (isRelease(JSON.parse(note).url)) return true;
    }
  } catch {
    // There is no cache, or it has other content.
  }
  return false;
}

function isRelease(url: unknown): boolean {
  return typeof url === "string" && url.startsWith(RELEASES) &&
    VERSION.test(url.slice(RELEASES.length));
}

/** The folder of the loader's cache for files from GitHub. */
function cacheOfLoader(): string | undefined {
  const folder = Deno.env.get("DENO_DIR") || defaultDenoDir();
  return folder && join(folder, "plug", "https", "github.com");
}

/** The default folder of Deno's cache (https://docs.deno.com/runtime/reference/env_variables/). */
function defaultDenoDir(): string | undefined {
  const { env } = Deno;
  const home = env.get("HOME");
  switch (Deno.build.os) {
    case "windows":
      return under(env.get("LOCALAPPDATA"), "deno");
    case "darwin":
      return under(home, "Library", "Caches", "deno");
    default:
      return under(env.get("XDG_CACHE_HOME") ?? under(home, ".cache"), "deno");
  }
}

function under(folder: string | undefined, ...names: string[]) {
  return folder && join(folder, ...names);
}

/**
 * Runs work that may load the library, and suppresses the loader's output. All
 * other output is printed.
 */
export async function withoutNotice<T>(work: () => Promise<T>): Promise<T> {
  const { log } = console;
  const quiet = (...data: unknown[]) => {
    if (!String(data[0]).includes(RELEASES)) log.apply(console, data);
  };
  console.log = quiet;
  try {
    return await work();
  } finally {
    // Restores it, unless somebody else has replaced it meanwhile.
    if (console.log === quiet) console.log = log;
  }
}
