/**
 * Builds an etcd from the Go module proxy, once for all runs.
 *
 * @module
 */
import { join } from "node:path";
import { cached } from "../postgres/cache.ts";
import { run } from "../postgres/commands.ts";

const VERSION = "3.7.3";

/** The value of `ZESTOR_ETCD` that asks for the built etcd. */
export const BUILT = "3.7";

const MODULE = "go.etcd.io/etcd/server/v3";

/** Builds etcd, and returns the path of the program. The first call takes some minutes. */
export async function buildEtcd(): Promise<string> {
  const dir = await cached(`etcd-${VERSION}`, build);
  return join(dir, "etcd");
}

async function build(dir: string): Promise<void> {
  const go = (...args: string[]) =>
    run("go", args, { cwd: source, env: { GOWORK: "off", CGO_ENABLED: "0" } });
  const source = join(dir, "source");
  await Deno.mkdir(source);
  try {
    await go("mod", "init", "zestor.test/etcd");
    await go("get", `${MODULE}@v${VERSION}`);
    await go("build", "-trimpath", "-o", join(dir, "etcd"), MODULE);
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotFound
      ? "etcd is not installed, and without Go it cannot be built"
      : `etcd ${VERSION} cannot be built: ${(cause as Error).message}`;
    throw new Error(reason, { cause });
  }
  await Deno.remove(source, { recursive: true });
}
