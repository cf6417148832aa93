/**
 * Finds a PostgreSQL for the tests: a server that somebody else runs, installed
 * programs, or the programs from npm. `ZESTOR_POSTGRES` chooses: `15` is a
 * major version, and a path is a `bin` folder.
 *
 * @module
 */
import { delimiter, join } from "node:path";
import { exists } from "./cache.ts";
import { account, run } from "./commands.ts";
import { NEWEST, npmBinaries } from "./npm_binaries.ts";

/** The programs of one version. */
export interface Binaries {
  /** The folder with `initdb`, `pg_ctl` and `postgres`. */
  readonly bin: string;
  /** The major version, such as 18. */
  readonly version: number;
}

/** Why something cannot be had. */
export interface Missing {
  readonly reason: string;
}

/** Variables by their names; those of the environment, if nothing else is said. */
export type Variables = (name: string) => string | undefined;

const environment: Variables = (name) => Deno.env.get(name);

/** The server at `POSTGRES_URL`, else the programs of {@linkcode findBinaries}. */
export async function findPostgres(
  variables = environment,
): Promise<{ readonly url: string } | Binaries | Missing> {
  const url = variables("POSTGRES_URL");
  return url ? { url } : await findBinaries(variables);
}

/** The programs to run servers with: installed ones, the newest first, else those from npm. */
export function findBinaries(
  variables = environment,
): Promise<Binaries | Missing> {
  return find(variables("ZESTOR_POSTGRES") ?? "");
}

/** The programs of a major version, whatever `ZESTOR_POSTGRES` says. */
export function findVersion(major: number): Promise<Binaries | Missing> {
  return find(String(major));
}

async function find(choice: string): Promise<Binaries | Missing> {
  if (Deno.build.os === "windows") {
    return { reason: "the tests start no PostgreSQL servers on Windows" };
  }
  try {
    return await choose(choice);
  } catch (error) {
    return { reason: (error as Error).message };
  }
}

async function choose(choice: string): Promise<Binaries> {
  if (choice.includes("/")) return await binariesIn(choice);
  if (!/^\d*$/.test(choice)) {
    throw new Error(
      `Cannot use ZESTOR_POSTGRES=${choice}: give a major version such as ${NEWEST}, or the path of a bin folder`,
    );
  }
  const major = choice === "" ? undefined : Number(choice);
  for (const bin of await installedBins()) {
    const found = await binariesIn(bin).catch(() => undefined);
    if (found && (major === undefined || found.version === major)) return found;
  }
  return await binariesIn(await npmBinaries(major ?? NEWEST));
}

/** Debian's folders, the newest version first, then those of `PATH`. */
async function installedBins(): Promise<string[]> {
  const root = "/usr/lib/postgresql";
  const versions: string[] = [];
  if (await exists(root)) {
    for await (const { name } of Deno.readDir(root)) versions.push(name);
  }
  versions.sort((a, b) => Number(b) - Number(a));
  return [
    ...versions.map((version) => join(root, version, "bin")),
    ...(Deno.env.get("PATH") ?? "").split(delimiter).filter(Boolean),
  ];
}

async function binariesIn(bin: string): Promise<Binaries> {
  for (const program of ["initdb", "pg_ctl", "postgres"]) {
    if (!await exists(join(bin, program))) {
      throw new Error(`Cannot run PostgreSQL: ${bin} has no ${program}`);
    }
  }
  // As the account that will run it, which may lack the right to.
  const printed = await run(join(bin, "postgres"), ["--version"], {
    as: account,
  });
  const [, version] = /PostgreSQL\) (\d+)/.exec(printed) ?? [];
  return { bin, version: Number(version) };
}
