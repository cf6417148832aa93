/// <reference lib="dom" />
/**
 * The keyboard shortcuts.
 *
 * @module
 */
import { useLayoutEffect, useRef } from "preact/hooks";
import { shortcuts } from "../model/preferences.ts";

/** The shortcuts, as the help shows them: the key, then the action. */
export const SHORTCUTS = {
  help: ["?", "Show this help"],
  filter: ["/", "Go to the filter"],
  down: ["j", "Go to the next row"],
  up: ["k", "Go to the row before"],
  nextPage: ["n", "Next page"],
  previousPage: ["b", "Page before"],
  close: ["Escape", "Close the panel or the dialog"],
  create: ["c", "Create an entry"],
  edit: ["e", "Edit the entry"],
  history: ["h", "History of the entry"],
  value: ["v", "Value of the entry"],
  save: ["Ctrl+Enter", "Save while you edit"],
  earlier: ["[", "One revision back in time"],
  later: ["]", "One revision forward in time"],
  now: [".", "Back to now"],
  entries: ["1", "Entries"],
  changes: ["2", "Changes"],
  health: ["3", "Health"],
  pause: ["p", "Pause or resume the feed"],
  theme: ["t", "Switch between dark and light"],
} as const satisfies Record<string, readonly [key: string, deed: string]>;

/** The name of a shortcut. */
export type Shortcut = keyof typeof SHORTCUTS;

const handlers = new Map<Shortcut, (() => void)[]>();

/** Calls a function when the user presses the key, while the component exists. */
export function useShortcut(name: Shortcut, handler: () => void): void {
  const latest = useRef(handler);
  latest.current = handler;
  useLayoutEffect(() => {
    const run = () => latest.current();
    const list = handlers.get(name) ?? [];
    handlers.set(name, [...list, run]);
    return () => {
      const rest = handlers.get(name)!.filter((other) => other !== run);
      handlers.set(name, rest);
    };
  }, [name]);
}

const NAMES = new Map<string, Shortcut>(
  Object.entries(SHORTCUTS).map(([name, [key]]) => [key, name as Shortcut]),
);

/** Listens to the keyboard. */
export function followKeyboard(): void {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.isComposing) return;
    const name = NAMES.get(nameOf(event));
    const handler = name && handlers.get(name)?.at(-1);
    if (!handler || !isWanted(event, name)) return;
    event.preventDefault();
    handler();
  });
}

function nameOf({ key, ctrlKey, metaKey }: KeyboardEvent): string {
  return ctrlKey || metaKey ? `Ctrl+${key}` : key;
}

function isWanted(event: KeyboardEvent, name: Shortcut): boolean {
  // A dialog handles Escape itself, and nothing behind it may act.
  if (document.querySelector("dialog[open]") !== null) return false;
  if (name === "save") return true;
  // A user who writes does not want to lose the text.
  if (name === "close") return !(event.target instanceof HTMLTextAreaElement);
  return shortcuts.value === "on" && !isText(event.target);
}

function isText(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) {
    return !["checkbox", "radio", "button"].includes(target.type);
  }
  return target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement;
}
