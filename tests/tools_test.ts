/**
 * The tool that decides where JSR packages come from, and the stand-ins that it
 * falls back to: they have to give the answers of the real packages, and are
 * compared with them wherever those can be had.
 */
import * as realAssert from "@std/assert";
import * as realAsync from "@std/async";
import * as realYaml from "@std/yaml";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import * as standInAssert from "../tools/stand_ins/std_assert.ts";
import * as standInAsync from "../tools/stand_ins/std_async.ts";
import * as standInYaml from "../tools/stand_ins/std_yaml.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

async function packages(
  args: string[],
  env: Record<string, string>,
): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-config", "tools/packages.ts", ...args],
    cwd: root,
    // What this process was started with does not count.
    env: {
      JSR_LINKS: "",
      ZESTOR_FFI_UNAVAILABLE: "",
      ZESTOR_REQUIRE_JSR: "",
      NO_COLOR: "1",
      ...env,
    },
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

Deno.test("packages.ts names the folder that it cannot link", async () => {
  const { code, err } = await packages(["eval", "1"], {
    JSR_LINKS: "no/such/folder",
  });
  assertEquals(code, 1);
  assertStringIncludes(err, "Cannot link no/such/folder from JSR_LINKS");
});

Deno.test("packages.ts says why it takes stand-ins, and passes the exit code on", async () => {
  const { code, out, err } = await packages(["eval", CHILD], {
    ZESTOR_FFI_UNAVAILABLE: "the test says so",
  });
  assertStringIncludes(
    err,
    "packages: stand-ins (the test says so); tests of the FFI binding are ignored\n",
  );
  const { config, message } = JSON.parse(out);
  assertEquals(message, "Cannot load @db/sqlite: JSR is not reachable");
  assertEquals(code, 7);
  await realAssert.assertRejects(() => Deno.stat(config), Deno.errors.NotFound);
});

const CHILD = `
  const { message } = await import("@db/sqlite").catch((error) => error);
  const config = Deno.env.get("ZESTOR_DENO_CONFIG");
  console.log(JSON.stringify({ config, message }));
  Deno.exit(7);
`;

Deno.test("packages.ts uses no stand-ins if JSR is required", async () => {
  const { code, out, err } = await packages(["eval", "console.log(1)"], {
    ZESTOR_FFI_UNAVAILABLE: "the test says so",
    ZESTOR_REQUIRE_JSR: "1",
  });
  assertStringIncludes(err, "Cannot use stand-ins for @db/sqlite, @std/assert");
  assertEquals({ code, out }, { code: 1, out: "" });
});

Deno.test("packages.ts does without JSR if nobody answers", async () => {
  const { code, err } = await packages(["eval", "1"], {
    JSR_URL: "http://127.0.0.1:1/",
  });
  assertEquals(code, 0);
  assertStringIncludes(err, "packages: stand-ins (JSR is not reachable: ");
});

/** A comparison, not made where a stand-in would be compared with itself. */
function compare(
  name: string,
  real: unknown,
  standIn: unknown,
  fn: () => void | Promise<void>,
): void {
  const ignore = real === standIn;
  const reason = ignore ? " (JSR is not reachable)" : "";
  Deno.test({ name: name + reason, ignore, fn });
}

const now = new Date(0);
const bare = Object.assign(Object.create(null), { a: 1 });
const PAIRS: [unknown, unknown][] = [
  [1, 1],
  [0, -0],
  [NaN, NaN],
  [1, 1n],
  [1, "1"],
  [null, undefined],
  [[1, [2]], [1, [2]]],
  [[1, 2], [2, 1]],
  [[undefined], []],
  [{ a: 1, b: 2 }, { b: 2, a: 1 }],
  [{ a: undefined }, {}],
  [{ a: undefined }, { b: undefined }],
  [bare, { a: 1 }],
  [new Map([["a", 1], ["b", 2]]), new Map([["b", 2], ["a", 1]])],
  [new Map([["a", 1]]), new Map([["a", 2]])],
  [new Map([[{ k: 1 }, 1]]), new Map([[{ k: 1 }, 1]])],
  [new Set([1, { a: 1 }]), new Set([{ a: 1 }, 1])],
  [new Set([1]), new Set([1, 2])],
  [new Uint8Array([1, 2]), new Uint8Array([1, 2])],
  [new Uint8Array([1, 2]), new Uint8Array([1, 3])],
  [new Uint8Array([1, 2]), [1, 2]],
  [now, new Date(0)],
  [now, new Date(1)],
  [new Date(NaN), new Date(NaN)],
  [/a/g, /a/g],
  [/a/g, /a/],
  [new URL("file:///a"), new URL("file:///b")],
  [new TypeError("a"), new Error("a")],
];

