/**
 * Writes the pages of a store as Markdown. A watch runs it whenever a page
 * changes; see the task "pages" in deno.json.
 *
 *     deno run --allow-read=. --allow-write=. examples/render.ts [pages.db [pages.md]]
 *
 * The file is replaced in one step, so nobody reads an incomplete one. Without
 * a file, the pages are printed.
 */
import { openStore } from "@zestor/store";

interface Page {
  title: string;
  text: string;
}

const [path = "pages.db", target] = Deno.args;

await using store = await openStore<{ pages: Page }>({
  path,
  driver: "builtin",
});
const pages = await store.values("pages");
const text = pages
  .map(({ value: { title, text } }) => `# ${title}\n\n${text}\n`)
  .join("\n");

if (target === undefined) {
  console.log(text);
} else {
  await Deno.writeTextFile(`${target}.next`, text);
  await Deno.rename(`${target}.next`, target);
  console.log(`${target}: ${pages.length} pages`);
}
