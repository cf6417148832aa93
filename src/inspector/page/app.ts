/// <reference lib="dom" />
/**
 * The whole page: header, sidebar, and the view in the URL.
 *
 * @module
 */
import { html } from "htm/preact";
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Creator } from "./entry/creator.ts";
import { EntryPanel } from "./entry/panel.ts";
import { useCell } from "./model/cell.ts";
import { kinds } from "./model/kinds.ts";
import { connection } from "./model/live.ts";
import { go, goToEntries, replace, type Route, route } from "./model/route.ts";
import { session } from "./model/session.ts";
import { Help } from "./parts/help.ts";
import { Notice, say } from "./parts/notice.ts";
import { useShortcut } from "./parts/shortcuts.ts";
import { ChangesView } from "./views/changes_view.ts";
import { EntriesView } from "./views/entries_view.ts";
import { ConnectionBar, Header } from "./views/header.ts";
import { HealthView } from "./views/health_view.ts";
import { Sidebar } from "./views/sidebar.ts";

/** The page. */
export function App(): VNode {
  const now = useCell(route);
  const [isMenuOpen, setMenuOpen] = useState(false);
  const [isHelping, setHelping] = useState(false);
  useShortcut("help", () => setHelping(true));
  useShortcut("entries", goToEntries);
  useShortcut("changes", () => go({ view: "changes" }));
  useShortcut("health", () => go({ view: "health" }));
  useTitle(now);
  useConnectionNotice();
  useFocusOfView(now);
  const hasPanel = now.view === "entries" &&
    (now.tab === "new" || now.key !== undefined && now.kind !== undefined);
  return html`
    <a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    <${Header} onMenu=${() => setMenuOpen(!isMenuOpen)} isMenuOpen=${isMenuOpen}
      onHelp=${() => setHelping(true)} />
    <div class=${hasPanel ? "body has-panel" : "body"}>
      <${Sidebar} isOpen=${isMenuOpen} onChoose=${() => setMenuOpen(false)} />
      ${isMenuOpen &&
        html`<${MenuCloser} onClose=${() => setMenuOpen(false)} />`}
      <main id="main" class="main" tabindex="-1"><${Content} now=${now} /></main>
      ${hasPanel && panel(now)}
    </div>
    <div class="notices">
      <${ConnectionBar} />
      <${Notice} />
    </div>
    ${isHelping && html`<${Help} onClose=${() => setHelping(false)} />`}
  ` as VNode;
}

/** Closes the menu with a key, and restores the focus. */
function MenuCloser({ onClose }: { onClose: () => void }): null {
  useShortcut("close", () => {
    onClose();
    document.querySelector<HTMLElement>(".menu-button")?.focus();
  });
  return null;
}

function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")!.focus();
}

function panel({ kind, key, at, tab }: Route): VNode {
  return key === undefined ? html`<${Creator} kind=${kind} />` as VNode : html`
    <${EntryPanel} kind=${kind} name=${key} at=${at}
      tab=${tab === "new" ? undefined : tab} />
  ` as VNode;
}

function Content({ now }: { now: Route }): VNode {
  switch (now.view) {
    case "changes":
      return html`<${ChangesView} now=${now} />` as VNode;
    case "health":
      return html`<${HealthView} />` as VNode;
    case "entries":
      return now.kind === undefined
        ? html`<${Home} />` as VNode
        : html`<${EntriesView} now=${now} />` as VNode;
  }
}

/** Goes to the first kind. If there is none, it says so. */
function Home(): VNode {
  const { list, message } = useCell(kinds);
  const store = useCell(session);
  const first = list?.[0]?.kind;
  useEffect(() => {
    if (first === undefined || route.value.kind !== undefined) return;
    replace({ ...route.value, kind: first });
  }, [first]);
  if (list === undefined) {
    return html`<p class="empty">${message ?? "Reading…"}</p>` as VNode;
  }
  return html`
    <div class="empty">
      <p>The store has no entries yet. They appear here as they are written.</p>
      ${store?.canWrite && html`
        <button type="button" class="button button-main"
          onClick=${() =>
            go({ view: "entries", tab: "new" })}>New entry</button>
      `}
    </div>
  ` as VNode;
}

function useTitle(now: Route): void {
  const store = useCell(session);
  const place = now.view === "entries"
    ? [now.key, now.kind].filter((part) => part !== undefined)
    : [now.view === "changes" ? "Changes" : "Health"];
  const title = [...place, store?.location, "Zestor"]
    .filter((part) => part !== undefined).join(" · ");
  useEffect(() => {
    document.title = title;
  }, [title]);
}

/** Tells the user when the connection is back. */
function useConnectionNotice(): void {
  const { state, message } = useCell(connection);
  useEffect(() => {
    if (state === "live" && message !== undefined) say(message);
  }, [state, message]);
}

/** Moves the focus to the title of another view or kind. */
function useFocusOfView({ view, kind, key, tab }: Route): void {
  const isFirst = useRef(true);
  const place = JSON.stringify([view, view === "entries" && kind]);
  useEffect(() => {
    const isStart = isFirst.current;
    isFirst.current = false;
    if (isStart || key !== undefined || tab === "new") return;
    document.querySelector<HTMLElement>(".view-title")?.focus();
  }, [place]);
}