compare(
  "assertEquals() stands in for @std/assert's",
  realAssert.assertEquals,
  standInAssert.assertEquals,
  () => {
    for (const [a, b] of PAIRS) {
      const real = passes(() => realAssert.assertEquals(a, b));
      const pair = Deno.inspect([a, b]);
      assertEquals(passes(() => standInAssert.assertEquals(a, b)), real, pair);
      assertEquals(
        passes(() => standInAssert.assertNotEquals(a, b)),
        !real,
        pair,
      );
    }
  },
);

function passes(fn: () => unknown): boolean {
  try {
    fn();
    return true;
  } catch {
    return false;
  }
}

const REJECTIONS: (() => Promise<unknown>)[] = [
  () => Promise.reject(new TypeError("No such thing")),
  () => Promise.reject("text"),
  () => Promise.resolve(),
  () => {
    throw new TypeError("No such thing");
  },
];

const EXPECTATIONS: [typeof Error, string?][] = [
  [Error],
  [TypeError, "such"],
  [TypeError, "other"],
  [RangeError],
];

compare(
  "assertRejects() stands in for @std/assert's",
  realAssert.assertRejects,
  standInAssert.assertRejects,
  async () => {
    for (const fn of REJECTIONS) {
      assertEquals(
        await outcome(standInAssert.assertRejects(fn)),
        await outcome(realAssert.assertRejects(fn)),
        String(fn),
      );
      for (const expected of EXPECTATIONS) {
        assertEquals(
          await outcome(standInAssert.assertRejects(fn, ...expected)),
          await outcome(realAssert.assertRejects(fn, ...expected)),
          `${fn} ${expected}`,
        );
      }
    }
  },
);

/** What a promise settles to, errors by their names. */
async function outcome(promise: Promise<unknown>): Promise<unknown> {
  const named = (value: unknown) => value instanceof Error ? value.name : value;
  try {
    return { resolved: named(await promise) };
  } catch (error) {
    return { rejected: named(error) };
  }
}

compare(
  "delay(), deadline() and abortable() stand in for @std/async's",
  realAsync.delay,
  standInAsync.delay,
  async () => {
    const aborted = AbortSignal.abort("the reason");
    const never = new Promise(() => {});
    for (const { delay, deadline, abortable } of [realAsync, standInAsync]) {
      const delayed = delay(60_000, { signal: aborted });
      assertEquals(await outcome(delayed), { rejected: "the reason" });
      assertEquals(await outcome(delay(1)), { resolved: undefined });
      const late = deadline(never, 1);
      assertEquals(await outcome(late), { rejected: "TimeoutError" });
      const stopped = abortable(never, aborted);
      assertEquals(await outcome(stopped), { rejected: "the reason" });
    }
  },
);

const VALUES: unknown[] = [
  { name: "Alice", tags: ["a", "b"], nested: { empty: {}, none: [] } },
  "yes",
  "2001-01-01",
  "two\nlines\n",
  "😀 ünï",
  new Date(0),
  [null, true, 1.5, -0, Infinity, 1e21],
  undefined,
  { a: undefined },
  [undefined],
  () => {},
  Symbol("s"),
  10n,
];

compare(
  "stringify() stands in for @std/yaml's",
  realYaml.stringify,
  standInYaml.stringify,
  () => {
    for (const value of VALUES) {
      assertEquals(
        settled(() => standInYaml.stringify(value)),
        settled(() => realYaml.stringify(value)),
        Deno.inspect(value),
      );
    }
  },
);

const DOCUMENTS = [
  "a: 1\nb: [x, ~]\n",
  "",
  "2001-01-01",
  "!!binary AQID",
  "a: &x {q: 1}\nb: *x",
  "a: [1",
  "a: 1\na: 2",
  "---\na\n---\nb",
  "!unknown x",
  "*nobody",
];

compare(
  "parse() stands in for @std/yaml's",
  realYaml.parse,
  standInYaml.parse,
  () => {
    for (const text of DOCUMENTS) {
      assertEquals(
        settled(() => standInYaml.parse(text)),
        settled(() => realYaml.parse(text)),
        text,
      );
    }
  },
);

/** What a function returns, or the built-in class of what it throws. */
function settled(fn: () => unknown): unknown {
  try {
    return { returned: fn() };
  } catch (error) {
    assert(error instanceof TypeError || error instanceof SyntaxError);
    return { threw: error instanceof TypeError ? "TypeError" : "SyntaxError" };
  }
}
