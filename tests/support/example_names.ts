/**
 * The examples that run on every engine if their opening line is changed.
 *
 * @module
 */
const examples = new URL("../../examples/", import.meta.url);

/** It copies a database of Deno KV, which `deno_kv_test.ts` runs. */
const OF_DENO_KV = "copy_deno_kv.ts";

/**
 * The names of the examples. The programs of a page of the documentation are in
 * a folder, and are run as the page shows it.
 */
export const exampleNames: readonly string[] = [...Deno.readDirSync(examples)]
  .filter(({ isFile, name }) => isFile && name !== OF_DENO_KV)
  .map(({ name }) => name);
