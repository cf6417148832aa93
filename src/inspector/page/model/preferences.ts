/// <reference lib="dom" />
/**
 * What the user likes. The browser keeps it.
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

/** The language of values; "auto" is that of the kind. */
export const language: Cell<Language | "auto"> = kept<Language | "auto">(
  "language",
  "auto",
  ["auto", "json", "yaml"],
);

/** Whether single keys do something. */
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
    // The browser keeps nothing for this page.
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

/** Puts the theme on the document, now and when it changes. */
export function followTheme(): void {
  const apply = () => {
    const { dataset } = document.documentElement;
    if (theme.value === "system") delete dataset.theme;
    else dataset.theme = theme.value;
  };
  theme.subscribe(apply);
  apply();
}
