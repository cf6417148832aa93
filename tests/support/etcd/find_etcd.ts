/**
 * Finds an etcd for the tests. It takes the first of these: the program at
 * `ZESTOR_ETCD`, an installed etcd, the Debian package, which root downloads and
 * unpacks, and a build from the Go module proxy if Go is installed.
 *
 * @module
 */
import { delimiter, join } from "node:path";
import { cached, exists } from "../postgres/cache.ts";
import { run } from "../postgres/commands.ts";
import { unpack } from "../postgres/debian_package.ts";
import type { Missing, Variables } from "../postgres/find_postgres.ts";
import { buildEtcd, BUILT } from "./build_etcd.ts";

export type { Missing } from "../postgres/find_postgres.ts";

/** The program of one version. */
export interface EtcdProgram {
  readonly program: string;
  /** The version, such as `3.4.23`. */
  readonly version: string;
  /** The output of `--help`. The names of flags differ between versions. */
  readonly help: string;
}

const environment: Variables = (name) => Deno.env.get(name);

/** The program that runs servers, or the reason why no program is available. */
export async function findEtcd(
  variables = environment,
): Promise<EtcdProgram | Missing> {
  if (Deno.build.os === "windows") {
    return { reason: "the tests start no etcd servers on Windows" };
  }
  try {
    return await programAt(await choose(variables("ZESTOR_ETCD") ?? ""));
  } catch (error) {
    return { reason: (error as Error).message };
  }
}

async function choose(choice: string): Promise<string> {
  if (choice.includes("/")) return choice;
  if (choice === BUILT) return await buildEtcd();
  if (choice !== "") {
    throw new Error(
      `Cannot use ZESTOR_ETCD=${choice}: give the path of the program, or ${BUILT} to build that version`,
    );
  }
  return await installed() ?? await fromPackage() ?? await buildEtcd();
}

async function installed(): Promise<string | undefined> {
  for (const dir of (Deno.env.get("PATH") ?? "").split(delimiter)) {
    const program = join(dir, "etcd");
    if (dir !== "" && await exists(program)) return program;
  }
  return undefined;
}

async function fromPackage(): Promise<string | undefined> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return undefined;
  const unpacking = cached(
    "etcd-server",
    (dir) => unpack(dir, ["etcd-server"]),
  );
  const dir = await unpacking.catch(() => undefined);
  return dir && join(dir, "usr/bin/etcd");
}

async function programAt(program: string): Promise<EtcdProgram> {
  if (!await exists(program)) {
    throw new Error(`Cannot run etcd: there is no ${program}`);
  }
  const printed = await run(program, ["--version"]);
  const [, version] = /^etcd Version: (\S+)$/m.exec(printed) ?? [];
  if (version === undefined) {
    throw new Error(`Cannot run etcd: ${program} prints ${printed}`);
  }
  return { program, version, help: await helpOf(program) };
}

/** Some versions print it to the standard error, and some end with an error code. */
async function helpOf(program: string): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(program, {
    args: ["--help"],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return decoder.decode(stdout) + decoder.decode(stderr);
}

/** Whether a program has a flag. */
export function hasFlag({ help }: EtcdProgram, name: string): boolean {
  return new RegExp(`^ +--${name}\\b(?!-)`, "m").test(help);
}

/** This program's name of a flag. Older versions add "experimental" to the name. */
export function flagOf(program: EtcdProgram, name: string): string {
  return hasFlag(program, name) ? `--${name}` : `--experimental-${name}`;
}
