/**
 * Where downloaded programs are kept between runs, outside the project.
 *
 * @module
 */
import { join } from "node:path";

/**
 * The folder of the cache. The account that the servers run as must be able to
 * read it, so it is not in the home directory of root.
 */
function cacheDir(): string {
  if (Deno.uid() === 0) return "/var/cache/zestor-tests";
  const home = Deno.env.get("HOME") ?? "/nonexistent";
  const caches = Deno.build.os === "darwin"
    ? join(home, "Library/Caches")
    : Deno.env.get("XDG_CACHE_HOME") || join(home, ".cache");
  return join(caches, "zestor-tests");
}

/**
 * A folder of the cache. If it is missing, it is filled in a folder beside it
 * and then renamed, so it is never seen half filled.
 */
export async function cached(
  name: string,
  fill: (dir: string) => Promise<void>,
): Promise<string> {
  const cache = cacheDir();
  const dir = join(cache, name);
  if (await exists(dir)) return dir;
  await Deno.mkdir(cache, { recursive: true });
  const partial = await Deno.makeTempDir({ dir: cache, prefix: "partial-" });
  try {
    await Deno.chmod(partial, 0o755);
    await fill(partial);
    await Deno.rename(partial, dir);
  } catch (error) {
    await Deno.remove(partial, { recursive: true });
    // Another process may have filled it meanwhile.
    if (!await exists(dir)) throw error;
  }
  return dir;
}

/** If a path is there. */
export async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
