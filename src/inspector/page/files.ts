/**
 * The page's own files, as texts, by the names that the browser has for them.
 * `index.html` is the page; it names the others under `assets/`. Scripts import
 * each other by relative paths.
 *
 * @module
 */
import html from "./index.html" with { type: "text" };
import main from "./main.ts" with { type: "text" };
import style from "./style.css" with { type: "text" };

/** Every file of the page. */
export const PAGE_FILES: Readonly<Record<string, string>> = {
  "index.html": html,
  "main.ts": main,
  "style.css": style,
};
