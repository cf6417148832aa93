/**
 * The package as npm users get it: JSR makes JavaScript of each TypeScript file,
 * puts it beside that, and renames the imports. Here the types are taken out by
 * the same means as Node.js has, so that only what can be taken out may be used.
 *
 * @module
 */
import { stripTypeScriptTypes } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** What is read of deno.json. */
interface Config {
  readonly exports: Record<string, string>;
  readonly imports: Record<string, string>;
}

/** What a stand-in imports of npm. */
const OF_STAND_INS = { "js-yaml": "^4.1.0" };

/**
 * Makes a project in a directory, with the package, what it imports, and the
 * programs of `tests/support/platforms/programs`.
 */
export async function makeProject(dir: string): Promise<void> {
  const config: Config = JSON.parse(
    await Deno.readTextFile(join(root, "deno.json")),
  );
  await install(dir, config);
  const modules = join(dir, "node_modules");
  await copyModules(root, join(modules, "@zestor/store"), [
    "deno.json",
    "mod.ts",
    "src",
  ]);
  await writePackage(join(modules, "@zestor/store"), {
    name: "@zestor/store",
    exports: Object.fromEntries(
      Object.entries(config.exports).map(([name, file]) => [name, toJs(file)]),
    ),
  });
  for (const name of ["assert", "async", "yaml"]) {
    const folder = join(modules, "@std", name);
    const file = `std_${name}.ts`;
    await copyModules(join(root, "tools/stand_ins"), folder, [file]);
    await writePackage(folder, {
      name: `@std/${name}`,
      exports: { ".": `./${toJs(file)}` },
    });
  }
  await copyModules(join(root, "tests/support/platforms/programs"), dir, ["."]);
}

/** Installs the npm packages that the package imports, from Deno's cache if they are there. */
async function install(dir: string, { imports }: Config): Promise<void> {
  const npm = /^npm:(@?[^@]+)@(.+)$/;
  const found = Object.values(imports).map((specifier) => npm.exec(specifier));
  await writePackage(dir, {
    dependencies: {
      ...Object.fromEntries(
        found.filter((it) => it !== null).map(([, name, range]) =>
          [name, range] as const
        ),
      ),
      ...OF_STAND_INS,
    },
  });
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["install", "--quiet", "--no-lock"],
    cwd: dir,
    env: { NO_COLOR: "1" },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

async function writePackage(folder: string, fields: object): Promise<void> {
  const text = JSON.stringify({ type: "module", ...fields });
  await Deno.writeTextFile(join(folder, "package.json"), text);
}

/** Copies files and folders. A TypeScript file also becomes JavaScript. */
async function copyModules(
  from: string,
  to: string,
  names: readonly string[],
): Promise<void> {
  for (const file of names.flatMap((name) => [...filesOf(join(from, name))])) {
    const copy = join(to, relative(from, file));
    await Deno.mkdir(dirname(copy), { recursive: true });
    await Deno.copyFile(file, copy);
    if (!file.endsWith(".ts")) continue;
    const code = await Deno.readTextFile(file);
    await Deno.writeTextFile(toJs(copy), withNpmNames(strip(code, file)));
  }
}

function* filesOf(path: string): Generator<string> {
  if (Deno.statSync(path).isFile) return yield path;
  for (const { name } of Deno.readDirSync(path)) {
    yield* filesOf(join(path, name));
  }
}

function strip(code: string, file: string): string {
  try {
    return stripTypeScriptTypes(code);
  } catch (cause) {
    throw new Error(`Cannot take the types out of ${file}`, { cause });
  }
}

/** The code with the names of modules that they have there: "./a.js", and "pg" instead of "npm:pg@^8". */
function withNpmNames(code: string): string {
  return code.replace(
    /(?<before>\b(?:from|import)\s*\(?\s*)"(?<name>(?:\.|npm:)[^"]*)"(?! with)/g,
    (_, before, name: string) =>
      `${before}"${toJs(name).replace(/^npm:(@?[^@]+)@[^/]*/, "$1")}"`,
  );
}

function toJs(file: string): string {
  return file.replace(/\.ts$/, ".js");
}
