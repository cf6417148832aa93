/**
 * The blocks of the documents that use Deno KV run, as others do. They need a
 * flag that the tests are run without.
 *
 * @module
 */
import { assert, assertGreater } from "@std/assert";
import { blocksOf, readPage, usesDenoKv } from "../support/docs/pages.ts";
import { denoRun } from "../support/processes/deno_run.ts";
import { tempDir } from "../support/temp_dir.ts";

Deno.test("docs/from-deno-kv.md: the code for Deno KV runs", async () => {
  const blocks = blocksOf(await readPage("docs/from-deno-kv.md"))
    .filter(usesDenoKv);
  assertGreater(blocks.length, 0);
  await using dir = await tempDir();
  for (const [i, { code }] of blocks.entries()) {
    await Deno.writeTextFile(dir.file(`${i}.ts`), code);
  }
  const main = dir.file("main.ts");
  const imports = blocks.map((_, i) => `import "./${i}.ts";\n`);
  await Deno.writeTextFile(main, imports.join(""));
  const { success, stderr } = await denoRun(main, {
    flags: ["-A", "--no-check", "--unstable-kv"],
    stdout: "null",
    stderr: "piped",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
});
