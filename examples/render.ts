/**
 * Writes the pages of a store to a Markdown file: what a watch runs whenever
 * one of them changes.
 *
 *     deno run --allow-read=. --allow-write=. examples/render.ts [pages.db] [pages.md]
 *
 * The file is replaced in one step: who reads it never sees half of it.
 */
import { openStore } from "@zestor/store";

interface Page {
  title: string;
  text: string;
}

const [path = "pages.db", target = "pages.md"] = Deno.args;

await using store = await openStore<{ pages: Page }>({
  path,
  driver: "builtin",
});
const pages = await store.values("pages");
const text = pages.map(({ value }) => `# ${value.title}\n\n${value.text}\n`);

await Deno.writeTextFile(`${target}.next`, text.join("\n"));
await Deno.rename(`${target}.next`, target);
console.log(`${target}: ${pages.length} pages`);
