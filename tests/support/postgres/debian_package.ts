/**
 * Unpacks packages of Debian without installing them: installing one would start
 * its service on the usual port.
 *
 * @module
 */
import { join } from "node:path";
import { run } from "./commands.ts";

/** Downloads packages, and unpacks them into a folder. */
export async function unpack(dir: string, packages: string[]): Promise<void> {
  const download = () =>
    run("apt-get", ["download", ...packages], { cwd: dir });
  try {
    await download();
  } catch {
    // A fresh image has no lists of packages.
    await run("apt-get", ["update"]);
    await download();
  }
  for await (const { name } of Deno.readDir(dir)) {
    if (!name.endsWith(".deb")) continue;
    await run("dpkg-deb", ["--extract", join(dir, name), dir]);
    await Deno.remove(join(dir, name));
  }
}
