/// <reference lib="dom" />
/**
 * The user's preferences, which the browser stores.
 *
 * @module
 */
import type { Language } from "../../api.ts";
import { Cell } from "./cell.ts";

/** "system" follows the operating system. */
export type Theme = "system" | "light" | "dark";

/** The colours. `early.ts` reads them too. */
export const theme: Cell<Theme> = kept<Theme>("theme", "system", [
  "system",
  "light",
  "dark",
]);

/** The language of values. "auto": that of the kind. */
export const language: Cell<Language | "auto"> = kept<Language | "auto">(
  "language",
  "auto",
  ["auto", "json", "yaml"],
);

/** Whether single-key shortcuts are on. */
export const shortcuts: Cell<"on" | "off"> = kept<"on" | "off">(
  "shortcuts",
  "on",
  ["on", "off"],
);

/** A cell whose value outlives the page. */
function kept<T extends string>(
  name: string,
  otherwise: T,
  choices: readonly T[],
): Cell<T> {
  const cell = new Cell<T>(otherwise);
  try {
    const value = localStorage.getItem(`zestor.${name}`) as T;
    if (choices.includes(value)) cell.value = value;
  } catch {
    // The browser stores nothing for this page.
  }
  cell.subscribe((value) => {
    try {
      localStorage.setItem(`zestor.${name}`, value);
    } catch {
      // As above.
    }
  });
  return cell;
}

/** Applies the theme to the document, now and when it changes. */
export function followTheme(): void {
  const apply = () => {
    const { dataset } = document.documentElement;
    if (theme.value === "system") delete dataset.theme;
    else dataset.theme = theme.value;
  };
  theme.subscribe(apply);
  apply();
}
