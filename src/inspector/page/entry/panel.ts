/// <reference lib="dom" />
/**
 * The panel of an entry: its value, its history, and its actions.
 *
 * @module
 */
import { html } from "htm/preact";
import type { VNode } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Language } from "../../api.ts";
import { useCell } from "../model/cell.ts";
import { draftOf, drafts, isDirty } from "../model/drafts.ts";
import { Entry, type ShownEntry } from "../model/entry.ts";
import { language } from "../model/preferences.ts";
import {
  go,
  hrefOf,
  type Route,
  route,
  type Tab,
  withoutPanel,
} from "../model/route.ts";
import { session } from "../model/session.ts";
import { Problem } from "../parts/problem.ts";
import { useShortcut } from "../parts/shortcuts.ts";
import { DeleteDialog, RestoreDialog } from "./dialogs.ts";
import { Editor } from "./editor.ts";
import { History } from "./history.ts";
import { ValueTab } from "./value_tab.ts";

/** The language that the user chose; `undefined` for that of the kind. */
function useLanguage(): Language | undefined {
  const chosen = useCell(language);
  return chosen === "auto" ? undefined : chosen;
}

/** The panel with an entry. */
export function EntryPanel({ kind, name, at, tab: asked = "value" }: {
  kind: string;
  name: string;
  at?: number;
  tab?: Tab;
}): VNode {
  const chosen = useLanguage();
  const store = useCell(session);
  const longest = store?.limits.body;
  const canEdit = store?.canWrite === true && at === undefined;
  const tab = asked === "edit" && !canEdit ? "value" : asked;
  // An editor needs the whole text.
  const text = tab === "edit" ? longest : undefined;
  const wanted = { kind, key: name, at, language: chosen, text };
  const entry = useMemo(() => new Entry(wanted), []);
  useEffect(() => () => entry.close(), []);
  const isFirst = useRef(true);
  useEffect(() => {
    if (!isFirst.current) entry.show(wanted);
    isFirst.current = false;
  }, [kind, name, at, chosen, text]);
  const shown = useCell(entry.shown);
  const title = useFocus(`${kind}\0${name}`);
  useShortcut("close", () => closePanel(name));
  useShortcut("value", () => go({ ...route.value, tab: undefined }));
  useShortcut("history", () => go({ ...route.value, tab: "history" }));
  return html`
    <aside class="panel" aria-labelledby="panel-title">
      <div class="panel-head">
        <h2 id="panel-title" class="panel-title mono" tabindex="-1" ref=${title}
          title=${name}>${name}</h2>
        <button type="button" class="button" title="Close (Escape)"
          onClick=${() => closePanel(name)}>Close</button>
      </div>
      <${Tabs} tab=${tab} kind=${kind} name=${name}
        canEdit=${canEdit} />
      <div class="panel-body" key=${`${kind}\0${name}`}>
        <${Missing} shown=${shown} />
        ${shown.error && html`
          <${Problem} message=${shown.error.message}>
            <button type="button" class="button"
              onClick=${() => entry.load()}>Try again</button>
            <//>
        `}
        ${content(tab, shown, entry)}
      </div>
    </aside>
  ` as VNode;
}

function content(tab: Tab, shown: ShownEntry, entry: Entry): VNode {
  const { kind, key } = shown.name;
  switch (tab) {
    case "history":
      return html`
        <${History} key=${shown.name.language} kind=${kind} name=${key}
          language=${shown.name.language} />
      ` as VNode;
    case "edit":
      return html`<${Editor} shown=${shown} />` as VNode;
    default:
      return html`
        <${ValueTab} shown=${shown}>
          <${Actions} shown=${shown} entry=${entry} />
          <//>
      ` as VNode;
  }
}

/** Moves the focus to the panel whenever it shows another entry. */
function useFocus(name: string) {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus({ preventScroll: true }), [name]);
  return title;
}

/** Closes the panel, and moves the focus back to the row. */
function closePanel(key?: string): void {
  go(withoutPanel());
  const rows = document.querySelectorAll<HTMLAnchorElement>(".table tbody a");
  const row = [...rows].find(({ title }) => title === key);
  const title = document.querySelector<HTMLElement>(".view-title");
  (row ?? title)?.focus();
}

function Tabs({ tab, kind, name, canEdit }: {
  tab: Tab;
  kind: string;
  name: string;
  canEdit: boolean;
}): VNode {
  const now = useCell(route);
  const draft = useCell(drafts).get(draftOf(kind, name));
  const hasDraft = draft !== undefined && isDirty(draft);
  useShortcut("edit", () => canEdit && go({ ...route.value, tab: "edit" }));
  const link = (to: Tab, title: string) =>
    html`<a class="tab" href=${
      hrefOf({ ...now, tab: to === "value" ? undefined : to } as Route)
    } aria-current=${to === tab ? "page" : undefined}>${title}</a>`;
  return html`
    <nav class="tabs" aria-label="Entry">
      ${link("value", "Value")}
      ${link("history", "History")}
      ${canEdit && link("edit", hasDraft ? "Edit, not saved" : "Edit")}
    </nav>
  ` as VNode;
}

function Missing({ shown }: { shown: ShownEntry }): VNode | null {
  const { isMissing, entry, name } = shown;
  if (!isMissing) return null;
  const text = name.at !== undefined
    ? "There was no such entry then."
    : entry === undefined
    ? "There is no such entry. Its history may tell why."
    : "The entry is deleted. This is its last value.";
  return html`
    <p class="note note-warning" role="status">${text}</p>
  ` as VNode;
}

function Actions({ shown, entry }: {
  shown: ShownEntry;
  entry: Entry;
}): VNode | null {
  const store = useCell(session);
  const [dialog, setDialog] = useState<"delete" | "restore">();
  const { isMissing, name } = shown;
  const found = shown.entry;
  if (!store?.canWrite || found === undefined) return null;
  const isPast = name.at !== undefined;
  const close = () => setDialog(undefined);
  return html`
    ${!isPast && !isMissing && html`
      <button type="button" class="button button-danger"
        onClick=${() => setDialog("delete")}>Delete</button>
    `}
    ${(isPast || isMissing) && html`
      <button type="button" class="button"
        onClick=${() => setDialog("restore")}>Bring this value back</button>
    `}
    ${dialog === "delete" && html`
      <${DeleteDialog} entry=${found} onClose=${close}
        onChanged=${() => entry.load()} />
    `}
    ${dialog === "restore" && html`
      <${RestoreDialog} kind=${found.kind} name=${found.key}
        at=${name.at ?? found.revision} value=${found.value}
        onClose=${close} />
    `}
  ` as VNode;
}
