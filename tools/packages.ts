/**
 * Runs a `deno` subcommand with the project's JSR packages from an available
 * source, and prints the source:
 *
 *     deno run -A tools/packages.ts test -A tests
 *
 * For each package that deno.json imports, it uses the first source that has
 * it:
 *
 * 1. `JSR_LINKS`: folders with checkouts of JSR packages, separated as in
 *    `PATH` or by commas. They become deno.json's own `links`, so the imports
 *    of linked packages have to be linked, too.
 * 2. JSR, or the mirror in Deno's own `JSR_URL`, if it answers.
 * 3. `tools/stand_ins`: the used parts of `@std/*`. For `@db/sqlite` they are
 *    only types, and importing it throws.
 *
 * The command finds in its environment:
 *
 * - `ZESTOR_FFI_UNAVAILABLE`: why `@db/sqlite` is a stand-in. It is not set if
 *   the package is real. If a caller sets it, the stand-ins are used without
 *   asking JSR. So the steps of `deno task ok` share one answer.
 * - `ZESTOR_DENO_CONFIG`: the `--config` for each `deno` that the command
 *   starts. It is not set if deno.json is enough.
 *
 * With `ZESTOR_REQUIRE_JSR=1` it is an error if a package is a stand-in.
 *
 * That configuration is derived from deno.json, which is never written. It lies
 * beside deno.json while the command runs, so that relative paths mean the
 * same.
 *
 * This file imports nothing from JSR.
 *
 * @module
 */
import { delimiter, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { stripVTControlCharacters } from "node:util";

/** The longest time for JSR to deliver one small module, in ms. */
const PATIENCE = 10_000;

const root = fileURLToPath(new URL("..", import.meta.url));

/** The parts of deno.json that are read or replaced. */
interface Config {
  imports: Record<string, string>;
  /** Packages that only one folder imports by their names, by the folder. */
  scopes: Record<string, Record<string, string>>;
  links?: string[];
}

/** A JSR package in a folder of this machine. */
interface LinkedPackage {
  name: string;
  /** The folder, as a `file:` URL. */
  url: string;
}

/** The sources of the packages. */
interface Resolution {
  /** The sources, in one line. */
  summary: string;
  linked: LinkedPackage[];
  /** The stand-ins' URLs by the name of the package. */
  standIns: Record<string, string>;
}

/** The packages cannot be had as they were asked for. */
class PackagesError extends Error {}

async function main(args: string[]): Promise<number> {
  const config: Config = JSON.parse(
    await Deno.readTextFile(join(root, "deno.json")),
  );
  const [subcommand, ...rest] = args;
  if (subcommand === "doc") {
    console.error("packages: none, deno doc reads the project only");
    return await denoDoc(rest, config);
  }
  const { summary, linked, standIns } = await resolvePackages(config.imports);
  console.error(`packages: ${summary}`);
  assertAllowed(standIns);

  // The command inherits this environment.
  if (!("@db/sqlite" in standIns)) Deno.env.delete("ZESTOR_FFI_UNAVAILABLE");
  else if (!Deno.env.get("ZESTOR_FFI_UNAVAILABLE")) {
    Deno.env.set("ZESTOR_FFI_UNAVAILABLE", "JSR is not reachable");
  }
  Deno.env.delete("ZESTOR_DENO_CONFIG");
  if (linked.length === 0 && Object.keys(standIns).length === 0) {
    return await deno(args);
  }

  const derived = {
    ...config,
    imports: {
      ...config.imports,
      ...standIns,
      // The store itself imports a package by the specifier in deno.json.
      ...Object.fromEntries(
        Object.keys(standIns).map((name) => [
          config.imports[name],
          standIns[name],
        ]),
      ),
    },
    links: [...config.links ?? [], ...linked.map(({ url }) => url)],
  };
  const file = await Deno.makeTempFile({
    dir: root,
    prefix: ".packages-",
    suffix: ".json",
  });
  try {
    await Deno.writeTextFile(file, JSON.stringify(derived));
    Deno.env.set("ZESTOR_DENO_CONFIG", file);
    return linked.length === 0
      ? await deno([subcommand, "--config", file, ...rest])
      : await denoWithLinks(subcommand, ["--config", file, ...rest], linked);
  } finally {
    await Deno.remove(file);
  }
}

function assertAllowed(standIns: Resolution["standIns"]): void {
  const names = Object.keys(standIns);
  if (names.length === 0 || Deno.env.get("ZESTOR_REQUIRE_JSR") !== "1") return;
  throw new PackagesError(
    `Cannot use stand-ins for ${
      names.join(", ")
    }, because ZESTOR_REQUIRE_JSR is 1: make JSR reachable, or unset it`,
  );
}

async function resolvePackages(
  imports: Record<string, string>,
): Promise<Resolution> {
  const linked = await linkedPackages(Deno.env.get("JSR_LINKS") ?? "");
  const rest = Object.keys(imports).filter((name) =>
    imports[name].startsWith("jsr:") &&
    !linked.some((local) => local.name === name)
  );
  const links = `JSR_LINKS (${linked.length} local packages)`;
  if (rest.length === 0) return { summary: links, linked, standIns: {} };

  const reason = Deno.env.get("ZESTOR_FFI_UNAVAILABLE") ||
    await whyUnreachable(`${imports["@std/async"]}/delay`);
  const prefix = linked.length === 0 ? "" : `${links}, and for the rest `;
  if (reason === undefined) {
    const mirror = Deno.env.get("JSR_URL");
    const jsr = mirror ? `JSR at ${mirror}` : "JSR";
    return { summary: `${prefix}${jsr}`, linked, standIns: {} };
  }
  const ffi = rest.includes("@db/sqlite")
    ? "; tests of the FFI binding are ignored"
    : "";
  return {
    summary: `${prefix}stand-ins (${reason})${ffi}`,
    linked,
    standIns: Object.fromEntries(rest.map((name) => [name, standIn(name)])),
  };
}

/** `std_assert.ts` replaces `@std/assert`. */
function standIn(name: string): string {
  const file = name.slice(1).replace(/\W/g, "_");
  return new URL(`stand_ins/${file}.ts`, import.meta.url).href;
}

async function linkedPackages(list: string): Promise<LinkedPackage[]> {
  const folders = list.split(delimiter).flatMap((part) => part.split(","))
    .map((folder) => folder.trim()).filter((folder) => folder !== "");
  return await Promise.all(folders.map(linkedPackage));
}

async function linkedPackage(folder: string): Promise<LinkedPackage> {
  for (const file of ["deno.json", "deno.jsonc"]) {
    let text: string;
    try {
      text = await Deno.readTextFile(join(folder, file));
    } catch {
      continue;
    }
    // Not JSON.parse(): a deno.jsonc may have comments.
    const name = /"name"\s*:\s*"(@[^"]+)"/.exec(text)?.[1];
    if (name) return { name, url: pathToFileURL(resolve(folder)).href };
  }
  throw new PackagesError(
    `Cannot link ${folder} from JSR_LINKS: there is no deno.json with a package's name in it`,
  );
}

