/**
 * The texts of all files that the browser loads, as modules: Deno loads them with
 * the package, and reads no file.
 *
 * @module
 */
import diffBase from "diff/lib/diff/base.js" with { type: "text" };
import diffLine from "diff/lib/diff/line.js" with { type: "text" };
import diffParams from "diff/lib/util/params.js" with { type: "text" };
import htm from "htm" with { type: "text" };
import htmPreact from "htm/preact" with { type: "text" };
import preact from "preact" with { type: "text" };
import preactHooks from "preact/hooks" with { type: "text" };
import uplot from "uplot/dist/uPlot.esm.js" with { type: "text" };
import uplotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import { PAGE_FILES } from "./page/files.ts";
import type { Texts } from "./texts.ts";

/** The texts. */
export const MODULE_TEXTS: Texts = {
  page: PAGE_FILES,
  libraries: {
    "diff/lib/diff/base.js": diffBase,
    "diff/lib/diff/line.js": diffLine,
    "diff/lib/util/params.js": diffParams,
    "htm": htm,
    "htm/preact": htmPreact,
    "preact": preact,
    "preact/hooks": preactHooks,
    "uplot": uplot,
  },
  uplotStyle,
};
