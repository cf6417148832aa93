/**
 * The header of the page: the name of the store, and the state of the
 * connection.
 *
 * @module
 */
import { html } from "htm/preact";
import type { VNode } from "preact";
import { useCell } from "../model/cell.ts";
import { connect, type Connection, connection } from "../model/live.ts";
import { type Theme, theme } from "../model/preferences.ts";
import { session } from "../model/session.ts";
import { useShortcut } from "../parts/shortcuts.ts";

const STATES: Readonly<Record<Connection["state"], string>> = {
  connecting: "Connecting",
  live: "Live",
  lost: "Connection lost",
  down: "No store",
  ended: "Ended",
  refused: "No access",
};

/** The header of the page. */
export function Header({ onMenu, isMenuOpen, onHelp }: {
  onMenu: () => void;
  isMenuOpen: boolean;
  onHelp: () => void;
}): VNode {
  const store = useCell(session);
  return html`
    <header class="header">
      <button type="button" class="button menu-button" aria-expanded=${isMenuOpen}
        aria-controls="sidebar" onClick=${onMenu}>Menu</button>
      <span class="brand">Zestor</span>
      <h1 class="location" title=${store?.location}>
        ${store?.location ?? "\u00a0"}
      </h1>
      ${store && html`
        <span class="chip wide-only">${store.schema
          ? `${store.engine}, ${store.schema}`
          : store.engine}</span>
        <span class="chip wide-only" title=${store
          .readOnlyReason}>${store.canWrite
          ? "Read and write"
          : "Read only"}</span>
      `}
      <${State} />
      <${ThemeButton} />
      <button type="button" class="button" aria-label="Help with keys"
        title="Help with keys (?)" onClick=${onHelp}>?</button>
    </header>
  ` as VNode;
}

function State(): VNode {
  const { state } = useCell(connection);
  return html`
    <span class=${`state state-${state}`}>
      <span class="state-dot" aria-hidden="true"></span>
      <span>${STATES[state]}</span>
    </span>
  ` as VNode;
}

const NEXT: Readonly<Record<Theme, Theme>> = {
  system: "light",
  light: "dark",
  dark: "system",
};
const THEMES: Readonly<Record<Theme, string>> = {
  system: "Auto",
  light: "Light",
  dark: "Dark",
};

function ThemeButton(): VNode {
  const now = useCell(theme);
  const change = () => theme.value = NEXT[theme.value];
  useShortcut("theme", change);
  return html`
    <button type="button" class="button theme-button"
      aria-label=${`Colours: ${THEMES[now]}`} title="Colours (t)"
      onClick=${change}>${THEMES[now]}</button>
  ` as VNode;
}

/** Messages about the connection, at the bottom of the page. */
export function ConnectionBar(): VNode | null {
  const { state, message } = useCell(connection);
  switch (state) {
    case "lost":
      return bar("warning", [
        "The connection to the server is lost. What you see may be old. This page connects again by itself.",
      ]);
    case "down":
      return bar("warning", [
        `The store cannot be reached: ${
          sentence(message)
        } The page goes on by itself.`,
      ]);
    case "refused":
      return bar("warning", [sentence(message)]);
    case "ended":
      return bar("warning", [
        `The connection has ended: ${
          sentence(message)
        } What you see may be old.`,
        html`<button type="button" class="button" onClick=${connect}>
          Connect again
        </button>`,
      ]);
    default:
      return null;
  }
}

/** A message with its full stop. */
function sentence(message = ""): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}

function bar(level: string, children: unknown[]): VNode {
  return html`
    <div class=${`bar bar-${level}`} role="alert">${children}</div>
  ` as VNode;
}