/**
 * Asks JSR for one small module. Deno asks, not this file, so its cache, its
 * proxy settings and `JSR_URL` have the same effect as for the command.
 *
 * @returns Nothing if JSR answered, else the reason.
 */
async function whyUnreachable(specifier: string): Promise<string | undefined> {
  const signal = AbortSignal.timeout(PATIENCE);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", "--no-config", "--no-lock", specifier],
    env: { NO_COLOR: "1" },
    stdout: "null",
    signal,
  }).output();
  if (success) return undefined;
  const problem = signal.aborted
    ? `no answer in ${PATIENCE / 1000} s`
    : /^error: (.*)/m.exec(new TextDecoder().decode(stderr))?.[1];
  return `JSR is not reachable: ${problem}`;
}

/**
 * Deno hides the type errors of packages from JSR, but reports those of linked
 * packages. They do not belong to this project in either case: tests run
 * unchecked, and `check` fails only for errors elsewhere.
 */
async function denoWithLinks(
  subcommand: string,
  args: string[],
  linked: LinkedPackage[],
): Promise<number> {
  if (subcommand === "test" || subcommand === "bench") {
    return await deno([subcommand, "--no-check", ...args]);
  }
  if (subcommand !== "check") return await deno([subcommand, ...args]);

  const child = denoProcess([subcommand, ...args], {
    stderr: "piped",
  });
  const report = await new Response(child.stderr).text();
  if (report !== "") console.error(report.trimEnd());
  const code = await exitCode(child);
  const places = stripVTControlCharacters(report)
    .match(/(?<=^ +at )file:\S+:\d+:\d+$/gm);
  const foreign = places?.every((place) =>
    linked.some(({ url }) => place.startsWith(`${url}/`))
  );
  if (code === 0 || !foreign) return code;
  console.error("packages: all of these errors are in linked packages");
  return 0;
}

/**
 * Runs `deno doc` with the packages out of its sight. Its `--lint` would take
 * the types of an npm package for this project's own, to be documented and
 * exported here, and it ignores `--config`. It does not look into a built-in
 * module, so one stands for each package, under its name and its specifier.
 * Only subpaths, which none can stand for, stay real.
 */
async function denoDoc(
  args: string[],
  { imports: named, scopes }: Config,
): Promise<number> {
  const packages = [named, ...Object.values(scopes)].flatMap(Object.entries);
  const imports = packages.flatMap(([name, specifier]) => [
    [name, "node:module"],
    [specifier, "node:module"],
    [`${name}/`, `${specifier.replace(/^(jsr|npm):/, "$1:/")}/`],
  ]);
  const map = JSON.stringify({ imports: Object.fromEntries(imports) });
  const url = `data:application/json,${encodeURIComponent(map)}`;
  return await deno(["doc", "--import-map", url, ...args]);
}

/** Runs `deno` on this terminal and gives its exit code. */
async function deno(args: string[]): Promise<number> {
  return await exitCode(denoProcess(args));
}

function denoProcess(
  args: string[],
  options: Deno.CommandOptions = {},
): Deno.ChildProcess {
  const child = new Deno.Command(Deno.execPath(), {
    args,
    stdin: "inherit",
    ...options,
  }).spawn();
  // This process must live longer than the child, to remove the configuration.
  // A terminal sends SIGINT to both; other processes send SIGTERM only to this
  // one.
  Deno.addSignalListener("SIGINT", () => {});
  if (Deno.build.os !== "windows") {
    Deno.addSignalListener("SIGTERM", () => child.kill("SIGTERM"));
  }
  return child;
}

async function exitCode(child: Deno.ChildProcess): Promise<number> {
  const { code } = await child.status;
  return code;
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    if (!(error instanceof PackagesError)) throw error;
    console.error(`packages: ${error.message}`);
    Deno.exit(1);
  }
}
