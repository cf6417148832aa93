/**
 * The figures in docs/performance.md, which are those of RESULTS.md:
 *
 *     deno run -A bench/figures.ts
 *
 * copies them, as `deno task bench` does after a whole run.
 *
 * @module
 */
import { SUMMARY_END, SUMMARY_START } from "./summary.ts";

const RESULTS = new URL("RESULTS.md", import.meta.url);
const PAGE = new URL("../docs/performance.md", import.meta.url);

/** Copies the figures from RESULTS.md to docs/performance.md. */
export async function updatePage(): Promise<void> {
  const figures = figuresIn(await Deno.readTextFile(RESULTS));
  const page = await Deno.readTextFile(PAGE);
  await Deno.writeTextFile(PAGE, withFigures(page, figures));
}

/** The figures that a text has between its marks, with the marks. */
export function figuresIn(text: string): string {
  const start = text.indexOf(SUMMARY_START);
  const end = text.indexOf(SUMMARY_END, start);
  if (start < 0 || end < 0) {
    throw new Error(
      `Cannot find the figures: the text must have "${SUMMARY_START}" and "${SUMMARY_END}"`,
    );
  }
  return text.slice(start, end + SUMMARY_END.length);
}

/** A text with other figures between its marks. */
export function withFigures(text: string, figures: string): string {
  return text.replace(figuresIn(text), () => figures);
}

if (import.meta.main) await updatePage();
