/**
 * The figures in README.md, which are those of RESULTS.md:
 *
 *     deno run -A bench/readme.ts
 *
 * copies them, as `deno task bench` does after a whole run.
 *
 * @module
 */
import { SUMMARY_END, SUMMARY_START } from "./summary.ts";

const RESULTS = new URL("RESULTS.md", import.meta.url);
const README = new URL("../README.md", import.meta.url);

/** Copies the figures from RESULTS.md to README.md. */
export async function updateReadme(): Promise<void> {
  const figures = figuresIn(await Deno.readTextFile(RESULTS));
  const readme = await Deno.readTextFile(README);
  await Deno.writeTextFile(README, withFigures(readme, figures));
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

if (import.meta.main) await updateReadme();
