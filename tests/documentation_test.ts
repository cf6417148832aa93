/**
 * The reference that `deno doc` makes of the exports in deno.json.
 *
 * @module
 */
import { assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import config from "../deno.json" with { type: "json" };

const root = fileURLToPath(new URL("..", import.meta.url));
const entryPoints = Object.values(config.exports);

interface Documented {
  name: string;
  jsDoc?: { doc?: string; tags?: { kind: string }[] };
}

interface Declaration extends Documented {
  kind: string;
  location: { filename: string };
  def?: { methods?: Documented[]; constructors?: Documented[] };
}

interface ExportedSymbol {
  name: string;
  declarations: Declaration[];
}

/** The exported symbols of the whole package. */
async function exportedSymbols(): Promise<ExportedSymbol[]> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-config",
      "tools/packages.ts",
      "doc",
      "--json",
      ...entryPoints,
    ],
    cwd: root,
  }).output();
  assertEquals(code, 0);
  const { nodes } = JSON.parse(new TextDecoder().decode(stdout)) as {
    nodes: Record<string, { symbols: ExportedSymbol[] }>;
  };
  return Object.values(nodes).flatMap(({ symbols }) => symbols);
}

function hasExample({ jsDoc }: Documented): boolean {
  return jsDoc?.tags?.some(({ kind }) => kind === "example") ?? false;
}

/** The functions and methods of a symbol; its constructors, unless the class has an example. */
function* callables(
  { name, declarations }: ExportedSymbol,
): Generator<[name: string, documented: Documented]> {
  for (const declaration of declarations) {
    if (declaration.kind === "function") yield [name, declaration];
    for (const method of declaration.def?.methods ?? []) {
      yield [`${name}.${method.name}`, method];
    }
    if (hasExample(declaration)) continue;
    for (const constructor of declaration.def?.constructors ?? []) {
      yield [`new ${name}`, constructor];
    }
  }
}

Deno.test("each exported function, method and class has an example", async () => {
  const withExample = new Set<string>();
  const without = new Set<string>();
  // One overload with an example is enough.
  for (const symbol of await exportedSymbols()) {
    for (const [name, documented] of callables(symbol)) {
      (hasExample(documented) ? withExample : without).add(name);
    }
  }
  assertGreater(withExample.size, 70);
  assertEquals([...without].filter((name) => !withExample.has(name)), []);
});

Deno.test("the documentation of Store states the whole contract", async () => {
  const store = (await exportedSymbols()).find(({ name }) => name === "Store");
  const contract = store?.declarations[0].jsDoc?.doc ?? "";
  for (let n = 1; n <= 9; n++) {
    assertStringIncludes(contract, `**C${n}, `);
    assertStringIncludes(contract, `**W${n}, `);
  }
});

Deno.test("the task docs checks every entry point", () => {
  for (const entryPoint of entryPoints) {
    const path = entryPoint.replace("./", " ");
    assertStringIncludes(`${config.tasks.docs.command} `, `${path} `);
  }
});
