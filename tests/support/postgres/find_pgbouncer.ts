/**
 * Finds pgbouncer: an installed one, else that of the Debian package, which
 * root downloads and unpacks. The package is not installed, because that would
 * start a pgbouncer on its usual port.
 *
 * @module
 */
import { delimiter, join } from "node:path";
import { cached, exists } from "./cache.ts";
import { account, run } from "./commands.ts";
import { unpack } from "./debian_package.ts";
import type { Missing } from "./find_postgres.ts";

/** The program. */
export interface Pgbouncer {
  readonly program: string;
  /** Its environment, which may tell where its libraries are. */
  readonly env: Record<string, string>;
}

/** The program, or why there is none. */
export async function findPgbouncer(): Promise<Pgbouncer | Missing> {
  if (Deno.build.os === "windows") {
    return { reason: "the tests start no pgbouncer on Windows" };
  }
  const dirs = (Deno.env.get("PATH") ?? "").split(delimiter).filter(Boolean);
  for (const dir of [...dirs, "/usr/sbin"]) {
    const program = join(dir, "pgbouncer");
    if (await exists(program)) return { program, env: {} };
  }
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) {
    return { reason: "pgbouncer is not installed" };
  }
  try {
    return await fromPackage();
  } catch (error) {
    return { reason: `pgbouncer: ${(error as Error).message}` };
  }
}

async function fromPackage(): Promise<Pgbouncer> {
  const dir = await cached("pgbouncer", async (dir) => {
    await unpack(dir, ["pgbouncer"]);
    const linked = await run("ldd", [join(dir, "usr/sbin/pgbouncer")]);
    if (linked.includes("not found")) await unpack(dir, await libraries());
  });
  const program = join(dir, "usr/sbin/pgbouncer");
  const triplet = `${Deno.build.arch}-linux-gnu`;
  const env = { LD_LIBRARY_PATH: join(dir, "usr/lib", triplet) };
  await run(program, ["--version"], { as: account, env });
  return { program, env };
}

/** The libraries that the package depends on. */
async function libraries(): Promise<string[]> {
  const printed = await run("apt-cache", ["depends", "pgbouncer"]);
  return [...printed.matchAll(/^ *Depends: (lib\S+)$/gm)]
    .map(([, name]) => name).filter((name) => name !== "libc6");
}
