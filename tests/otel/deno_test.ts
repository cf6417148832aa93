/**
 * Checks what a collector gets when Deno exports the spans and metrics of an
 * instrumented store, and that docs/opentelemetry.md is correct.
 *
 * @module
 */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { fileURLToPath } from "node:url";
import {
  type Collector,
  type ExportedSpan,
  startCollector,
} from "../support/otel/collector.ts";
import { denoRun } from "../support/processes/deno_run.ts";
import { tempDir } from "../support/temp_dir.ts";

const root = new URL("../../", import.meta.url);
const text = await Deno.readTextFile(new URL("docs/opentelemetry.md", root));

/** The metrics in the document, and their units. */
const documented = new Map(
  Array.from(
    text.matchAll(
      /^\| `([a-z._]+)` *\| `([^`]+)` *\| (?:histogram|up|gauge)/gm,
    ),
    ([, name, unit]) => [name, unit],
  ),
);

/** How long a program may take before it counts as hanging. */
const HANGING_MS = 60_000;

/** The metric that has no value unless another writer holds the lock. */
const RARE = "zestor.lock.wait.duration";

function named(spans: readonly ExportedSpan[], name: string): ExportedSpan[] {
  return spans.filter((span) => span.name === name);
}

/** Runs a program to its end. Returns its output. */
async function runToEnd(
  file: string,
  { cwd, env, flags }: {
    cwd: string;
    env?: Record<string, string>;
    flags: string[];
  },
): Promise<string> {
  const { success, stdout, stderr } = await denoRun(file, {
    flags: ["--no-check", ...flags],
    cwd,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const decoder = new TextDecoder();
  assertEquals([success, decoder.decode(stderr)], [true, ""]);
  return decoder.decode(stdout);
}

/** Runs a program until a collector has received enough of its data. */
async function runUntil(
  collector: Collector,
  path: string,
  isEnough: () => boolean,
): Promise<void> {
  const program = new URL(
    "../support/otel/exporting_program.ts",
    import.meta.url,
  );
  await using process = denoRun(program, {
    flags: ["--no-check", "-A"],
    args: [path],
    env: collector.env,
    stdin: "piped",
  }).spawn();
  const hanging = setTimeout(() => process.kill(), HANGING_MS);
  await Promise.race([collector.until(isEnough), process.status]);
  clearTimeout(hanging);
  assert(isEnough(), "it did not export what it should");
  await process.stdin.close();
  assertEquals((await process.status).success, true);
}

Deno.test("with OTEL_DENO, Deno exports the spans and the metrics of a store", async () => {
  await using collector = startCollector();
  await using dir = await tempDir();
  const wanted = [...documented.keys()].filter((name) => name !== RARE);
  const isEnough = () =>
    wanted.every((name) => collector.units.has(name)) &&
    // The spans of the client, and of the server.
    named(collector.spans, "GET").length >= 2;
  await runUntil(collector, dir.file("app.db"), isEnough);
  const { spans, units } = collector;
  const [handle] = named(spans, "handle");
  const requests = named(spans, "GET").map(({ spanId }) => spanId);
  assert(requests.includes(handle.parentSpanId), "it is in Deno's own span");
  const writes = named(spans, "set k");
  const [get] = named(spans, "get k");
  const commits = named(spans, "commit");
  const inHandler = [...writes, get];
  assertEquals(
    inHandler.map(({ parentSpanId, traceId }) => [parentSpanId, traceId]),
    Array(3).fill([handle.spanId, handle.traceId]),
  );
  // A slow machine commits the two one by one.
  const linksOf = ({ links = [] }: ExportedSpan) =>
    links.map(({ spanId }) => spanId);
  assertEquals(
    commits.flatMap(linksOf).toSorted(),
    writes.map(({ spanId }) => spanId).toSorted(),
  );
  for (const commit of commits) {
    assertEquals(commit.parentSpanId, linksOf(commit)[0]);
  }
  assertEquals(get.attributes, {
    "db.system.name": "sqlite",
    "db.namespace": "app.db",
    "db.operation.name": "get",
    "db.collection.name": "k",
  });
  for (const name of wanted) {
    assertEquals(units.get(name), documented.get(name));
  }
});

Deno.test("docs/opentelemetry.md lists every metric", async () => {
  const source = await Deno.readTextFile(
    new URL("src/otel/instruments.ts", root),
  );
  const names = Array.from(
    source.matchAll(/"((?:zestor|db\.client)\.[a-z.]+)"/g),
    ([, name]) => name,
  );
  assertGreater(names.length, 7);
  assertEquals(names.toSorted(), [...documented.keys()].toSorted());
});

Deno.test("docs/opentelemetry.md lists every option", async () => {
  const source = await Deno.readTextFile(
    new URL("src/otel/instrument.ts", root),
  );
  const [, list] = /interface InstrumentOptions \{(.*?)\n\}/s.exec(source)!;
  const options = Array.from(
    list.matchAll(/^ {2}(\w+)\?:/gm),
    ([, name]) => name,
  );
  assertGreater(options.length, 3);
  for (const name of options) {
    assert(text.includes(`| \`${name}\``), `${name} is missing`);
  }
});

/** Changes a program of the page so that it runs elsewhere: deno.json maps its packages only for docs/. */
async function withSpecifiers(program: string): Promise<string> {
  const { scopes } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", root)),
  );
  return program.replace(
    /(?<=from ")@[^"]+/g,
    (name) => scopes["./docs/"][name] ?? name,
  );
}

Deno.test("docs/opentelemetry.md: the code runs, with the permissions that it names", async () => {
  await using collector = startCollector();
  await using dir = await tempDir();
  const [main, own] = Array.from(
    text.matchAll(/^```ts(?: ignore)?\n(.*?)^```/gms),
    ([, code]) => code,
  );
  const [, permissions] = /deno run (.*) main\.ts/.exec(text)!;
  const file = dir.file("main.ts");
  await Deno.writeTextFile(file, main);
  const cwd = dir.path;
  const flags = permissions.split(" ");
  assertEquals(await runToEnd(file, { cwd, flags, env: collector.env }), "1\n");
  // They are exported before the process ends.
  assertEquals(named(collector.spans, "set users").length, 1);
  assertEquals(named(collector.spans, "count users").length, 1);

  await Deno.writeTextFile(file, await withSpecifiers(own));
  const printed = await runToEnd(file, { cwd, flags: ["-A"] });
  assertEquals(printed, '[ "commit", "set users" ]\n');
});

Deno.test("only @zestor/store/otel loads OpenTelemetry", async () => {
  const { exports } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", root)),
  );
  const { "./otel": otel, ...others } = exports as Record<string, string>;
  await using dir = await tempDir();
  const packagesOf = async (modules: string[]) => {
    const file = dir.file("program.ts");
    const imports = modules.map((module) =>
      `import "${new URL(module, root)}";`
    );
    await Deno.writeTextFile(file, imports.join("\n"));
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", `--config=${CONFIG}`, file],
    }).output();
    const { modules: found } = JSON.parse(new TextDecoder().decode(stdout));
    return (found as { specifier: string }[]).map(({ specifier }) => specifier)
      .filter((specifier) => specifier.includes("@opentelemetry/"));
  };
  assertEquals(await packagesOf(Object.values(others)), []);
  assertEquals((await packagesOf([otel])).length, 1);
});

const CONFIG = Deno.env.get("ZESTOR_DENO_CONFIG") ??
  fileURLToPath(new URL("deno.json", root));
